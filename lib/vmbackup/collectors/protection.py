"""Which vault protects the VM, and how the vault sees it: protected item, policy, recovery points, neighbours."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from azure.core.exceptions import HttpResponseError, ResourceNotFoundError

from vmbackup import clock
from vmbackup.arm.connection import Azure
from vmbackup.arm.errors import Unreadable, as_fact, cut, not_found, refusal
from vmbackup.arm.paging import Listing, read_pages
from vmbackup.arm.wire import (
    entries,
    flag,
    inside,
    last_part,
    listed,
    part_after,
    resource,
    text,
    texts,
    whole,
    whole_pages,
)
from vmbackup.collectors.base import ABSENT, Answers, Ask, collector, listed_fact
from vmbackup.facts.backup import HealthDetail, Neighbour, Neighbours, ProtectedItem, Protection, RecoveryPoint, Vault
from vmbackup.facts.vm import VmModel
from vmbackup.model import Fact, FactStatus, SetupError, Target

_BACKUP_STATUS = "Microsoft.RecoveryServices/locations/backupStatus/action"
_ITEM = "Microsoft.RecoveryServices/Vaults/backupFabrics/protectionContainers/protectedItems/read"
_MODEL = {"fact": "vm.model"}
_FABRIC = "Azure"
_NEVER = "2001-01-01T00:00:00Z"


@collector(
    "backup.protection",
    optional=("vm.model",),
    actions=(_BACKUP_STATUS, _ITEM),
    any_action=True,
)
def protection(ask: Ask, model: VmModel | None) -> Answers:
    """The vault: the one that was given, else ``backupStatus`` of the VM's region, else Resource Graph."""
    if ask.target.vault_id:
        return {"backup.protection": _given(ask.target, ask.target.vault_id)}
    if model is None:
        return {"backup.protection": _from_graph(ask) or Fact(FactStatus.SKIPPED, why="needs", details=_MODEL)}
    if not model["location"]:
        return {"backup.protection": _from_graph(ask) or as_fact(Unreadable("the VM names no region"))}
    try:
        answer = _backup_status(ask, model)
        found = read_backup_status(answer)
    except HttpResponseError as error:
        # backupStatus needs a right at the subscription that a reader of the vault often lacks.
        refused, found = as_fact(error, (_BACKUP_STATUS,)), _from_graph(ask)
        # The graph shows only what may be read: an empty answer does not prove that no vault protects the VM.
        known = Fact(FactStatus.OK, found, refused.why, refused.details) if found else refused
        return {"backup.protection": known}
    return {"backup.protection": _none(answer) if found is None else found}


def _none(answer: object) -> Fact:
    """No vault protects the VM; why not, where ``backupStatus`` says it."""
    said = {key: text(answer, key) for key in ("errorCode", "errorMessage")}
    return Fact(FactStatus.ABSENT, why="none", details={key: words for key, words in said.items() if words})


def _given(target: Target, vault_id: str) -> Protection:
    names = f"{target.resource_group};{target.vm_name}".lower()
    return {
        "status": None,
        "error_code": None,
        "error_message": None,
        "vault_id": vault_id.rstrip("/"),
        "container": f"iaasvmcontainer;iaasvmcontainerv2;{names}",
        "item": f"vm;iaasvmcontainerv2;{names}",
        "policy_name": None,
        "via": "parameter",
    }


def _backup_status(ask: Ask, model: VmModel) -> Any:
    from azure.mgmt.recoveryservicesbackup.models import BackupStatusRequest

    question = BackupStatusRequest(resource_type="VM", resource_id=ask.target.vm_id)
    return ask.azure.backup().backup_status.get(model["location"], question).as_dict()


def read_backup_status(wire: object) -> Protection | None:
    """The answer of ``backupStatus``; None when no vault protects the VM."""
    said = resource(wire)
    if (text(said, "protectionStatus") or "").lower() == "notprotected":
        return None
    vault_id, container, item = text(said, "vaultId"), text(said, "containerName"), text(said, "protectedItemName")
    if not (vault_id and container and item):
        raise Unreadable("backupStatus names no vault, and does not say that there is none")
    return {
        "status": text(said, "protectionStatus"),
        "error_code": text(said, "errorCode"),
        "error_message": text(said, "errorMessage"),
        "vault_id": vault_id,
        "container": container,
        "item": item,
        "policy_name": text(said, "policyName"),
        "via": "backupStatus",
    }


def _from_graph(ask: Ask) -> Protection | None:
    from azure.mgmt.resourcegraph.models import QueryRequest

    query = (
        "RecoveryServicesResources | where type =~ "
        "'microsoft.recoveryservices/vaults/backupfabrics/protectioncontainers/protecteditems' "
        f"| where properties.dataSourceInfo.resourceID =~ '{_quoted(ask.target.vm_id)}'"
    )
    try:
        # The vault may be in another subscription than the VM.
        answer = ask.azure.graph.resources(QueryRequest(query=query))
    except HttpResponseError:
        return None
    found = [read_graph_item(row) for row in graph_rows(answer)]
    # A VM that changed its vault is still listed in the old one, where its protection was stopped.
    return min(found, key=lambda each: "stopped" in (each["status"] or "").lower(), default=None)


def graph_rows(answer: Any) -> list[Any]:
    """The rows of an answer of Resource Graph. Raises Unreadable where it has none."""
    if not isinstance(answer.data, list):
        raise Unreadable(f"expected rows of Resource Graph, found {type(answer.data).__name__}")
    return answer.data


def _quoted(words: str) -> str:
    return words.replace("\\", "\\\\").replace("'", "\\'")


def read_graph_item(wire: object) -> Protection:
    """A protected item as Resource Graph shows it; container and vault are parts of its id."""
    row = resource(wire)
    item_id = text(row, "id") or ""
    vault_id, fabric, _ = item_id.lower().partition("/backupfabrics/")
    container = part_after(item_id, "protectionContainers")
    if not (vault_id and fabric and container):
        raise Unreadable("a protected item of Resource Graph without vault or container in its id")
    return {
        "status": text(row, "properties", "currentProtectionState") or text(row, "properties", "protectionState"),
        "error_code": None,
        "error_message": None,
        "vault_id": item_id[: len(vault_id)],
        "container": container,
        "item": last_part(item_id) or "",
        "policy_name": text(row, "properties", "policyName"),
        "via": "resource_graph",
    }


def vault(protected: Protection) -> tuple[str, str, str]:
    """The vault's subscription, resource group and name."""
    vault_id = protected["vault_id"]
    parts = (part_after(vault_id, "subscriptions"), part_after(vault_id, "resourceGroups"), last_part(vault_id))
    return parts[0] or "", parts[1] or "", parts[2] or ""


@collector(
    "backup.item",
    needs=("backup.protection",),
    actions=(_ITEM,),
)
def protected_item(ask: Ask, protected: Protection) -> Answers:
    """The protected item. Raises SetupError when the vault that was given does not exist."""
    subscription, group, name = vault(protected)
    items = ask.azure.backup(subscription).protected_items
    try:
        wire = items.get(name, group, _FABRIC, protected["container"], protected["item"]).as_dict()
    except ResourceNotFoundError as error:
        refuse_missing_vault(protected, error)
        if not not_found(error) or _is_of_vault(error):
            raise
        return {"backup.item": ABSENT}
    return {"backup.item": read_item(wire)}


def refuse_missing_vault(protected: Protection, error: HttpResponseError) -> None:
    """Raise SetupError if it is the vault itself that is not there, and it was the operator who named it."""
    if protected["via"] == "parameter" and _is_of_vault(error):
        refused = refusal(error)
        vault, message = protected["vault_id"], cut(refused.message)
        raise SetupError("error.unknown_vault", vault=vault, code=refused.code, message=message) from None


def _is_of_vault(error: HttpResponseError) -> bool:
    """Whether it is the vault that is not there, and not only something in it."""
    return refusal(error).code.lower() in ("resourcenotfound", "resourcegroupnotfound", "vaultnotfound")


def read_item(wire: object) -> ProtectedItem:
    """``GET protectedItems/{item}``; a backup that never ran has the time 2001-01-01, which is no time."""
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
        "policy_name": text(properties, "policyName") or last_part(text(properties, "policyId")),
        "source_resource_id": text(properties, "sourceResourceId") or text(properties, "virtualMachineId"),
        "soft_deleted": flag(properties, "isScheduledForDeferredDelete") is True,
        "disk_luns": None if luns is None else [lun for lun in map(whole, luns) if lun is not None],
        "disk_luns_included": flag(exclusion, "isInclusionList"),
    }


def _health_detail(said: object) -> HealthDetail:
    return {
        "code": whole(said, "code"),
        "title": text(said, "title"),
        "message": text(said, "message"),
        "recommendations": texts(said, "recommendations"),
    }


@collector(
    "backup.vault",
    needs=("backup.protection",),
    actions=("Microsoft.RecoveryServices/Vaults/backupstorageconfig/read",),
)
def backup_vault(ask: Ask, protected: Protection) -> Answers:
    """How the vault stores backups, and whether it is in the VM's subscription."""
    subscription, group, name = vault(protected)
    configs = ask.azure.backup(subscription).backup_resource_storage_configs_non_crr
    return {"backup.vault": read_vault(configs.get(name, group).as_dict(), protected["vault_id"], ask.target.vm_id)}


def read_vault(wire: object, vault_id: str, vm_id: str) -> Vault:
    """``GET vaults/{vault}/backupstorageconfig/vaultstorageconfig``."""
    properties = inside(resource(wire), "properties")
    ids = (part_after(each, "subscriptions") or "" for each in (vault_id, vm_id))
    return {
        "redundancy": text(properties, "storageModelType") or text(properties, "storageType"),
        "cross_region_restore": flag(properties, "crossRegionRestoreFlag"),
        "same_subscription": len({each.lower() for each in ids}) == 1,
    }


@collector(
    "backup.recovery_points",
    needs=("backup.protection",),
    actions=(
        "Microsoft.RecoveryServices/Vaults/backupFabrics/protectionContainers/protectedItems/recoveryPoints/read",
    ),
)
def recovery_points(ask: Ask, protected: Protection) -> Answers:
    """The recovery points, newest first."""
    listing = points_of(ask.azure, protected)
    return {"backup.recovery_points": listed_fact(listing, listing.entries)}


def points_of(azure: Azure, protected: Protection) -> Listing:
    """The recovery points of the protected item, newest first."""
    subscription, group, name = vault(protected)
    points = azure.backup(subscription).recovery_points
    listed = points.list(name, group, _FABRIC, protected["container"], protected["item"], raw_response_hook=whole_pages)
    pages = read_pages(listed)
    read = [read_recovery_point(each.as_dict()) for each in pages.entries]
    return Listing(sorted(read, key=lambda point: point["time"] or "", reverse=True), pages.is_cut)


def read_recovery_point(wire: object) -> RecoveryPoint:
    """One recovery point of the list."""
    point = resource(wire)
    time = clock.stamp(text(point, "properties", "recoveryPointTime"))
    if time is None:
        raise Unreadable("a recovery point without a time cannot be told from the newest one")
    return {
        "name": text(point, "name") or "",
        "time": time,
        "type": text(point, "properties", "recoveryPointType"),
        "threat": text(point, "properties", "threatStatus"),
        "tiers": _valid_tiers(point),
    }


def _valid_tiers(point: object) -> list[str]:
    tiers = entries(point, "properties", "recoveryPointTierDetails")
    return [text(each, "type") or "" for each in tiers if (text(each, "status") or "").lower() == "valid"]


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
    subscription, group, name = vault(protected)
    asked = "backupManagementType eq 'AzureIaasVM' and itemType eq 'VM'"
    listed = ask.azure.backup(subscription).backup_protected_items.list(
        name, group, filter=asked, raw_response_hook=whole_pages
    )
    listing = read_pages(listed)
    read = read_neighbours([each.as_dict() for each in listing.entries], item["id"], policy)
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
        "name": last_part(item["source_resource_id"]) or item["id"].rsplit(";", 1)[-1],
        "last_backup_status": item["last_backup_status"],
        "last_backup_time": item["last_backup_time"],
    }
