"""Addition: the guest's clock is so wrong that Azure refuses its signed requests."""

from __future__ import annotations

from vmbackup.catalog.knowledge import number
from vmbackup.checks.base import Judgement, check, ok, problem
from vmbackup.checks.shared.named_fault import FAILURE, judged
from vmbackup.facts.backup import FailedJob, Job, ProtectedItem
from vmbackup.facts.guest import GuestClock


@check(optional=(*FAILURE, "guest.clock"), knows=("clock_skew_most_s",))
def guest_clock_is_right(
    job: FailedJob | None, jobs: list[Job] | None, item: ProtectedItem | None, clock: GuestClock | None
) -> Judgement:
    """The guest's clock agrees with Azure's to a quarter of an hour.

    Why: the extension signs its requests with the time; no code of Azure names this fault.
    """
    skew_s = clock["skew_s"] if clock is not None else None
    if skew_s is None:
        return judged("clock", job, jobs, item)
    minutes, most_s = round(abs(skew_s) / 60), number("clock_skew_most_s")
    return problem(minutes=minutes, limit=most_s // 60) if abs(skew_s) > most_s else ok(minutes=minutes)
