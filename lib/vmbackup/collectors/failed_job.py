"""The newest backup job that failed, or the one that the operator named, in full."""

from __future__ import annotations

from vmbackup import clock
from vmbackup.arm.errors import RequestRefused, Unreadable, as_fact
from vmbackup.arm.wire import entries, inside, resource, span_s, text, texts, whole
from vmbackup.collectors.base import ABSENT, Answers, Ask, collector
from vmbackup.collectors.jobs import READ_JOBS, is_about, job_in_full, vm_of
from vmbackup.facts.backup import FailedJob, Job, JobError, JobTask, Protection
from vmbackup.failures.jobs import backup_failed, newest_finished
from vmbackup.model import SetupError
from vmbackup.resource_ids import resource_name

_BAD = ("failed", "completedwithwarnings")


@collector(
    "backup.failed_job",
    needs=("backup.protection", "backup.jobs"),
    actions=(READ_JOBS,),
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
        vault = resource_name(protected["vault_id"])
        if ask.failure:
            raise SetupError("error.unknown_job", vault=vault, job=name)
        # The list says that it failed: missing details do not mean that there was no failure.
        return {"backup.failed_job": as_fact(RequestRefused(response.status, "NotFound", f"no job {name} in {vault}"))}
    wire = response.body
    if ask.failure and not is_about(wire, ask.target):
        other = "/".join(filter(None, vm_of(wire)))
        raise SetupError("error.job_of_other_vm", job=name, other=other, vm=ask.target.vm_name)
    return {"backup.failed_job": read_failed_job(wire, bad[-1]["start"] if bad else None)}


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
        "name": text(job, "name") or resource_name(text(job, "id")),
        "status": text(properties, "status") or "",
        "start": clock.stamp(text(properties, "startTime")),
        "end": clock.stamp(text(properties, "endTime")),
        "duration_s": span_s(text(properties, "duration")),
        "errors": [_error(each) for each in entries(properties, "errorDetails")],
        "dynamic_message": text(extended, "dynamicErrorMessage"),
        "tasks": [_task(each) for each in entries(extended, "tasksList")],
        "first_failure": first_failure or clock.stamp(text(properties, "startTime")),
    }


def _error(wire: object) -> JobError:
    return {
        "code": whole(wire, "errorCode"),
        "title": text(wire, "errorTitle"),
        "text": text(wire, "errorString"),
        "recommendations": texts(wire, "recommendations"),
    }


def _task(wire: object) -> JobTask:
    return {
        "name": text(wire, "taskId") or "",
        "status": text(wire, "status"),
        # Azure writes PT0S for a task of unknown duration, even if it is done.
        "duration_s": span_s(text(wire, "duration")) or None,
    }
