"""Addition: the guest's clock is so wrong that Azure refuses its signed requests."""

from __future__ import annotations

from vmbackup.catalog.knowledge import number
from vmbackup.checks.base import Judgement, check, guest_only, ok, problem, unknown
from vmbackup.facts.backup import FailedJob, Job
from vmbackup.facts.guest import GuestClock
from vmbackup.failures.jobs import backup_failed


@check(optional=("guest.clock", "backup.failed_job", "backup.jobs"), knows=("clock_skew_most_s",))
def guest_clock_is_right(clock: GuestClock | None, job: FailedJob | None, jobs: list[Job] | None) -> Judgement:
    """The guest's clock agrees with Azure's to a quarter of an hour, and something keeps it right.

    Why: the extension signs its requests with the time; no code of Azure names this fault. A clock that is right now
    may have been wrong when the backup failed, and one that was ever set to the future may go on to do harm.
    """
    skew_s = clock["skew_s"] if clock is not None else None
    if clock is None or skew_s is None:
        return guest_only()
    minutes, most_s = round(abs(skew_s) / 60), number("clock_skew_most_s")
    if abs(skew_s) > most_s:
        return problem(minutes=minutes, limit=most_s // 60)
    kept = clock["synchronized"] or backup_failed(job, jobs) is False
    return ok(minutes=minutes) if kept else unknown("right_now", minutes=minutes)
