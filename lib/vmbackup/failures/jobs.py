"""What the failed backup says about itself, for the checks whose verdict depends on it. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from vmbackup import clock
from vmbackup.facts.backup import FailedJob, Job, ProtectedItem

RUNNING = ("inprogress", "cancelling")
_WITHOUT_END = ("inprogress", "cancelling", "cancelled")


def backups(jobs: list[Job] | None) -> Iterator[Job]:
    """Those of the jobs that are backups: the list names restores and changes of the protection too."""
    return (each for each in jobs or [] if (each["operation"] or "").lower() == "backup")


def is_unread(job: Job) -> bool:
    """Whether a job does not say what it does, its state, or when it began: it may be a backup that runs or failed.

    No such job is collected; evidence that was edited may hold one.
    """
    return not (job["operation"] and job["status"] and job["start"])


def running_backup(jobs: list[Job] | None) -> Job | None:
    """The first of these jobs that is a backup and not at its end; None where there is none, or no list."""
    return next((each for each in backups(jobs) if (each["status"] or "").lower() in RUNNING), None)


def went_wrong(job: Job) -> bool:
    """A backup, or the configuration of one, that failed or ended with warnings."""
    about_backup = (job["operation"] or "").lower() in ("backup", "configurebackup")
    return about_backup and (job["status"] or "").lower() in ("failed", "completedwithwarnings")


def has_snapshot(job: FailedJob) -> bool:
    """Whether a failed backup came as far as its snapshot."""
    return any(_is_snapshot(task["name"]) for task in job["tasks"])


def _is_snapshot(task: str | None) -> bool:
    return "snapshot" in (task or "").lower()


def snapshot_s(job: FailedJob | None) -> float | None:
    """How long the snapshot of a failed backup took; None where that was not told."""
    tasks = job["tasks"] if job is not None else []
    return next((task["duration_s"] for task in tasks if _is_snapshot(task["name"])), None)


def newest_finished(jobs: list[Job] | None) -> Job | None:
    """The newest backup of the list that came to an end of its own; a state that nobody knows may be one."""
    finished = [each for each in backups(jobs) if (each["status"] or "").lower() not in _WITHOUT_END]
    return max(finished, key=lambda each: each["start"] or "", default=None)


def last_good_start(jobs: list[Job] | None) -> str | None:
    """When the newest good backup of the list began, ISO 8601 UTC; None where none was good."""
    good = (clock.stamp(each["start"]) for each in backups(jobs) if (each["status"] or "").lower() == "completed")
    return max(filter(None, good), default=None)


def backup_failed(job: FailedJob | None, jobs: list[Job] | None) -> bool | None:
    """True: the newest finished backup failed; False: it was good; None: nobody told us.

    The failed job alone cannot say "nothing failed": as an optional fact it is also None when it was not answered.
    """
    if job is not None:
        return True
    newest = newest_finished(jobs)
    status = (newest["status"] or "").lower() if newest else ""
    return True if status in ("failed", "completedwithwarnings") else False if status == "completed" else None


def failed_unlisted(jobs: list[Job] | None, item: ProtectedItem | None) -> bool:
    """The vault says that the last backup failed, and lists none that ended: its job is older than the list."""
    if jobs is None or item is None or newest_finished(jobs) is not None:
        return False
    return (item["last_backup_status"] or "").lower() == "failed"


def is_over(last: str | None, jobs: list[Job] | None) -> bool:
    """Whether a backup that began after this moment was good: what a log or an event said then is history.

    False where one of the times is not known.
    """
    seen, good = clock.stamp(last), last_good_start(jobs)
    return seen is not None and good is not None and seen < good
