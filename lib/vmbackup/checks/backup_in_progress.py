"""Addition: another backup of the VM is running."""

from __future__ import annotations

from typing import Any

from vmbackup.catalog.knowledge import number
from vmbackup.checks.base import Judgement, check, ok, problem, unknown
from vmbackup.facts.backup import FailedJob, Job, RunningJob
from vmbackup.failures.jobs import has_snapshot, is_unread, running_backup, snapshot_s


@check("backup.jobs", "backup.failed_job")
def no_other_backup_runs(jobs: list[Job] | None, job: FailedJob | None) -> Judgement:
    """No other backup of the VM ran when this one failed.

    Why: Azure takes one snapshot of a VM at a time. Jobs of another vault are not listed here; only the code tells. The
    backup that runs after a good one, or that began after the failed one ended, is the VM's own and harms none.
    """
    running = running_backup(jobs)
    if running is None:
        return unknown("job_unread") if any(map(is_unread, jobs or [])) else ok()
    shown: dict[str, Any] = {"job": running["name"], "start": running["start"]}
    if job is None:
        return ok("runs_nothing_failed", **shown)
    if running["start"] is None or job["start"] is None:
        return unknown("job_unread")
    return problem(**shown) if running["start"] < job["start"] else ok("runs_since", **shown)


@check("backup.running_job", "backup.failed_job", knows=("backup_runs_long_s",))
def no_backup_hangs(running: RunningJob | None, failed: FailedJob | None) -> Judgement:
    """No backup has been at its snapshot for hours, nor had the one that failed.

    Why: a snapshot takes minutes. Where it takes hours, the agent may wait for a frozen file system, and a restart of
    the agent helps nothing. That the copy to the vault takes hours is usual.
    """
    if running is None:
        took_s = snapshot_s(failed)
        if failed is not None and took_s is None and has_snapshot(failed):
            return unknown("snapshot_time_unknown", job=failed["name"], start=failed["start"])
        if failed is None or took_s is None or took_s <= number("backup_runs_long_s"):
            return ok()
        return unknown("hung", job=failed["name"], start=failed["start"], hours=round(took_s / 3600, 1))
    shown: dict[str, Any] = {"job": running["name"], "start": running["start"]}
    if running["running_s"] is None:
        return unknown("age_unknown", **shown)
    shown["hours"] = round(running["running_s"] / 3600, 1)
    if running["taking_snapshot"] is False or running["running_s"] <= number("backup_runs_long_s"):
        return ok("runs", **shown)
    return unknown("hangs", **shown)
