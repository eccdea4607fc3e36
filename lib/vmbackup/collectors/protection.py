"""Which vault protects the VM."""

from __future__ import annotations

from typing import Any

from azure.core.exceptions import HttpResponseError

from vmbackup.arm import graph
from vmbackup.arm.errors import Unreadable, as_fact
from vmbackup.arm.loading import loading
from vmbackup.arm.wire import resource, text
from vmbackup.collectors.base import Answers, Ask, collector
from vmbackup.facts.backup import Protection
from vmbackup.facts.vm import VmModel
from vmbackup.model import Fact, FactStatus, Target
from vmbackup.resource_ids import part_after, resource_name

_BACKUP_STATUS = "Microsoft.RecoveryServices/locations/backupStatus/action"
READ_ITEM = "Microsoft.RecoveryServices/Vaults/backupFabrics/protectionContainers/protectedItems/read"
_MODEL = {"fact": "vm.model"}


@collector(
    "backup.protection",
    optional=("vm.model",),
    actions=(_BACKUP_STATUS, READ_ITEM),
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
    details = {key: text(answer, key) for key in ("errorCode", "errorMessage")}
    return Fact(FactStatus.ABSENT, why="none", details={key: words for key, words in details.items() if words})


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
    with loading:
        from azure.mgmt.recoveryservicesbackup.models import BackupStatusRequest

    question = BackupStatusRequest(resource_type="VM", resource_id=ask.target.vm_id)
    return ask.azure.backup().backup_status.get(model["location"], question).as_dict()


def read_backup_status(wire: object) -> Protection | None:
    """The answer of ``backupStatus``; None when no vault protects the VM."""
    status = resource(wire)
    if (text(status, "protectionStatus") or "").lower() == "notprotected":
        return None
    vault_id, container, item = (
        text(status, "vaultId"),
        text(status, "containerName"),
        text(status, "protectedItemName"),
    )
    if not (vault_id and container and item):
        raise Unreadable("backupStatus names no vault, and does not say that there is none")
    return {
        "status": text(status, "protectionStatus"),
        "error_code": text(status, "errorCode"),
        "error_message": text(status, "errorMessage"),
        "vault_id": vault_id,
        "container": container,
        "item": item,
        "policy_name": text(status, "policyName"),
        "via": "backupStatus",
    }


def _from_graph(ask: Ask) -> Protection | None:
    words = (
        "RecoveryServicesResources | where type =~ "
        "'microsoft.recoveryservices/vaults/backupfabrics/protectioncontainers/protecteditems' "
        f"| where properties.dataSourceInfo.resourceID =~ '{graph.quoted(ask.target.vm_id)}'"
    )
    try:
        # The vault may be in another subscription than the VM.
        rows = graph.query(ask.azure, words).entries
    except HttpResponseError:
        return None
    found = [read_graph_item(row) for row in rows]
    # A VM that changed its vault is still listed in the old one, where its protection was stopped.
    return min(found, key=lambda each: "stopped" in (each["status"] or "").lower(), default=None)


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
        "item": resource_name(item_id),
        "policy_name": text(row, "properties", "policyName"),
        "via": "resource_graph",
    }
