"""What the status of the Linux backup extension says, by the table of signatures. No check of its own."""

from __future__ import annotations

from vmbackup.facts.guest import GuestExtension
from vmbackup.failures.signatures import signs_of_status


def ended_well(extension: GuestExtension | None) -> bool:
    """Whether the backup extension's newest status is one of success. "success" alone is not: its code tells."""
    if extension is None or extension["status"] != "success" or extension["code"] is None:
        return False
    return not signs_of_status(extension)


def speaks_for(cause: str, extension: GuestExtension) -> bool:
    """Whether the extension's newest status speaks for this cause."""
    return any(cause in sign.causes for sign in signs_of_status(extension))
