"""The other VMs that the policy backs up at the same time."""

from __future__ import annotations

from typing import Any

from vmbackup.arm.paging import read_pages
from vmbackup.arm.wire import whole_pages
from vmbackup.collectors.base import ABSENT, Answers, Ask, collector, listed_fact
from vmbackup.collectors.protected_item import read_item
from vmbackup.collectors.vault import vault_parts
from vmbackup.facts.backup import Neighbour, Neighbours, ProtectedItem, Protection
from vmbackup.resource_ids import resource_name


@collector(
    "backup.neighbours",
    needs=("backup.protection", "backup.item"),
    actions=("Microsoft.RecoveryServices/Vaults/backupProtectedItems/read",),
)
def neighbours(ask: Ask, protected: Protection, item: ProtectedItem) -> Answers:
    """The other VMs under this VM's policy: a policy starts all of its VMs at the same time."""
    policy = item["policy_name"]
    if policy is None:
        return {"backup.neighbours": ABSENT}
    subscription, group, name = vault_parts(protected)
    asked = "backupManagementType eq 'AzureIaasVM' and itemType eq 'VM'"
    listed = ask.azure.backup(subscription).backup_protected_items.list(
        name, group, filter=asked, raw_response_hook=whole_pages
    )
    listing = read_pages(listed).as_wires()
    read = read_neighbours(listing.entries, item["id"], policy)
    return {"backup.neighbours": listed_fact(listing, read)}


def read_neighbours(wires: list[Any], own_id: str, policy: str) -> Neighbours:
    """The items of the list under the same policy, this one left out."""
    read = [read_item(wire) for wire in wires]
    same = [each for each in read if (each["policy_name"] or "").lower() == policy.lower() and _is_started(each)]
    others = [each for each in same if each["id"].lower() != own_id.lower()]
    return {"policy": policy, "same_time": [_neighbour(each) for each in others]}


def _is_started(item: ProtectedItem) -> bool:
    """A policy starts no backup of an item whose protection was stopped."""
    state = (item["protection_state"] or "").lower()
    return not item["soft_deleted"] and state not in ("protectionstopped", "protectionpaused", "backupssuspended")


def _neighbour(item: ProtectedItem) -> Neighbour:
    return {
        "name": resource_name(item["source_resource_id"]) or item["id"].rsplit(";", 1)[-1],
        "last_backup_status": item["last_backup_status"],
        "last_backup_time": item["last_backup_time"],
    }
