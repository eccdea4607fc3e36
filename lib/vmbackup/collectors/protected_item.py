"""The VM as its vault sees it."""

from __future__ import annotations

from collections.abc import Mapping

from azure.core.exceptions import ResourceNotFoundError

from vmbackup import clock
from vmbackup.arm.errors import not_found
from vmbackup.arm.wire import entries, flag, inside, listed, resource, text, texts, whole
from vmbackup.collectors.base import ABSENT, Answers, Ask, collector
from vmbackup.collectors.protection import READ_ITEM
from vmbackup.collectors.vault import is_of_vault, refuse_missing_vault, vault_parts
from vmbackup.facts.backup import HealthDetail, ProtectedItem, Protection
from vmbackup.resource_ids import FABRIC, resource_name

_NEVER = "2001-01-01T00:00:00Z"


@collector(
    "backup.item",
    needs=("backup.protection",),
    actions=(READ_ITEM,),
)
def protected_item(ask: Ask, protected: Protection) -> Answers:
    """The protected item. Raises SetupError when the vault that was given does not exist."""
    subscription, group, name = vault_parts(protected)
    items = ask.azure.backup(subscription).protected_items
    try:
        wire = items.get(name, group, FABRIC, protected["container"], protected["item"]).as_dict()
    except ResourceNotFoundError as error:
        refuse_missing_vault(protected, error)
        if not not_found(error) or is_of_vault(error):
            raise
        return {"backup.item": ABSENT}
    return {"backup.item": read_item(wire)}


def read_item(wire: object) -> ProtectedItem:
    """``GET protectedItems/{item}``; 2001-01-01 stands for a backup that never ran."""
    item = resource(wire)
    properties = inside(item, "properties")
    exclusion = inside(properties, "extendedProperties", "diskExclusionProperties")
    luns = listed(exclusion, "diskLunList") if isinstance(exclusion, Mapping) else None
    last = clock.stamp(text(properties, "lastBackupTime"))
    return {
        "id": text(item, "id") or "",
        "protection_state": text(properties, "protectionState"),
        "protection_status": text(properties, "protectionStatus"),
        "health_status": text(properties, "healthStatus"),
        "health_details": [_health_detail(each) for each in entries(properties, "healthDetails")],
        "last_backup_status": text(properties, "lastBackupStatus"),
        "last_backup_time": None if last == _NEVER else last,
        "last_recovery_point": clock.stamp(text(properties, "lastRecoveryPoint")),
        "policy_id": text(properties, "policyId"),
        "policy_name": text(properties, "policyName") or resource_name(text(properties, "policyId")) or None,
        "source_resource_id": text(properties, "sourceResourceId") or text(properties, "virtualMachineId"),
        "soft_deleted": flag(properties, "isScheduledForDeferredDelete") is True,
        "disk_luns": None if luns is None else [lun for lun in map(whole, luns) if lun is not None],
        "disk_luns_included": flag(exclusion, "isInclusionList"),
    }


def _health_detail(wire: object) -> HealthDetail:
    return {
        "code": whole(wire, "code"),
        "title": text(wire, "title"),
        "message": text(wire, "message"),
        "recommendations": texts(wire, "recommendations"),
    }
