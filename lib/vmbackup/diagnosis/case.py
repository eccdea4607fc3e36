"""What holds for all causes of one VM alike: the course of its backups, and the signs of a failure that still stand."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from vmbackup import clock
from vmbackup.catalog.signatures import Strength
from vmbackup.checks.shared import agent_state
from vmbackup.failures.course import Course, course, open_signs
from vmbackup.failures.places import AZURES_OWN
from vmbackup.failures.signatures import UNRECOGNISED, Sign
from vmbackup.model import Evidence, data_of, operating_system

# What a log said before a backup that worked, under an agent that works, is history.
LOGS = ("agent_log", "extension_log", "windows_log", "serial", "event", "run_command")
_OF_THE_PLATFORM = ("guest.probe", "guest.boot_report", "guest.serial_log")


@dataclass(frozen=True, slots=True)
class Case:
    """What holds for all causes alike. ``works``: the agent reports now, and the newest backup was good; ``silent``:
    the agent does not; ``broken``: it does not, or a backup failed; ``unexplained``: nobody told that none failed, and
    no sign names what did; ``examined``: the guest script's facts are there."""

    evidence: Evidence
    os: str | None
    course: Course
    signs: tuple[Sign, ...]
    works: bool
    silent: bool
    broken: bool
    unexplained: bool
    examined: bool
    today: date | None


def case_of(evidence: Evidence) -> Case:
    """What holds for this evidence."""
    backups, power, agent = course(evidence), data_of(evidence, "vm.power"), data_of(evidence, "vm.agent")
    works = backups.nothing_failed and agent_state.reports_now(power, agent)
    silent = agent_state.is_silent(power, agent)
    broken = backups.failed is True or silent
    found = [sign for sign in open_signs(evidence, backups) if not (works and sign.where in LOGS)]
    guest = (name for name in evidence if name.startswith("guest.") and name not in _OF_THE_PLATFORM)
    examined = any(evidence[name].answered for name in guest)
    named = any(sign.strength is Strength.NAMES and len(sign.causes) == 1 for sign in found)
    unexplained = not named and not backups.nothing_failed
    heard = clock.azure_now(evidence)
    today = date.fromisoformat(heard[:10]) if heard else None
    return Case(
        evidence, operating_system(evidence), backups, tuple(found), works, silent, broken, unexplained, examined, today
    )


def nothing_failed(evidence: Evidence) -> bool:
    """Whether Azure said that no backup failed, was cancelled or hangs since the last good one; False where it was not
    told."""
    return course(evidence).nothing_failed


def pointing(signs: Iterable[Sign]) -> list[Sign]:
    """The signs that speak for a cause and do not follow from another."""
    return [sign for sign in signs if sign.causes and sign.strength is not Strength.CONSEQUENCE]


def not_understood(case: Case) -> Sign | None:
    """The first words of Azure about the failure that no signature knows: they may be about anything, unless others
    beside them name the cause."""
    own = [sign for sign in case.signs if sign.where in AZURES_OWN | {"pasted"}]
    if not case.broken or any(sign.strength is Strength.NAMES for sign in own):
        return None
    return next((sign for sign in own if sign.guessed or (sign.id == UNRECOGNISED and not sign.causes)), None)
