"""What became of the VM's backups: whether any failed since the last good one, and which signs of that still stand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from vmbackup import clock
from vmbackup.catalog.knowledge import number
from vmbackup.facts.backup import FailedJob
from vmbackup.failures.jobs import (
    backups,
    failed_unlisted,
    is_unread,
    last_good_start,
    newest_finished,
    running_backup,
    went_wrong,
)
from vmbackup.failures.signatures import PASTED, Sign, signs
from vmbackup.model import Evidence, FactStatus, data_of

_CANCELLED = "cancelled"
_OFF = ("stopped", "deallocated")


@dataclass(frozen=True, slots=True)
class Course:
    """``last_good`` is the start of the newest good backup, ``last_bad`` of the newest that failed. ``failed``: True
    where one failed, was cancelled or ended with warnings since the good one, or the operator says so; False where none
    did; None where nobody told. ``runs_long``: one runs unusually long, or nobody told how long."""

    last_good: str | None
    last_bad: str | None
    failed: bool | None
    runs_long: bool

    @property
    def nothing_failed(self) -> bool:
        """Whether Azure said that none failed, was cancelled or hangs since the last good one."""
        return self.failed is False and not self.runs_long


def course(evidence: Evidence) -> Course:
    """The course of the VM's backups."""
    jobs = data_of(evidence, "backup.jobs")
    last_good = last_good_start(jobs)
    job = data_of(evidence, "backup.failed_job")
    bad = [clock.stamp(each["start"]) for each in (*filter(went_wrong, jobs or []), *([job] if job else []))]
    last_bad = max(filter(None, bad), default=None)
    return Course(last_good, last_bad, _failed(evidence, jobs, last_good), _runs_long(evidence, jobs))


def _failed(evidence: Evidence, jobs: Any, last_good: str | None) -> bool | None:
    failed = _is_newer(data_of(evidence, "backup.failed_job"), last_good)
    if failed or data_of(evidence, PASTED) or _refused_protection(evidence):
        return True
    if jobs is None or evidence["backup.jobs"].status is not FactStatus.OK:
        return None
    later = [each for each in jobs if (clock.stamp(each["start"]) or "") > (last_good or "")]
    cancelled = any((each["status"] or "").lower() == _CANCELLED for each in backups(later))
    if cancelled or any(map(went_wrong, later)) or failed_unlisted(jobs, data_of(evidence, "backup.item")):
        return True
    if evidence["backup.jobs"].is_cut or any(map(is_unread, jobs)):
        return None
    newest = newest_finished(jobs)
    return False if newest is None or clock.stamp(newest["start"]) == last_good else None


def _is_newer(job: FailedJob | None, last_good: str | None) -> bool:
    """Whether no good backup followed this failed one, which the operator may have named long after."""
    return job is not None and (last_good is None or (clock.stamp(job["start"]) or last_good) >= last_good)


def _refused_protection(evidence: Evidence) -> bool:
    fact = evidence.get("backup.protection")
    if fact is None or not fact.answered:
        return False
    said: Mapping[str, Any] = fact.data or {}
    return bool(said.get("error_code") or fact.details.get("errorCode") and fact.status is FactStatus.ABSENT)


def _runs_long(evidence: Evidence, jobs: Any) -> bool:
    if running_backup(jobs) is None:
        return False
    running = data_of(evidence, "backup.running_job")
    if running is None or running["running_s"] is None:
        return True
    return bool(running["taking_snapshot"] is not False and running["running_s"] > number("backup_runs_long_s"))


def open_signs(evidence: Evidence, course: Course) -> tuple[Sign, ...]:
    """The signs of a failure that still stand: newer than the last good backup, or without a time.

    What Azure says of the agent of a VM that is off is no sign.
    """
    power = data_of(evidence, "vm.power")
    off = power is not None and power["power"] in _OFF
    found = (each for each in signs(evidence) if not (off and each.where == "agent"))
    return tuple(each for each in found if _stands(each.time, course.last_good))


def _stands(time: str | None, last_good: str | None) -> bool:
    return time is None or last_good is None or time > last_good
