"""Judges a cause by what Azure names in the failed backup, and by what the guest shows. No check of its own."""

from __future__ import annotations

from dataclasses import dataclass

from vmbackup import catalog
from vmbackup.catalog.signatures import Strength
from vmbackup.checks.base import Judgement, ok, problem, unknown
from vmbackup.facts.backup import FailedJob, Job, ProtectedItem
from vmbackup.facts.guest import GuestExtension
from vmbackup.failures.jobs import backup_failed, failed_unlisted, newest_finished
from vmbackup.failures.signatures import Sign, signs_of_failure, signs_of_status
from vmbackup.model import Verdict, Word

FAILURE = ("backup.failed_job", "backup.jobs", "backup.item")
"""The facts that every check of this kind reads, in the order of ``judged``'s parameters."""
# It says that the VM or an extension was not ready, not why: any other cause may be behind it.
_STATE = "vm_state"


class Named(Word):
    """What Azure says of one cause: it names it, it names another fault, nothing that decides, nothing failed, or we
    could not read what it says."""

    IT = "it"
    ANOTHER = "another"
    NOTHING = "nothing"
    NO_FAILURE = "no_failure"
    UNREAD = "unread"


@dataclass(frozen=True, slots=True)
class Said:
    """``id`` is the signature that was seen, ``code`` its code, ``text`` Azure's words; empty where there is none."""

    named: Named
    id: str = ""
    code: str = ""
    text: str = ""


def said_of(cause: str, job: FailedJob | None, jobs: list[Job] | None, item: ProtectedItem | None) -> Said:
    """What the failed backup says of this cause. ``job`` None: none since the last good one, or it was not read; then
    ``jobs``, the list, tells which."""
    newest, failed = newest_finished(jobs), backup_failed(job, jobs)
    if not failed and not failed_unlisted(jobs, item):
        unread = jobs is None or (newest is not None and failed is None)
        return Said(Named.UNREAD if unread else Named.NO_FAILURE)
    listed = [newest] if job is None and newest is not None else None
    # A health that is good beside a failed backup is known to lag behind: only what it finds wrong counts.
    lags = item is None or (item["last_backup_status"] or "").lower() != "failed"
    names = [sign for sign in signs_of_failure(job, listed, None if lags else item) if sign.strength is Strength.NAMES]
    own = next((sign for sign in names if cause in sign.causes), None)
    if own is not None:
        return _said(Named.IT, own)
    other = next((sign for sign in names if _is_another_fault(sign)), None)
    return _said(Named.ANOTHER, other) if other is not None else Said(Named.NOTHING)


def _is_another_fault(sign: Sign) -> bool:
    """Whether this excludes the causes that only the guest shows: it names one of the additions, and not a state that
    any of them may be behind."""
    additions = [cause for cause in sign.causes if catalog.causes()[cause]["addition"]]
    return bool(additions) and _STATE not in additions


def _said(named: Named, sign: Sign) -> Said:
    return Said(named, sign.id, sign.code, sign.text)


def names_no_network(
    job: FailedJob | None, item: ProtectedItem | None = None, extension: GuestExtension | None = None
) -> bool | None:
    """True: Azure or the extension says it did not reach Azure Storage; False: it gives another reason; None: no word.

    The vault item's health details are asked where no job is known; a health that is good says nothing.
    """
    found = signs_of_failure(job, None, item if job is None else None)
    if any("no_internet" in sign.causes for sign in (*found, *signs_of_status(extension))):
        return True
    words = [error["title"] or error["text"] for error in job["errors"]] if job is not None else []
    return False if any(words) or (job is not None and job["dynamic_message"]) else None


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


def ended_well(extension: GuestExtension | None) -> bool:
    """Whether the backup extension's newest status is one of success. "success" alone is not: its code tells."""
    if extension is None or extension["status"] != "success" or extension["code"] is None:
        return False
    return not signs_of_status(extension)


def named_by_status(cause: str, extension: GuestExtension | None) -> Sign | None:
    """The sign by which the extension's newest status names this cause."""
    found = signs_of_status(extension)
    return next((sign for sign in found if sign.strength is Strength.NAMES and cause in sign.causes), None)
