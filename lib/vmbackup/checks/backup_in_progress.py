"""Addition: another backup of the VM is running."""

from __future__ import annotations

from typing import Any

from vmbackup.checks.base import Judgement, check, ok, problem, unknown
from vmbackup.checks.shared.named_fault import Named, said_of
from vmbackup.facts.backup import FailedJob, Job, ProtectedItem
from vmbackup.failures.jobs import backup_failed, running_backup


@check("backup.jobs", optional=("backup.failed_job", "backup.item"))
def no_other_backup_runs(jobs: list[Job] | None, job: FailedJob | None, item: ProtectedItem | None) -> Judgement:
    """No other backup of the VM runs, in this vault or in an older one.

    Why: Azure takes one snapshot of a VM at a time. Jobs of another vault are not listed here; only the code tells. The
    backup that runs after a good one is the VM's own, and harms none.
    """
    running = running_backup(jobs)
    if running is not None:
        shown: dict[str, Any] = {"job": running["name"], "start": running["start"]}
        return ok("runs_nothing_failed", **shown) if backup_failed(job, jobs) is False else problem(**shown)
    if said_of("backup_in_progress", job, jobs, item).named is Named.IT:
        return unknown()
    return ok()
