"""How far the guest's facts reach: whether a list is whole, and whether logs and status are of the failed backup.

That something bad was not seen proves the good state only where it would have been seen. No check of its own.
"""

from __future__ import annotations

from vmbackup import clock
from vmbackup.facts.backup import FailedJob, Job
from vmbackup.facts.guest import GuestExtension, GuestLogs
from vmbackup.failures.jobs import newest_finished


def whole(cut: list[str] | None, *lists: str) -> bool:
    """Whether these lists of a fact are known to be complete; ``cut`` is what the fact says of its lists."""
    return cut is not None and not set(lists) & set(cut)


def reaches_back(logs: GuestLogs | None, log: str, job: FailedJob | None, jobs: list[Job] | None) -> bool:
    """Whether this log was read from before the failed backup began, so that its lines of that time were seen."""
    since = (logs["since"] if logs is not None else None) or {}
    return _not_after(since.get(log), _begun(job, jobs))


def is_of_the_failed_backup(extension: GuestExtension | None, job: FailedJob | None, jobs: list[Job] | None) -> bool:
    """Whether the extension wrote its newest status in the failed backup or later: else it is of an earlier run."""
    return extension is not None and _not_after(_begun(job, jobs), extension["at"])


def _begun(job: FailedJob | None, jobs: list[Job] | None) -> str | None:
    newest = newest_finished(jobs)
    return job["start"] if job is not None else newest["start"] if newest is not None else None


def _not_after(first: str | None, second: str | None) -> bool:
    earlier, later = clock.stamp(first), clock.stamp(second)
    return earlier is not None and later is not None and earlier <= later
