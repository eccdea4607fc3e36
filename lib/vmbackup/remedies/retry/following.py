"""Follows a backup job to its end, and judges what it proves."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from vmbackup import clock
from vmbackup.arm.client import Arm
from vmbackup.arm.wire import inside, number
from vmbackup.collectors.failed_job import read_failed_job
from vmbackup.collectors.vm import read_power
from vmbackup.facts.backup import FailedJob, Policy, RecoveryPoint
from vmbackup.failures.jobs import RUNNING
from vmbackup.model import RunbookError, Verdict
from vmbackup.remedies.retry.backups import LONG_AGO, Backups, status
from vmbackup.remedies.retry.progress import Progress
from vmbackup.remedies.retry.proof import Proof, judge, wanted
from vmbackup.remedies.steps.vm import instance_view

_LOOKS_FOR_POINT = 3


@dataclass(frozen=True, slots=True)
class Following:
    """One running job. ``known_points`` existed before it; ``cancelled`` is asked at each look, and ``cancel`` is
    called once when it says True."""

    arm: Arm
    backups: Backups
    vm_id: str
    policy: Policy | None
    os: str | None
    known_points: frozenset[str]
    deadline_s: float
    on_progress: Callable[[Progress], None] | None
    cancelled: Callable[[], bool]
    cancel: Callable[[str], None]

    def proof(self, job: str) -> Proof:
        """What the job proves once it has ended, or that it did not end in time. Raises RequestRefused or ResponseLost
        where Azure does not say."""
        waited, asked_to_cancel = 0.0, False
        while True:
            response = self.backups.job(job)
            now_is = status(response)
            read = read_failed_job(response.body or {})
            self._tell(job, read, response.body)
            if now_is and now_is not in RUNNING:
                return replace(self._judged(now_is, read), job=job)
            if waited >= self.deadline_s:
                values = {"job": job, "minutes": round(self.deadline_s / 60)}
                return Proof(Verdict.UNKNOWN, "timeout", values, job)
            if self.cancelled() and not asked_to_cancel:
                asked_to_cancel = True
                self.cancel(job)
            wait = self.arm.wait_s(response)
            self.arm.sleep(wait)
            waited += max(wait, 0.01)

    def _tell(self, job: str, read: FailedJob, body: Mapping[str, Any]) -> None:
        if self.on_progress:
            tasks = tuple((each["name"], each["status"] or "") for each in read["tasks"])
            percent = number(inside(body, "properties", "extendedInfo", "progressPercentage"))
            self.on_progress(Progress(job, read["status"], percent, tasks))

    def _judged(self, ended: str, read: FailedJob) -> Proof:
        points: list[RecoveryPoint] = []
        for look in range(_LOOKS_FOR_POINT if ended.startswith("completed") else 0):
            if look:
                self.arm.sleep(self.arm.interval_s)
            points = [point for point in self.backups.points() if self._is_new(point, read)]
            if points:
                break
        return judge(ended, read, points, wanted(self.policy, self._power()), self.os)

    def _is_new(self, point: RecoveryPoint, read: FailedJob) -> bool:
        """A point that shows up late may be an earlier backup's; one that was made since the job began is its own."""
        made, began = (clock.parse(words) or LONG_AGO for words in (point["time"], read["start"]))
        return point["name"] not in self.known_points and made >= began

    def _power(self) -> str | None:
        try:
            return read_power(instance_view(self.arm, self.vm_id))["power"]
        except RunbookError:
            return None
