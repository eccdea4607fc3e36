"""What can keep Azure from making or removing restore points: their collections, and locks."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from itertools import pairwise
from statistics import median
from typing import Any

from vmbackup import clock
from vmbackup.arm.call import gather
from vmbackup.arm.client import Arm
from vmbackup.arm.errors import RequestRefused, Unreadable
from vmbackup.arm.paging import Listing, read_pages
from vmbackup.arm.wire import entries, inside, resource, text, whole_pages
from vmbackup.collectors.base import Answers, Ask, collector, listed_fact
from vmbackup.facts.backup import Policy
from vmbackup.facts.vm import Lock, RestorePointCollection
from vmbackup.model import Target
from vmbackup.resource_ids import resource_group, resource_name

_LOCKS = "/providers/microsoft.authorization/locks/"
_AZURE_BACKUP = "azurebackuprg"


@collector("vm.restore_points", actions=("Microsoft.Compute/restorePointCollections/read",))
def restore_points(ask: Ask) -> Answers:
    """The collections whose source is this VM, each with the number of its restore points."""
    known = ask.known_rows("_collections")
    listing = _list_all(ask) if known is None else Listing(known, False)
    ours = [wire for wire in listing.entries if source_of(wire) == ask.target.vm_id.lower()]
    full = gather([partial(_collection, ask, wire) for wire in ours])
    return {"vm.restore_points": listed_fact(listing, [read_collection(wire) for wire in full])}


def _list_all(ask: Ask) -> Listing:
    return read_pages(ask.azure.compute.restore_point_collections.list_all(raw_response_hook=whole_pages)).as_wires()


def source_of(wire: object) -> str:
    """The id of the VM that a collection is of, in small letters. Raises Unreadable for what is no id."""
    found = text(wire, "properties", "source", "id")
    if found is None or not found.startswith("/"):
        raise Unreadable("a restore point collection does not say which VM it is of")
    return found.lower()


def _collection(ask: Ask, listed: object) -> Any:
    collection_id = text(listed, "id")
    group, name = resource_group(collection_id), resource_name(collection_id)
    within = f"/subscriptions/{ask.azure.subscription_id}/resourceGroups/{group}/providers/Microsoft.Compute"
    try:
        return Arm.on(ask.azure).read(f"{within}/restorePointCollections/{name}", **{"$expand": "restorePoints"})
    except RequestRefused:
        # The list shows that it exists; only the number of its points is unknown.
        return listed


def read_collection(wire: object) -> RestorePointCollection:
    """``GET restorePointCollections/{name}?$expand=restorePoints``; without the list the number is not known."""
    collection = resource(wire)
    listed = inside(collection, "properties", "restorePoints")
    collection_id = text(collection, "id")
    if collection_id is None:
        raise Unreadable("a restore point collection without an id")
    return {
        "id": collection_id,
        "name": text(collection, "name") or "",
        "resource_group": resource_group(collection_id),
        "provisioning_state": text(collection, "properties", "provisioningState"),
        "restore_points": len(listed) if isinstance(listed, list) else None,
        "interval_h": _interval_h(entries(collection, "properties", "restorePoints")),
    }


def _interval_h(points: list[Any]) -> float | None:
    """The most common number of hours between two points of the list."""
    taken = sorted(filter(None, (clock.parse(text(each, "properties", "timeCreated")) for each in points)))
    apart = [(later - earlier).total_seconds() / 3600 for earlier, later in pairwise(taken)]
    return round(median(apart), 1) if apart else None


@collector("vm.locks", optional=("vm.restore_points", "backup.policy"), actions=("Microsoft.Authorization/locks/read",))
def locks(ask: Ask, collections: list[RestorePointCollection] | None, policy: Policy | None) -> Answers:
    """The locks at the subscription, the VM's resource group, the VM, and where restore points are kept."""
    listing = read_pages(ask.azure.locks.management_locks.list_at_subscription_level()).as_wires()
    found = list(map(read_lock, listing.entries))
    return {"vm.locks": listed_fact(listing, locks_of(found, ask.target, collections, policy))}


def locks_of(
    found: Sequence[Lock], target: Target, collections: list[RestorePointCollection] | None, policy: Policy | None
) -> list[Lock]:
    """Those of a subscription's locks that concern the VM or where its restore points are kept."""
    groups = {target.resource_group.lower(), *(each["resource_group"].lower() for each in collections or [])}
    prefix = (policy["restore_point_group_prefix"] if policy else None) or _AZURE_BACKUP
    kept = (_AZURE_BACKUP, prefix.lower())
    return [lock for lock in found if _concerns(lock, target.vm_id, groups, kept)]


def read_lock(wire: object) -> Lock:
    """One management lock; its scope is the part of its id in front of the lock."""
    lock = resource(wire)
    lock_id = text(lock, "id")
    if lock_id is None:
        raise Unreadable("a lock without an id sits nowhere")
    at = lock_id.lower().find(_LOCKS)
    return {
        "name": text(lock, "name") or resource_name(lock_id),
        "level": text(lock, "properties", "level") or text(lock, "level") or "",
        "scope": lock_id[:at] if at >= 0 else lock_id,
    }


def _concerns(lock: Lock, vm_id: str, groups: set[str], kept: tuple[str, ...]) -> bool:
    scope, group = lock["scope"].lower(), resource_group(lock["scope"]).lower()
    if not group:
        return True
    if group in groups:
        below = scope.partition("/providers/")[2]
        return not below or f"{vm_id.lower()}/".startswith(f"{scope}/") or "restorepointcollections" in below
    return group.startswith(kept)
