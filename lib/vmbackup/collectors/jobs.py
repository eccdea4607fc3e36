"""The VM's backup jobs of the last two weeks, the newest one that failed in full, and one that runs."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from urllib.parse import quote

from azure.core.exceptions import ResourceNotFoundError

from vmbackup import clock
from vmbackup.arm.call import calling, gather
from vmbackup.arm.client import Arm, Response
from vmbackup.arm.connection import Azure
from vmbackup.arm.errors import RequestRefused, ResponseLost, Unreadable, as_fact, cut, refusal
from vmbackup.arm.paging import MOST_PAGES, Listing, read_pages
from vmbackup.arm.wire import (
    entries,
    inside,
    last_part,
    part_after,
    resource,
    span_s,
    text,
    texts,
    whole,
    whole_pages,
)
from vmbackup.collectors.base import ABSENT, Answers, Ask, collector, listed_fact
from vmbackup.collectors.protection import graph_rows, refuse_missing_vault, vault
from vmbackup.facts.backup import FailedJob, Job, JobError, JobTask, Protection, RunningJob
from vmbackup.failures.jobs import backup_failed, newest_finished, running_backup
from vmbackup.model import Fact, SetupError, Target

DAYS = 14
_IN_FULL = 100
_READ = "Microsoft.RecoveryServices/Vaults/backupJobs/read"
_BAD = ("failed", "completedwithwarnings")


@collector("backup.jobs", needs=("backup.protection",), actions=(_READ,))
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
    subscription, group, name = vault(protected)
    listing = _listed(azure.backup(subscription), group, name, job_filter(azure.now(), days=days, operation=operation))
    ours = [wire for wire in listing.entries if is_about(wire, target)]
    return Listing(sorted(ours, key=lambda wire: read_job(wire)["start"] or "", reverse=True), listing.is_cut)


def _listed(client: Any, group: str, vault_name: str, asked: str) -> Listing:
    paged = client.backup_jobs.list(vault_name, group, filter=asked, raw_response_hook=whole_pages)
    listing = read_pages(paged)
    return Listing([each.as_dict() for each in listing.entries], listing.is_cut)


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
    """Whether a job is this VM's: by resource group and name, or by its whole name where it says no more.

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
        "name": text(job, "name") or last_part(text(job, "id")) or "",
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


@collector(
    "backup.failed_job",
    needs=("backup.protection", "backup.jobs"),
    actions=(_READ,),
)
def failed_job(ask: Ask, protected: Protection, listed: list[Job]) -> Answers:
    """The job that the operator named, else the newest bad one since the last good backup, else absent.

    Raises SetupError when the vault has no job of that name, or it is another VM's.
    """
    bad = since_last_good(listed, ask.failure)
    name = ask.failure or (bad[0]["name"] if bad else None)
    if name is None:
        newest = newest_finished(listed)
        if newest is not None and backup_failed(None, listed) is None:
            raise Unreadable(f"the newest backup is in the state {newest['status']}, which says neither good nor bad")
        return {"backup.failed_job": ABSENT}
    response = job_in_full(ask.arm, protected["vault_id"], name)
    if not response.found:
        vault = last_part(protected["vault_id"])
        if ask.failure:
            raise SetupError("error.unknown_job", vault=vault, job=name)
        # The list says that it failed: that its details are gone is not the same as no failure.
        return {"backup.failed_job": as_fact(RequestRefused(response.status, "NotFound", f"no job {name} in {vault}"))}
    wire = response.body
    if ask.failure and not is_about(wire, ask.target):
        other = "/".join(filter(None, vm_of(wire)))
        raise SetupError("error.job_of_other_vm", job=name, other=other, vm=ask.target.vm_name)
    return {"backup.failed_job": read_failed_job(wire, bad[-1]["start"] if bad else None)}


@collector("backup.running_job", needs=("backup.protection", "backup.jobs"), actions=(_READ,))
def running_job(ask: Ask, protected: Protection, listed: list[Job]) -> Answers:
    """The backup that runs now and how far it is, else absent."""
    running = running_backup(listed)
    if running is None:
        return {"backup.running_job": ABSENT}
    response = job_in_full(ask.arm, protected["vault_id"], running["name"])
    return {"backup.running_job": read_running_job(running, response.body if response.found else None, ask.now)}


def read_running_job(job: Job, wire: object, now: datetime) -> RunningJob:
    """The job of the list, and ``GET backupJobs/{job}`` as far as it is there."""
    start, tasks = clock.parse(job["start"]), entries(wire, "properties", "extendedInfo", "tasksList")
    snapshot = [text(each, "status") for each in tasks if "snapshot" in (text(each, "taskId") or "").lower()]
    return {
        "name": job["name"],
        "status": job["status"],
        "start": job["start"],
        "running_s": (now - start).total_seconds() if start else None,
        "taking_snapshot": (snapshot[0] or "").lower() != "completed" if snapshot else None,
    }


def job_in_full(arm: Arm, vault_id: str, name: str) -> Response:
    """One job with its errors and tasks."""
    return arm.request("GET", f"{vault_id}/backupJobs/{quote(name, safe='')}")


def since_last_good(listed: list[Job], name: str | None = None) -> list[Job]:
    """The bad backups since the last good one, newest first; those up to the job of this name where one is given."""
    bad: list[Job] = []
    reached = name is None
    for job in sorted(listed, key=lambda each: each["start"] or "", reverse=True):
        status = (job["status"] or "").lower()
        reached = reached or job["name"].lower() == (name or "").lower()
        if not reached or (job["operation"] or "").lower() != "backup":
            continue
        if status == "completed":
            break
        if status in _BAD:
            bad.append(job)
    return bad


def read_failed_job(wire: object, first_failure: str | None = None) -> FailedJob:
    """``GET backupJobs/{job}``, with its errors and tasks."""
    job = resource(wire)
    properties = inside(job, "properties")
    extended = inside(properties, "extendedInfo")
    return {
        "name": text(job, "name") or last_part(text(job, "id")) or "",
        "status": text(properties, "status") or "",
        "start": clock.stamp(text(properties, "startTime")),
        "end": clock.stamp(text(properties, "endTime")),
        "duration_s": span_s(text(properties, "duration")),
        "errors": [_error(each) for each in entries(properties, "errorDetails")],
        "dynamic_message": text(extended, "dynamicErrorMessage"),
        "tasks": [_task(each) for each in entries(extended, "tasksList")],
        "first_failure": first_failure or clock.stamp(text(properties, "startTime")),
    }


def _error(said: object) -> JobError:
    return {
        "code": whole(said, "errorCode"),
        "title": text(said, "errorTitle"),
        "text": text(said, "errorString"),
        "recommendations": texts(said, "recommendations"),
    }


def _task(said: object) -> JobTask:
    return {
        "name": text(said, "taskId") or "",
        "status": text(said, "status"),
        # Azure writes PT0S for a task whose time it does not know, also for one that is done.
        "duration_s": span_s(text(said, "duration")) or None,
    }


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
        return as_fact(error, (_READ,), time.monotonic() - begun)
    return listed_fact(listing, sorted(rows, key=lambda row: row["time"] or "", reverse=True))


def _of_vault(azure: Azure, vault_id: str) -> Listing:
    subscription, name = part_after(vault_id, "subscriptions") or "", last_part(vault_id) or ""
    group = part_after(vault_id, "resourceGroups") or ""
    try:
        listed, is_cut = _listed(azure.backup(subscription), group, name, job_filter(azure.now(), "Failed"))
    except ResourceNotFoundError as error:
        refused = refusal(error)
        message = cut(refused.message)
        raise SetupError("error.unknown_vault", vault=vault_id, code=refused.code, message=message) from None
    listed.sort(key=lambda wire: clock.stamp(text(wire, "properties", "startTime")) or "", reverse=True)
    full = gather([partial(_in_full, Arm.on(azure), vault_id, wire) for wire in listed[:_IN_FULL]])
    return Listing(full + listed[_IN_FULL:], is_cut)


def _in_full(arm: Arm, vault_id: str, wire: Mapping[str, Any]) -> Any:
    # The list need not carry the reason of a failure; the job itself does, where it is still there.
    if entries(wire, "properties", "errorDetails"):
        return wire
    try:
        return job_in_full(arm, vault_id, text(wire, "name") or "").body or wire
    except (RequestRefused, ResponseLost):
        return wire


def _of_subscription(azure: Azure) -> Listing:
    from azure.mgmt.resourcegraph.models import QueryRequest, QueryRequestOptions

    query = (
        "RecoveryServicesResources | where type =~ 'microsoft.recoveryservices/vaults/backupjobs' "
        "| where properties.status =~ 'Failed' and properties.operation =~ 'Backup' "
        "and properties.backupManagementType =~ 'AzureIaasVM'"
    )
    rows: list[Any] = []
    following: str | None = None
    for _ in range(MOST_PAGES):
        options = QueryRequestOptions(skip_token=following)
        asked = QueryRequest(subscriptions=[azure.subscription_id], query=query, options=options)
        answer = azure.graph.resources(asked)
        rows += graph_rows(answer)
        following = answer.skip_token
        if not following:
            break
    if not rows:
        _require_subscription(azure)
    return Listing(rows, bool(following))


def _require_subscription(azure: Azure) -> None:
    """Resource Graph has no rows for a subscription that is not there, or that may not be read at all."""
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
        if group
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
