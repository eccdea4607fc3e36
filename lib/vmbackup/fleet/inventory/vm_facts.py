"""The facts of the VM itself, its disks, extensions and locks, and what happened to it, out of the lists."""

from __future__ import annotations

from typing import Any

from vmbackup import clock
from vmbackup.arm.wire import inside, text
from vmbackup.collectors.activity import read_events, read_health, restore_point_groups, window
from vmbackup.collectors.disks import attached_disks, read_disk
from vmbackup.collectors.extensions import TYPES, read_versions
from vmbackup.collectors.failed_job import since_last_good
from vmbackup.collectors.restore_points import locks_of, read_collection, read_lock, source_of
from vmbackup.collectors.vm import read_model, read_power
from vmbackup.fleet.inventory.index import own_id, vm_above
from vmbackup.fleet.inventory.listed_vm import ListedVm, ReadFacts
from vmbackup.fleet.inventory.lists import ACTIVITY_BACK
from vmbackup.fleet.inventory.metrics import METRICS
from vmbackup.resource_ids import part_after


def _model(vm: ListedVm) -> ReadFacts:
    row, listed = vm.index.row("vms", vm.subscription, vm.target.vm_id, own_id)
    yield "vm.model", read_model(row, vm.index.lists.now), [listed]


def _power(vm: ListedVm) -> ReadFacts:
    row, listed = vm.index.row("power", vm.subscription, vm.target.vm_id, own_id)
    power = read_power(inside(row, "properties", "instanceView"))
    if power["power"] is not None:
        yield "vm.power", power, [listed]


def _disks(vm: ListedVm) -> ReadFacts:
    model, listed = vm.index.row("vms", vm.subscription, vm.target.vm_id, own_id)
    found, used = [], [listed]
    for role, attached in attached_disks(model):
        managed_id, managed = text(attached, "managedDisk", "id"), None
        if managed_id is not None:
            managed, rows = vm.index.row("disks", part_after(managed_id, "subscriptions"), managed_id, own_id)
            used.append(rows)
        found.append(read_disk(role, attached, managed))
    yield "vm.disks", found, used


def _collections(vm: ListedVm) -> ReadFacts:
    vm.index.whole("collections", vm.subscription)
    found, listed = vm.index.rows("collections", vm.subscription, vm.target.vm_id, source_of)
    yield "_collections", found, [listed]


def _locks(vm: ListedVm) -> ReadFacts:
    listed = vm.index.whole("locks", vm.subscription)
    collections = [read_collection(row) for row in vm.data("_collections")]
    found = vm.index.read("locks", vm.subscription, read_lock)
    yield "vm.locks", locks_of(found, vm.target, collections, vm.get("backup.policy")), [listed]


def _health(vm: ListedVm) -> ReadFacts:
    row, listed = vm.index.row("health", vm.subscription, vm.target.vm_id, vm_above)
    yield "vm.health", read_health(row), [listed]


def _extensions(vm: ListedVm) -> ReadFacts:
    vm.index.whole("extensions", vm.subscription)
    found, listed = vm.index.rows("extensions", vm.subscription, vm.target.vm_id, vm_above)
    # No rows may mean that there are none, or none that may be read.
    if found:
        yield "_extensions", found, [listed]


def _versions(vm: ListedVm) -> ReadFacts:
    model = vm.data("vm.model")
    kind = TYPES[model["os"]]
    listed = vm.index.whole(f"versions {kind}", f"{vm.subscription} {model['location']}")
    yield "vm.extension_versions", read_versions(kind, listed.entries), [listed]


def _activity(vm: ListedVm) -> ReadFacts:
    listed, now = vm.index.listed("events", vm.subscription), vm.index.lists.now
    bad = since_last_good(vm.data("backup.jobs"))
    start, end = window(bad[-1]["start"] if bad else None, now)
    # The newest come first: what was cut off is older than the last.
    oldest = read_events(listed.entries[-1:])[0]["time"] if listed.is_cut else clock.stamp(now - ACTIVITY_BACK)
    if (clock.stamp(start) or "") <= (oldest or ""):
        return
    collections = [read_collection(row) for row in vm.data("_collections")]
    known = restore_point_groups(collections, vm.get("backup.policy"), vm.get("vm.model"))
    groups = {group.lower() for group in (vm.target.resource_group, *known)}
    rows = [row for group in sorted(groups) for row in vm.index.rows("events", vm.subscription, group, _event_group)[0]]
    first, last = clock.stamp(start) or "", clock.stamp(end) or ""
    yield "vm.activity", [event for event in read_events(rows) if first <= event["time"] <= last], [listed]


def _event_group(row: Any) -> str:
    return text(row, "resourceGroupName") or ""


def _metrics(vm: ListedVm) -> ReadFacts:
    listed = vm.index.whole(METRICS, vm.target.vm_id)
    yield "_metrics", listed.entries, [listed]


READERS = (_model, _power, _disks, _collections, _locks, _health, _extensions, _versions)
"""In this order: later ones use what earlier ones found. The locks use the backup's policy."""
TO_EXAMINE = (_activity, _metrics)
