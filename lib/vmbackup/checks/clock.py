"""Addition: the guest's clock is so wrong that Azure refuses its signed requests."""

from __future__ import annotations

from vmbackup.checks.base import Judgement, check, ok, problem
from vmbackup.checks.shared.named_fault import FAILURE, judged
from vmbackup.facts.azure import FailedJob, Job, ProtectedItem
from vmbackup.facts.guest import GuestClock

SKEW_MOST_S = 15 * 60
"""Azure Storage refuses a signed request whose time is off by more than this (STORAGE)."""


@check(optional=(*FAILURE, "guest.clock"))
def guest_clock_is_right(
    job: FailedJob | None, jobs: list[Job] | None, item: ProtectedItem | None, clock: GuestClock | None
) -> Judgement:
    """The guest's clock agrees with Azure's to a quarter of an hour.

    Why: the extension signs its requests with the time; no code of Azure names this fault.
    """
    skew_s = clock["skew_s"] if clock is not None else None
    if skew_s is None:
        return judged("clock", job, jobs, item)
    minutes = round(abs(skew_s) / 60)
    wrong = abs(skew_s) > SKEW_MOST_S
    return problem(minutes=minutes, limit=SKEW_MOST_S // 60) if wrong else ok(minutes=minutes)
