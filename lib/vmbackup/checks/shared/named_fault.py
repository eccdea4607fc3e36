"""Judges a cause by what Azure names in the failed backup, and by what the guest shows. No check of its own."""

from __future__ import annotations

from vmbackup.checks.base import Judgement, ok, problem, unknown
from vmbackup.facts.azure import FailedJob, Job, ProtectedItem
from vmbackup.failures.named import Named, said_of
from vmbackup.model import Verdict

FAILURE = ("backup.failed_job", "backup.jobs", "backup.item")
"""The facts that every check of this kind reads, in the order of ``judged``'s parameters."""


def judged(
    cause: str,
    job: FailedJob | None,
    jobs: list[Job] | None,
    item: ProtectedItem | None,
    guest: Judgement | None = None,
    repaired: bool = False,
) -> Judgement:
    """``guest``: what the guest shows, None when it was not examined or does not decide.

    A fault seen in the guest is a problem whatever Azure says. A guest in order refutes the code only where
    ``repaired``: where the guest could not be in order now if the fault were still there.
    """
    said = said_of(cause, job, jobs, item)
    if guest is not None and (guest.verdict is Verdict.PROBLEM or (guest.verdict is Verdict.OK and repaired)):
        return guest
    if said.named is Named.IT:
        return problem(code=said.code, message=said.text)
    if guest is not None and guest.verdict is Verdict.OK:
        return guest
    if said.named is Named.ANOTHER:
        return ok("another_fault", code=said.code)
    if said.named is Named.NO_FAILURE:
        return ok("nothing_failed")
    if guest is not None:
        return guest
    return unknown("guest_only") if said.named is Named.NOTHING else unknown()
