"""Addition: another backup of the VM is running."""

from __future__ import annotations

from vmbackup.checks.base import Judgement, check, ok, problem, unknown
from vmbackup.facts import FailedJob, Job, ProtectedItem
from vmbackup.named_fault import Named, said_of

_RUNNING = ("inprogress", "cancelling")


@check("backup.jobs", optional=("backup.failed_job", "backup.item"))
def no_other_backup_runs(jobs: list[Job] | None, job: FailedJob | None, item: ProtectedItem | None) -> Judgement:
    """No other backup of the VM runs, in this vault or in an older one.

    Why: Azure takes one snapshot of a VM at a time. Jobs of another vault are not listed here; only the code tells.
    """
    for listed in jobs or []:
        if (listed["status"] or "").lower() in _RUNNING and (listed["operation"] or "").lower() == "backup":
            return problem(job=listed["name"], start=listed["start"])
    if said_of("backup_in_progress", job, jobs, item).named is Named.IT:
        return unknown()
    return ok()
