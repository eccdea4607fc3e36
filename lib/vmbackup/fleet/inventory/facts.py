"""One VM's facts out of the lists, made by the readers that the collectors use themselves.

A fact that the lists cannot give for certain is left out, and the VM's own run asks for it. That includes any fact that
might depend on the missing rest of a list that was cut.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from vmbackup import clock
from vmbackup.arm.errors import Unreadable
from vmbackup.arm.wire import entries, inside, text
from vmbackup.checks.vm_state import is_off
from vmbackup.collectors import routes, rules
from vmbackup.collectors.activity import read_events, read_health, restore_point_groups, window
from vmbackup.collectors.backup_policy import read_policy
from vmbackup.collectors.disks import attached_disks, read_disk
from vmbackup.collectors.extensions import TYPES, read_versions
from vmbackup.collectors.failed_job import since_last_good
from vmbackup.collectors.jobs import read_job
from vmbackup.collectors.neighbours import read_neighbours
from vmbackup.collectors.network import interface_ids, read_interfaces, read_subnet
from vmbackup.collectors.protected_item import read_item
from vmbackup.collectors.restore_points import locks_of, read_collection, read_lock, source_of
from vmbackup.collectors.vault import read_vault
from vmbackup.collectors.vm import read_model, read_power
from vmbackup.fleet.inventory.effective import routes_of, rules_of
from vmbackup.fleet.inventory.index import Tables, job_vm, own_id, source_id, vm_above
from vmbackup.fleet.inventory.lists import ACTIVITY_BACK, Rows
from vmbackup.fleet.inventory.metrics import METRICS
from vmbackup.model import Fact, FactStatus, Target
from vmbackup.resource_ids import part_after

_UNREADABLE = (Unreadable, KeyError, TypeError, ValueError, AttributeError, StopIteration)


@dataclass(slots=True)
class _Vm:
    """A VM, and the facts of it that are known so far."""

    target: Target
    tables: Tables
    facts: dict[str, Fact]

    @property
    def subscription(self) -> str:
        """Where the VM is."""
        return self.target.subscription_id

    @property
    def vault(self) -> str:
        """The vault that protects it. Raises KeyError where none is known to."""
        if self.target.vault_id is None:
            raise KeyError("vault")
        return self.target.vault_id

    def data(self, name: str) -> Any:
        """The data of a fact. Raises KeyError where it is not known."""
        return self.facts[name].data

    def get(self, name: str) -> Any:
        """The data of a fact, None where it is not known."""
        return self.facts[name].data if name in self.facts else None

    def reader(self, what: str) -> tuple[Callable[[str], Any], list[Rows]]:
        """A function that gets a resource from the lists of this kind by its id, and the lists that it has used so far.
        Both raise KeyError where the list or the resource is missing."""
        used = [self.tables.listed(what, self.subscription)]

        def read(resource_id: str) -> Any:
            row, rows = self.tables.row(what, part_after(resource_id, "subscriptions"), resource_id, own_id)
            used.append(rows)
            return row

        return read, used

    def not_computed(self, nics: Sequence[Any]) -> Fact:
        """The configured rules or routes of a VM that is off: Azure computes effective ones only while it runs."""
        data = {"source": "objects", "nics": nics}
        return Fact(FactStatus.OK, data, "vm_not_running", {"power": self.data("vm.power")["power"]})


_Facts = Iterator[tuple[str, Any, Sequence[Rows]]]
"""Names of facts, each with its data, or the fact itself, and with the lists that it rests on."""


def facts_of(target: Target, tables: Tables) -> dict[str, Fact]:
    """What the lists say of one VM, by name; names that begin with an underscore are rows for the collectors."""
    return _made(_Vm(target, tables, {}), _MAKERS)


def facts_of_vault(target: Target, tables: Tables) -> dict[str, Fact]:
    """What the lists of its vault say of one VM."""
    return _made(_Vm(target, tables, {}), (_item, _jobs, _policy))


def facts_to_examine(target: Target, tables: Tables, facts: Mapping[str, Fact]) -> dict[str, Fact]:
    """These facts, and what is worth finding out only of a VM that is examined."""
    return _made(_Vm(target, tables, dict(facts)), (_neighbours, _activity, _metrics, _rules, _routes))


def _made(vm: _Vm, makers: Sequence[Callable[[_Vm], _Facts]]) -> dict[str, Fact]:
    for make in makers:
        try:
            for name, data, listed in make(vm):
                taken_at = min(filter(None, (rows.taken_at for rows in listed)), default=None)
                how = tuple(sorted({line for rows in listed for line in rows.how}))
                fact = data if isinstance(data, Fact) else Fact(FactStatus.OK, data)
                vm.facts[name] = replace(fact, how=how, taken_at=taken_at)
        except _UNREADABLE:
            continue
    return vm.facts


def _model(vm: _Vm) -> _Facts:
    row, listed = vm.tables.row("vms", vm.subscription, vm.target.vm_id, own_id)
    yield "vm.model", read_model(row, vm.tables.lists.now), [listed]


def _power(vm: _Vm) -> _Facts:
    row, listed = vm.tables.row("power", vm.subscription, vm.target.vm_id, own_id)
    power = read_power(inside(row, "properties", "instanceView"))
    if power["power"] is not None:
        yield "vm.power", power, [listed]


def _disks(vm: _Vm) -> _Facts:
    model, listed = vm.tables.row("vms", vm.subscription, vm.target.vm_id, own_id)
    found, used = [], [listed]
    for role, attached in attached_disks(model):
        managed_id, managed = text(attached, "managedDisk", "id"), None
        if managed_id is not None:
            managed, rows = vm.tables.row("disks", part_after(managed_id, "subscriptions"), managed_id, own_id)
            used.append(rows)
        found.append(read_disk(role, attached, managed))
    yield "vm.disks", found, used


def _nics(vm: _Vm) -> _Facts:
    model, _ = vm.tables.row("vms", vm.subscription, vm.target.vm_id, own_id)
    ids = interface_ids(model)
    found = [vm.tables.row("nics", part_after(each, "subscriptions"), each, own_id) for each in ids]
    for name, data in read_interfaces([row for row, _ in found]).items():
        yield name, data, [rows for _, rows in found]


def _subnets(vm: _Vm) -> _Facts:
    ids = {config["subnet_id"]: None for nic in vm.data("network.nics") for config in nic["ip_configs"]}
    found, used = [], []
    for each in ids:
        network_id = (each or "").lower().partition("/subnets/")[0]
        network, rows = vm.tables.row("networks", part_after(each, "subscriptions"), network_id, own_id)
        subnets = [
            wire for wire in entries(network, "properties", "subnets") if own_id(wire).lower() == (each or "").lower()
        ]
        found.append(read_subnet(subnets[0] if subnets else None))
        used.append(rows)
    yield "network.subnets", found, used


def _rules(vm: _Vm) -> _Facts:
    """Effective rules for a VM that runs, else the configured ones: Azure computes none while it is off."""
    nics, groups = vm.data("network.nics"), vm.data("_groups")
    read, used = vm.reader("security groups")
    if vm.data("vm.power")["power"] == "running":
        computed = [vm.tables.listed(rules.EFFECTIVE, rules_of(nic, groups)) for nic in nics]
        found = [
            rules.rules_of_neighbour(nic, groups[nic["id"].lower()], rows.entries[0], read)
            for nic, rows in zip(nics, computed, strict=True)
        ]
        yield "network.rules", {"source": "effective", "nics": found}, [*used, *computed]
    elif is_off(vm.data("vm.power")["power"]):
        found = [rules.written_rules(nic, groups, vm.data("network.subnets"), read) for nic in nics]
        yield "network.rules", vm.not_computed(found), used


def _routes(vm: _Vm) -> _Facts:
    nics = vm.data("network.nics")
    if vm.data("vm.power")["power"] == "running":
        used = [vm.tables.listed(routes.EFFECTIVE, routes_of(nic)) for nic in nics]
        found = [routes.read_effective_routes(nic["id"], rows.entries[0]) for nic, rows in zip(nics, used, strict=True)]
        yield "network.routes", {"source": "effective", "nics": found}, used
    elif is_off(vm.data("vm.power")["power"]):
        read, used = vm.reader("route tables")
        found = [routes.written_routes(nic, vm.data("network.subnets"), read) for nic in nics]
        yield "network.routes", vm.not_computed(found), used


def _item(vm: _Vm) -> _Facts:
    found, listed = vm.tables.rows("items", vm.vault, vm.target.vm_id, source_id)
    if len(found) == 1:
        yield "backup.item", read_item(found[0]), [listed]


def _jobs(vm: _Vm) -> _Facts:
    vm.tables.whole("jobs", vm.vault)
    name = vm.target.vm_name
    ours, listed = vm.tables.rows("jobs", vm.vault, f"{vm.target.resource_group};{name}", job_vm)
    nameless, _ = vm.tables.rows("jobs", vm.vault, f"*;{name}", job_vm)
    jobs = [read_job(row) for row in (*ours, *nameless)]
    yield "backup.jobs", sorted(jobs, key=lambda job: job["start"] or "", reverse=True), [listed]


def _policy(vm: _Vm) -> _Facts:
    policy_id = vm.data("backup.item")["policy_id"]
    row, listed = vm.tables.row("policies", vm.vault, policy_id, own_id)
    yield "backup.policy", read_policy(row), [listed]


def _vault(vm: _Vm) -> _Facts:
    listed = vm.tables.whole("storage", vm.vault)
    yield "backup.vault", read_vault(listed.entries[0], vm.vault, vm.target.vm_id), [listed]


def _neighbours(vm: _Vm) -> _Facts:
    vm.tables.whole("items", vm.vault)
    item = vm.data("backup.item")
    if item["policy_name"]:
        same, listed = vm.tables.rows("items", vm.vault, item["policy_name"], _policy_name)
        yield "backup.neighbours", read_neighbours(same, item["id"], item["policy_name"]), [listed]


def _policy_name(row: Any) -> str:
    return read_item(row)["policy_name"] or ""


def _collections(vm: _Vm) -> _Facts:
    vm.tables.whole("collections", vm.subscription)
    found, listed = vm.tables.rows("collections", vm.subscription, vm.target.vm_id, source_of)
    yield "_collections", found, [listed]


def _locks(vm: _Vm) -> _Facts:
    listed = vm.tables.whole("locks", vm.subscription)
    collections = [read_collection(row) for row in vm.data("_collections")]
    found = vm.tables.read("locks", vm.subscription, read_lock)
    yield "vm.locks", locks_of(found, vm.target, collections, vm.get("backup.policy")), [listed]


def _health(vm: _Vm) -> _Facts:
    row, listed = vm.tables.row("health", vm.subscription, vm.target.vm_id, vm_above)
    yield "vm.health", read_health(row), [listed]


def _extensions(vm: _Vm) -> _Facts:
    vm.tables.whole("extensions", vm.subscription)
    found, listed = vm.tables.rows("extensions", vm.subscription, vm.target.vm_id, vm_above)
    # No rows may mean that there are none, or none that may be read.
    if found:
        yield "_extensions", found, [listed]


def _versions(vm: _Vm) -> _Facts:
    model = vm.data("vm.model")
    kind = TYPES[model["os"]]
    listed = vm.tables.whole(f"versions {kind}", f"{vm.subscription} {model['location']}")
    yield "vm.extension_versions", read_versions(kind, listed.entries), [listed]


def _activity(vm: _Vm) -> _Facts:
    listed, now = vm.tables.listed("events", vm.subscription), vm.tables.lists.now
    bad = since_last_good(vm.data("backup.jobs"))
    start, end = window(bad[-1]["start"] if bad else None, now)
    # The newest come first: what was cut off is older than the last.
    oldest = read_events(listed.entries[-1:])[0]["time"] if listed.is_cut else clock.stamp(now - ACTIVITY_BACK)
    if (clock.stamp(start) or "") <= (oldest or ""):
        return
    collections = [read_collection(row) for row in vm.data("_collections")]
    known = restore_point_groups(collections, vm.get("backup.policy"), vm.get("vm.model"))
    groups = {each.lower() for each in (vm.target.resource_group, *known)}
    rows = [row for each in sorted(groups) for row in vm.tables.rows("events", vm.subscription, each, _event_group)[0]]
    first, last = clock.stamp(start) or "", clock.stamp(end) or ""
    yield "vm.activity", [event for event in read_events(rows) if first <= event["time"] <= last], [listed]


def _metrics(vm: _Vm) -> _Facts:
    listed = vm.tables.whole(METRICS, vm.target.vm_id)
    yield "_metrics", listed.entries, [listed]


def _event_group(row: Any) -> str:
    return text(row, "resourceGroupName") or ""


_MAKERS = (
    _model, _power, _disks, _nics, _subnets, _item, _jobs, _policy, _vault, _collections, _locks,
    _health, _extensions, _versions,
)  # fmt: skip
"""In this order: later ones use what earlier ones found."""
