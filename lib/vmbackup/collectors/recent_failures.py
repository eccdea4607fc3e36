"""The failed backup jobs of a vault or a whole subscription, one row each, for the start notebook."""

from __future__ import annotations

import time
from collections.abc import Mapping
from functools import partial
from typing import Any

from azure.core.exceptions import ResourceNotFoundError

from vmbackup import clock
from vmbackup.arm import graph
from vmbackup.arm.call import calling, gather
from vmbackup.arm.client import Arm
from vmbackup.arm.connection import Azure
from vmbackup.arm.errors import RequestRefused, ResponseLost, as_fact, cut, refusal
from vmbackup.arm.paging import Listing
from vmbackup.arm.wire import entries, inside, resource, text
from vmbackup.collectors.base import listed_fact
from vmbackup.collectors.failed_job import read_failed_job
from vmbackup.collectors.jobs import READ_JOBS, job_filter, job_in_full, list_jobs, vm_of
from vmbackup.facts.backup import JobError
from vmbackup.model import Fact, SetupError
from vmbackup.resource_ids import part_after, resource_group, resource_name

_IN_FULL = 100


def failed_jobs(azure: Azure, vault_id: str | None = None, deadline_s: float = 120) -> Fact:
    """Failed backup jobs of the last 14 days, newest first: of one vault, or of the subscription by Resource Graph.

    The fact's data are rows ``{name, vm_name, vm_id, vault_id, time, code, title, text}``; ``vm_id`` is None where no
    job names it. Raises SetupError when nobody is signed in, or the vault or subscription does not exist.
    """
    begun = time.monotonic()
    try:
        with calling(deadline_s=deadline_s):
            listing = _of_vault(azure, vault_id) if vault_id else _of_subscription(azure)
        rows = [read_failed_row(wire) for wire in listing.entries]
    except Exception as error:
        return as_fact(error, (READ_JOBS,), time.monotonic() - begun)
    return listed_fact(listing, sorted(rows, key=lambda row: row["time"] or "", reverse=True))


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


def _of_subscription(azure: Azure) -> Listing:
    words = (
        "RecoveryServicesResources | where type =~ 'microsoft.recoveryservices/vaults/backupjobs' "
        "| where properties.status =~ 'Failed' and properties.operation =~ 'Backup' "
        "and properties.backupManagementType =~ 'AzureIaasVM'"
    )
    listing = graph.query(azure, words, [azure.subscription_id])
    if not listing.entries:
        _require_subscription(azure)
    return listing


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
