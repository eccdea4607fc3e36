"""The failed backup jobs of a vault, a subscription or one VM, and each VM's last backups, for the start notebook."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from azure.core.exceptions import ResourceNotFoundError

from vmbackup import clock
from vmbackup.arm import graph
from vmbackup.arm.call import gather
from vmbackup.arm.client import Arm
from vmbackup.arm.connection import Azure
from vmbackup.arm.errors import RequestRefused, ResponseLost, cut, refusal
from vmbackup.arm.paging import Listing, read_pages
from vmbackup.arm.wire import entries, inside, resource, text, whole_pages
from vmbackup.collectors.base import list_as_fact
from vmbackup.collectors.failed_job import read_failed_job
from vmbackup.collectors.jobs import READ_JOBS, job_filter, job_in_full, list_jobs, vm_of
from vmbackup.collectors.protected_item import read_item
from vmbackup.collectors.protection import READ_ITEM
from vmbackup.facts.backup import JobError
from vmbackup.model import Fact, SetupError
from vmbackup.resource_ids import part_after, resource_group, resource_name

_IN_FULL = 100
_RECOVERY_SERVICES = "RecoveryServicesResources | where type =~ 'microsoft.recoveryservices/"


def failed_jobs(azure: Azure, vault_id: str | None = None, vm_id: str | None = None, deadline_s: float = 120) -> Fact:
    """Failed backup jobs of the last 14 days, newest first: of one vault, else of the subscription by Resource Graph;
    of one VM alone where it is named.

    The fact's data are rows ``{name, vm_name, vm_id, vault_id, time, code, title, text}``; ``vm_id`` is None where no
    job names it. Raises SetupError when nobody is signed in, or the vault or subscription does not exist.
    """

    def rows() -> Listing:
        listing = _of_vault(azure, vault_id) if vault_id else _of_subscription(azure, vm_id)
        return Listing([read_failed_row(wire) for wire in listing.entries], listing.is_cut)

    fact = _listed(rows, vm_id, READ_JOBS, deadline_s)
    if fact.answered:
        fact.data.sort(key=lambda row: row["time"] or "", reverse=True)
    return fact


def last_backups(azure: Azure, vault_id: str | None = None, vm_id: str | None = None, deadline_s: float = 120) -> Fact:
    """When each protected VM was last backed up, of the same VMs as :func:`failed_jobs`.

    Rows ``{vm_id, last_good, completed}``: the time of the newest recovery point, and when the last backup began, if
    it completed.
    """

    def rows() -> Listing:
        if not vault_id:
            words = _RECOVERY_SERVICES + "vaults/backupfabrics/protectioncontainers/protecteditems'"
            listing = graph.query(azure, words + _about(vm_id), _scope(azure, vm_id))
        else:
            items = azure.backup(part_after(vault_id, "subscriptions")).backup_protected_items
            asked = "backupManagementType eq 'AzureIaasVM' and itemType eq 'VM'"
            name, group = resource_name(vault_id), resource_group(vault_id)
            listing = read_pages(items.list(name, group, filter=asked, raw_response_hook=whole_pages)).as_wires()
        return Listing([_read_backup(wire) for wire in listing.entries], listing.is_cut)

    return _listed(rows, vm_id, READ_ITEM, deadline_s)


def _listed(rows: Callable[[], Listing], vm_id: str | None, action: str, deadline_s: float) -> Fact:
    """The rows as a fact, those about this VM alone where one is named."""
    fact = list_as_fact(rows, (action,), deadline_s)
    if not fact.answered or vm_id is None:
        return fact
    return replace(fact, data=[row for row in fact.data if (row["vm_id"] or "").lower() == vm_id.lower()])


def _read_backup(wire: object) -> dict[str, Any]:
    item = read_item(wire)
    completed = (item["last_backup_status"] or "").lower() == "completed"
    return {
        "vm_id": text(wire, "properties", "dataSourceInfo", "resourceID") or item["source_resource_id"],
        "last_good": item["last_recovery_point"],
        "completed": item["last_backup_time"] if completed else None,
    }


def _of_vault(azure: Azure, vault_id: str) -> Listing:
    subscription, name = part_after(vault_id, "subscriptions"), resource_name(vault_id)
    group = resource_group(vault_id)
    try:
        listed, is_cut = list_jobs(azure.backup(subscription), group, name, job_filter(azure.now(), "Failed"))
    except ResourceNotFoundError as error:
        refused = refusal(error)
        message = cut(refused.message)
        raise SetupError("error.unknown_vault", vault=vault_id, code=refused.code, message=message) from None
    listed.sort(key=lambda wire: clock.stamp(text(wire, "properties", "startTime")) or "", reverse=True)
    full = gather([partial(_in_full, Arm.on(azure), vault_id, wire) for wire in listed[:_IN_FULL]])
    return Listing(full + listed[_IN_FULL:], is_cut)


def _in_full(arm: Arm, vault_id: str, wire: Mapping[str, Any]) -> Any:
    # The list may lack the reason of a failure; the job itself has it, as long as it exists.
    if entries(wire, "properties", "errorDetails"):
        return wire
    try:
        return job_in_full(arm, vault_id, text(wire, "name") or "").body or wire
    except (RequestRefused, ResponseLost):
        return wire


def _of_subscription(azure: Azure, vm_id: str | None) -> Listing:
    words = (
        _RECOVERY_SERVICES + "vaults/backupjobs' "
        "| where properties.status =~ 'Failed' and properties.operation =~ 'Backup' "
        "and properties.backupManagementType =~ 'AzureIaasVM'"
    )
    listing = graph.query(azure, words + _about(vm_id), _scope(azure, vm_id))
    if not listing.entries:
        _require_subscription(azure)
    return listing


def _about(vm_id: str | None) -> str:
    return f" | where properties.dataSourceInfo.resourceID =~ '{graph.quoted(vm_id)}'" if vm_id else ""


def _scope(azure: Azure, vm_id: str | None) -> list[str] | None:
    # A VM's vault may be in another subscription than the VM.
    return None if vm_id else [azure.subscription_id]


def _require_subscription(azure: Azure) -> None:
    """Resource Graph has no rows for a subscription that does not exist, or that may not be read."""
    try:
        Arm.on(azure).request("GET", f"/subscriptions/{azure.subscription_id}")
    except RequestRefused as error:
        if error.code.lower() != "subscriptionnotfound":
            raise
        raise SetupError("error.unknown_subscription", subscription=azure.subscription_id) from None


def read_failed_row(wire: object) -> dict[str, Any]:
    """One failed job as a row of the start notebook."""
    job, read = resource(wire), read_failed_job(wire)
    properties = inside(job, "properties")
    job_id = text(job, "id") or ""
    # Resource Graph may write ids in small letters.
    cut = job_id.lower().find("/backupjobs/")
    vault_id = job_id[:cut] if cut >= 0 else job_id
    group, name = vm_of(job)
    error: JobError | None = read["errors"][0] if read["errors"] else None
    subscription = part_after(vault_id, "subscriptions")
    named = text(properties, "dataSourceInfo", "resourceID") or text(properties, "virtualMachineId")
    built = (
        f"/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.Compute/virtualMachines/{name}"
        if group and subscription
        else None
    )
    return {
        "name": read["name"],
        "vm_name": text(properties, "entityFriendlyName") or name or "",
        "vm_id": named or built,
        "vault_id": vault_id,
        "time": read["start"],
        "code": error["code"] if error else None,
        "title": error["title"] if error else None,
        "text": (error["text"] if error else None) or read["dynamic_message"],
    }
