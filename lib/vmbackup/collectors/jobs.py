"""The VM's backup jobs of the last two weeks."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

from azure.core.exceptions import ResourceNotFoundError

from vmbackup import clock
from vmbackup.arm.client import Arm, Response
from vmbackup.arm.connection import Azure
from vmbackup.arm.errors import Unreadable
from vmbackup.arm.paging import Listing, read_pages
from vmbackup.arm.wire import entries, inside, resource, text, whole, whole_pages
from vmbackup.collectors.base import Answers, Ask, collector, listed_fact
from vmbackup.collectors.vault import refuse_missing_vault, vault_parts
from vmbackup.facts.backup import Job, Protection
from vmbackup.model import Target
from vmbackup.resource_ids import resource_name

DAYS = 14
READ_JOBS = "Microsoft.RecoveryServices/Vaults/backupJobs/read"


@collector("backup.jobs", needs=("backup.protection",), actions=(READ_JOBS,))
def jobs(ask: Ask, protected: Protection) -> Answers:
    """All jobs of this VM in its vault, newest first: backups, restores, and changes of its protection."""
    try:
        listing = jobs_of(ask.azure, ask.target, protected, operation=None)
    except ResourceNotFoundError as error:
        refuse_missing_vault(protected, error)
        raise
    return {"backup.jobs": listed_fact(listing, [read_job(wire) for wire in listing.entries])}


def jobs_of(
    azure: Azure, target: Target, protected: Protection, days: int = DAYS, operation: str | None = "Backup"
) -> Listing:
    """The VM's jobs of these days as Azure sends them, newest first: backups alone, or every operation."""
    subscription, group, name = vault_parts(protected)
    asked = job_filter(azure.now(), days=days, operation=operation)
    listing = list_jobs(azure.backup(subscription), group, name, asked)
    ours = [wire for wire in listing.entries if is_about(wire, target)]
    return Listing(sorted(ours, key=lambda wire: read_job(wire)["start"] or "", reverse=True), listing.is_cut)


def list_jobs(client: Any, group: str, vault_name: str, asked: str) -> Listing:
    """The jobs of a vault that a filter lets through, as Azure sends them."""
    paged = client.backup_jobs.list(vault_name, group, filter=asked, raw_response_hook=whole_pages)
    return read_pages(paged).as_wires()


def job_filter(now: datetime, status: str | None = None, days: int = DAYS, operation: str | None = "Backup") -> str:
    """The filter in Azure's own form: ``eq`` even for a range, UTC, twelve hours with AM or PM in any culture."""
    begin, end = now - timedelta(days=days), now + timedelta(days=1)
    parts = [f"startTime eq '{_twelve_hours(begin)}'", f"endTime eq '{_twelve_hours(end)}'"]
    parts += [f"operation eq '{operation}'"] if operation else []
    parts += ["backupManagementType eq 'AzureIaasVM'"]
    return " and ".join(parts + ([f"status eq '{status}'"] if status else []))


def _twelve_hours(moment: datetime) -> str:
    half = "AM" if moment.hour < 12 else "PM"
    return f"{moment:%Y-%m-%d %I:%M:%S} {half}"


def is_about(job: object, target: Target) -> bool:
    """Whether a job is this VM's: by resource group and name, or by the whole name where there is no group.

    Raises Unreadable for a job that names no VM: it could be any VM's.
    """
    group, name = vm_of(job)
    if not name:
        raise Unreadable("a job does not say which VM it is about")
    same_group = group is None or group.lower() == target.resource_group.lower()
    return same_group and name.lower() == target.vm_name.lower()


def vm_of(job: object) -> tuple[str | None, str | None]:
    """Resource group and name of the VM that a job is about, as far as the job says: its container has both."""
    properties = inside(job, "properties")
    container = (text(properties, "containerName") or "").split(";")
    if len(container) >= 3:
        return container[-2], container[-1]
    return None, text(properties, "entityFriendlyName") or container[-1] or None


def read_job(wire: object) -> Job:
    """One job of the list; both AzureIaaSVMJob and AzureIaaSVMJobV2."""
    job = resource(wire)
    properties = inside(job, "properties")
    first = next(iter(entries(properties, "errorDetails")), None)
    read: Job = {
        "name": text(job, "name") or resource_name(text(job, "id")),
        "operation": text(properties, "operation"),
        "status": text(properties, "status"),
        "start": clock.stamp(text(properties, "startTime")),
        "end": clock.stamp(text(properties, "endTime")),
        "error_code": whole(first, "errorCode"),
        "error_title": text(first, "errorTitle"),
        "error_text": text(first, "errorString"),
    }
    if not (read["operation"] and read["status"] and read["start"]):
        # Left out, such a job could be the one that failed, or the good one since.
        raise Unreadable(f"the job {read['name']} does not say its operation, status or start")
    return read


def job_in_full(arm: Arm, vault_id: str, name: str) -> Response:
    """One job with its errors and tasks."""
    return arm.request("GET", f"{vault_id}/backupJobs/{quote(name, safe='')}")
