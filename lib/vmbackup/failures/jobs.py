"""What the failed backup says about itself, for the checks whose verdict depends on it. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from vmbackup import clock
from vmbackup.facts.azure import FailedJob, Job, JobError, ProtectedItem
from vmbackup.facts.guest import GuestExtension

_NO_NETWORK_CODES = (400206,)
_NO_NETWORK_WORDS = (
    "extensionsnapshotfailednonetwork",
    "failednonetwork",
    "failedrestrictednetwork",
    "no network connectivity on the virtual machine",
    "aufgrund fehlender netzwerkkonnektivität",
)
# VMSnapshotLinux: no disk, or only some disks, could be reached through Azure Storage. Its status is "success" all the
# same on managed disks; the code tells.
_NO_NETWORK_STATUS = (15, 76, 761)
_WITHOUT_END = ("inprogress", "cancelling", "cancelled")


def backups(jobs: list[Job] | None) -> Iterator[Job]:
    """Those of the jobs that are backups: the list names restores and changes of the protection too."""
    return (each for each in jobs or [] if (each["operation"] or "").lower() == "backup")


def went_wrong(job: Job) -> bool:
    """A backup, or the configuration of one, that failed or ended with warnings."""
    about_backup = (job["operation"] or "").lower() in ("backup", "configurebackup")
    return about_backup and (job["status"] or "").lower() in ("failed", "completedwithwarnings")


def newest_finished(jobs: list[Job] | None) -> Job | None:
    """The newest backup of the list that came to an end of its own; a state that nobody knows may be one."""
    finished = [each for each in backups(jobs) if (each["status"] or "").lower() not in _WITHOUT_END]
    return max(finished, key=lambda each: each["start"] or "", default=None)


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
    good = [clock.stamp(each["start"]) for each in backups(jobs) if (each["status"] or "").lower() == "completed"]
    seen = clock.stamp(last)
    return seen is not None and seen < max(filter(None, good), default="")


def names_no_network(
    job: FailedJob | None, item: ProtectedItem | None = None, extension: GuestExtension | None = None
) -> bool | None:
    """True: Azure or the extension says it did not reach Azure Storage; False: it gives another reason; None: no word.

    The vault item's health details are asked where no job is known; a health that is good says nothing.
    """
    if extension is not None and extension["code"] in _NO_NETWORK_STATUS:
        return True
    if job is not None:
        words = [_words(error) for error in job["errors"]] + [(job["dynamic_message"] or "").lower()]
        if any(error["code"] in _NO_NETWORK_CODES for error in job["errors"]) or any(map(_is_no_network, words)):
            return True
        return False if any(words) else None
    details = item["health_details"] if item is not None else []
    named = any(
        detail["code"] in _NO_NETWORK_CODES or _is_no_network((detail["title"] or "").lower()) for detail in details
    )
    return True if named else None


def _words(error: JobError) -> str:
    return " ".join(word for word in (error["title"], error["text"]) if word).lower()


def _is_no_network(words: str) -> bool:
    return any(known in words for known in _NO_NETWORK_WORDS)
