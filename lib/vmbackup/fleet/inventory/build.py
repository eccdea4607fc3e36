"""The inventory of a fleet: everything that lists can say of its VMs, asked once.

Per vault: protected items, jobs of 14 days, policies, storage. Per subscription: VMs and their power, disks,
interfaces, networks, locks, collections of restore points, the activity log of some days, and by Resource Graph the
extensions and Resource Health. Of a VM with nothing open the recovery points are asked for as well: no list says of
what consistency they are, and a backup that was silently downgraded looks good everywhere else.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from functools import partial

from vmbackup import clock
from vmbackup.arm.call import calling, gather
from vmbackup.arm.connection import Azure
from vmbackup.arm.errors import Unreadable, as_fact
from vmbackup.arm.wire import text
from vmbackup.collectors.base import listed_fact, recorded
from vmbackup.collectors.extensions import PUBLISHER, TYPES
from vmbackup.collectors.failed_job import since_last_good
from vmbackup.collectors.protection import read_graph_item
from vmbackup.collectors.recovery_points import points_of
from vmbackup.facts.backup import Protection
from vmbackup.failures.triage import triage
from vmbackup.fleet.inventory.effective import list_effective
from vmbackup.fleet.inventory.facts import facts_of, facts_of_vault, facts_to_examine
from vmbackup.fleet.inventory.index import ListIndex, own_id, source_id
from vmbackup.fleet.inventory.lists import (
    Lists,
    list_extension_versions,
    list_subscriptions,
    list_vaults,
    protected_items,
)
from vmbackup.fleet.inventory.metrics import list_metrics
from vmbackup.fleet.inventory.model import Inventory, InventoryVm, Scope
from vmbackup.fleet.inventory.shelf import ShelvedFacts
from vmbackup.fleet.inventory.signs import not_known, signs_of_lists, signs_of_points
from vmbackup.fleet.sharing import shared_limits
from vmbackup.model import Evidence, Target, data_of
from vmbackup.parameters import VAULT_ID, VM_ID
from vmbackup.resource_ids import part_after

POINTS = "backup.recovery_points"
_AT_ONCE = 4
_SUBSCRIPTION = re.compile(r"[\w-]+")
_VAULTS_AT_ONCE = 8
_POINTS_S = 60.0


def build_inventory(azure: Azure, scope: Scope, *, points: bool = True, deadline_s: float = 600) -> Inventory:
    """List everything about the VMs of a scope. Without ``points`` the recovery points of VMs with nothing open are not
    asked for, one request for each: their consistency is then not known, and a gap says so.

    ``deadline_s`` holds for each list. Raises SetupError when nobody is signed in.
    """
    now = azure.now()
    with shared_limits() as file:
        return _build(Lists(azure.within_limits(file), now, deadline_s), scope, points)


def _build(lists: Lists, scope: Scope, points: bool) -> Inventory:
    vaults = _vaults_by_vm(lists, scope)
    list_vaults(lists, _only_ids(lists, {*scope.vaults, *vaults.values()}, VAULT_ID))
    vaults |= {vm: vault for vault in scope.vaults for vm in _protected_by(lists, vault)}
    index = ListIndex(lists)
    # Before the other lists: it takes long, and their age counts.
    known_points = _points(lists, index, vaults) if points else {}
    wanted = {part_after(vm, "subscriptions").lower() for vm in (*vaults, *scope.vms)} | set(scope.subscriptions)
    subscriptions = _only_ids(lists, set(filter(None, wanted)), _SUBSCRIPTION)
    list_subscriptions(lists, subscriptions)
    _list_versions(lists, subscriptions)
    targets = _targets(lists, scope, vaults)
    facts = ({**facts_of(target, index), **known_points.get(target.vm_id.lower(), {})} for target in targets)
    judged = [_judge(lists, target, known, points) for target, known in zip(targets, facts, strict=True)]
    open_vms = [vm for vm in judged if vm.signs]
    list_metrics(lists, open_vms)
    list_effective(lists, open_vms)
    found = [_to_examine(lists, vm, index) if vm.signs else vm for vm in judged]
    if not points:
        _note_not_asked(lists, found)
    return Inventory(tuple(found), tuple(lists.gaps), tuple(lists.calls))


def facts_for_run(vm: InventoryVm, vault_named: bool = False) -> Evidence:
    """What a run of this VM need not ask again. Nothing of a vault where its protection was stopped: the VM may have
    gone to another one; but for a run whose parameters name the vault, which asks no other."""
    known = dict(vm.known)
    item = data_of(known, "backup.item")
    active = item is not None and (item["protection_state"] or "").lower() == "protected" and not item["soft_deleted"]
    told = active or vault_named
    wanted = {name: fact for name, fact in known.items() if told or not name.startswith("backup.")}
    return vm.known.beside(wanted) if isinstance(vm.known, ShelvedFacts) else wanted


def _only_ids(lists: Lists, names: set[str], shape: re.Pattern[str]) -> list[str]:
    """Those that may become a part of an address; each of the others is a gap."""
    strange = sorted(name for name in names if not shape.fullmatch(name))
    for name in strange:
        lists.gap("scope", name, "unreadable", {"detail": "not an id of Azure"})
    return sorted(names.difference(strange))


# --- which VMs -----------------------------------------------------------------------------------------------------


def _vaults_by_vm(lists: Lists, scope: Scope) -> dict[str, str]:
    """The vault of each protected VM of the scope by the VM's id, for a scope that names no vaults."""
    listed = protected_items(lists) if scope.subscriptions or scope.vms else None
    wanted, subscriptions = {name.lower() for name in scope.vms}, {name.lower() for name in scope.subscriptions}
    found: dict[str, Protection] = {}
    for row in listed.entries if listed else ():
        vm = (text(row, "properties", "dataSourceInfo", "resourceID") or source_id(row)).lower()
        if vm in wanted or part_after(vm, "subscriptions") in subscriptions:
            with suppress(Unreadable):
                # A VM that changed its vault is still listed in the old one, where its protection was stopped.
                found[vm] = min(filter(None, (found.get(vm), read_graph_item(row))), key=_is_stopped)
    return {vm: protection["vault_id"] for vm, protection in found.items()}


def _is_stopped(protection: Protection) -> bool:
    return "stopped" in (protection["status"] or "").lower()


def _protected_by(lists: Lists, vault: str) -> list[str]:
    listed = lists.of("items", vault)
    return [source_id(row).lower() for row in (listed.entries if listed else ())]


def _targets(lists: Lists, scope: Scope, vaults: Mapping[str, str]) -> list[Target]:
    """Every VM of the scope once, in the letter case in which Azure lists it; those without a vault too."""
    spelt: dict[str, str] = {vm_id.lower(): vm_id for vm_id in (*vaults, *scope.vms)}
    for subscription in {part_after(vm_id, "subscriptions") for vm_id in spelt} | set(scope.subscriptions):
        listed = lists.of("vms", subscription)
        names = [own_id(row) for row in (listed.entries if listed else ())]
        spelt |= {
            vm_id.lower(): vm_id for vm_id in names if vm_id.lower() in spelt or subscription in scope.subscriptions
        }
    found = []
    for vm_id, name in sorted(spelt.items()):
        parts = VM_ID.fullmatch(name)
        if parts is None:
            lists.gap("vms", name, "unreadable", {"detail": "not the id of a VM"})
            continue
        found.append(Target(parts["subscription"], parts["group"], parts["name"], vaults.get(vm_id)))
    return found


def _list_versions(lists: Lists, subscriptions: Iterable[str]) -> None:
    wanted: dict[tuple[str, str, str, str], None] = {}
    for subscription in subscriptions:
        listed = lists.of("vms", subscription)
        for row in listed.entries if listed else ():
            system = (text(row, "properties", "storageProfile", "osDisk", "osType") or "").lower()
            location = text(row, "location")
            if system in TYPES and location:
                wanted[subscription, location, PUBLISHER, TYPES[system]] = None
    list_extension_versions(lists, wanted)


# --- which of them stand open --------------------------------------------------------------------------------------


def _points(lists: Lists, index: ListIndex, vaults: Mapping[str, str]) -> dict[str, Evidence]:
    """The recovery points of the VMs of which their vaults say nothing that is open, by the VM's id."""
    now, by_vault = clock.stamp(lists.now), dict[str, list[tuple[str, str]]]()
    for vm_id, vault in vaults.items():
        parts = VM_ID.fullmatch(vm_id)
        if parts is not None:
            target = Target(parts["subscription"], parts["group"], parts["name"], vault)
            known = facts_of_vault(target, index)
            if not signs_of_lists(known, now):
                by_vault.setdefault(vault, []).append((vm_id, known["backup.item"].data["id"]))
    found = gather([partial(_points_of_vault, lists, items) for items in by_vault.values()], _VAULTS_AT_ONCE)
    return {vm_id: known for facts in found for vm_id, known in facts}


def _points_of_vault(lists: Lists, items: list[tuple[str, str]]) -> list[tuple[str, Evidence]]:
    return gather([partial(_points_of, lists, vm_id, item_id) for vm_id, item_id in items], _AT_ONCE)


def _points_of(lists: Lists, vm_id: str, item_id: str) -> tuple[str, Evidence]:
    with calling(vm_id, _POINTS_S) as call:
        try:
            listing = points_of(lists.azure, read_graph_item({"id": item_id}))
            fact = listed_fact(listing, listing.entries)
        except Exception as error:
            fact = as_fact(error)
    lists.count(call)
    return vm_id, ShelvedFacts(lists.shelf, {POINTS: recorded(fact, call)})


def _note_not_asked(lists: Lists, vms: Iterable[InventoryVm]) -> None:
    count = sum(not vm.signs for vm in vms)
    if count:
        lists.gap("points", "", "points_not_asked", {"count": str(count)})


def _judge(lists: Lists, target: Target, known: Evidence, points: bool) -> InventoryVm:
    """The VM with what stands open."""
    further = signs_of_points(known) if points else not_known(known, ("vm.model",))
    signs = tuple(signs_of_lists(known, clock.stamp(lists.now)) or further)
    return InventoryVm(target, ShelvedFacts(lists.shelf, known), _section(known), signs)


def _to_examine(lists: Lists, vm: InventoryVm, index: ListIndex) -> InventoryVm:
    """The VM with what its examination needs."""
    return replace(vm, known=ShelvedFacts(lists.shelf, facts_to_examine(vm.target, index, vm.known)))


def _section(known: Evidence) -> str | None:
    """Where the newest failure belongs, by what the list says of it."""
    bad = since_last_good(data_of(known, "backup.jobs") or [])
    said = [bad[0][name] for name in ("error_title", "error_code", "error_text")] if bad else []
    words = "\n".join(str(word) for word in said if word is not None)
    return triage(words).section if words else None
