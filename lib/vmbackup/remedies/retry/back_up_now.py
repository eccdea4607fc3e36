"""The retry: starts an on-demand backup, follows its job to the end, and proves whether the fault is gone.

At most nine on-demand backups per VM and day, never a second one beside a running one. A backup whose start was not
answered is looked for among the jobs, never started twice.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from vmbackup.arm.client import Answer, NoAnswer, Refused
from vmbackup.checks.backup_in_progress import RUNNING
from vmbackup.facts.azure import Policy, RecoveryPoint
from vmbackup.model import Evidence, RemedyRefused, RunbookError, Target, Verdict
from vmbackup.remedies.executor import Tools
from vmbackup.remedies.journal import Operation
from vmbackup.remedies.preflight import Refusal
from vmbackup.remedies.receipt import Receipt
from vmbackup.remedies.retry.progress import Progress
from vmbackup.remedies.retry.proof import Proof, job_of, judge, last_good, wanted
from vmbackup.remedies.retry.schedule import next_run
from vmbackup.remedies.retry.vault_reads import (
    CLOCKS_DIFFER,
    iso,
    jobs_of_last_day,
    parse_time,
    recovery_points,
    started,
    status,
)
from vmbackup.remedies.steps.vm import instance_view, item_path, power
from vmbackup.remedies.values import data, values

ON_DEMAND_PER_DAY = 9
RETAIN_DAYS = 30
REMEDY = "backup_now"
_ACTIVE = ("protected", "irpending", "protectionerror")
_LOOKS_FOR_POINT = 3
_STAYS_OPEN = ("timeout", "not_followed", "no_answer")


def retry(
    tools: Tools,
    target: Target,
    evidence: Evidence,
    *,
    language: str = "en",
    deadline_s: float = 7200,
    on_progress: Callable[[Progress], None] | None = None,
    cancelled: Callable[[], bool] = lambda: False,
) -> Proof:
    """Back the VM up now and say whether that proves it fixed.

    ``cancelled`` is asked at each look; once it says True the job is cancelled. Raises RemedyRefused, with nothing
    started, for an unprotected VM, a running backup or the tenth backup of a day.
    """
    return _Retry(tools, target, evidence, language, deadline_s, on_progress, cancelled).run()


class _Retry:
    """One retry on its way."""

    def __init__(
        self,
        tools: Tools,
        target: Target,
        evidence: Evidence,
        language: str,
        deadline_s: float,
        on_progress: Callable[[Progress], None] | None,
        cancelled: Callable[[], bool],
    ) -> None:
        self.tools, self.arm, self.target, self.evidence = tools, tools.arm, target, evidence
        self.language, self.deadline_s = language, deadline_s
        self.on_progress, self.cancelled = on_progress, cancelled
        self.values = values(target, evidence, ())
        self.request_ids: list[str] = []
        self.policy: Policy | None = data(evidence, "backup.policy")
        self.operation = ""
        self.known_points: set[str] = set()
        self.known_jobs: list[str] = []
        self.old: list[RecoveryPoint] = []

    def run(self) -> Proof:
        """From the refusals to the proof."""
        if "vault_id" not in self.values:
            raise self._refused("not_protected")
        self.item, self.vault = item_path(self.values), str(self.values["vault_id"])
        try:
            job, starts = self._looked_before()
            if starts:
                job = self._start()
        except _NotStarted as error:
            return self._closed(Proof(Verdict.UNKNOWN, "not_started", {"code": error.code, "message": error.message}))
        except NoAnswer as error:
            return self._dressed(Proof(Verdict.UNKNOWN, "no_answer", {"message": str(error)}))
        if job is None:
            return self._closed(Proof(Verdict.UNKNOWN, "no_job"))
        try:
            proof = self._followed(job)
        except (Refused, NoAnswer) as error:
            proof = Proof(Verdict.UNKNOWN, "not_followed", {"job": job, "message": str(error)}, job)
        return self._dressed(proof) if proof.reason in _STAYS_OPEN else self._closed(proof)

    # --- before ---

    def _looked_before(self) -> tuple[str | None, bool]:
        """The job that an earlier run began, and whether one is to be started. Raises RemedyRefused."""
        try:
            points = self.old = self._points()
            self.began = self._now
            earlier, job = self._earlier()
            starts = job is None and not (earlier and earlier.accepted)
            if starts:
                self._preflight()
        except (Refused, NoAnswer) as error:
            raise self._refused("unseen", message=str(error)) from None
        self.known_points = set(earlier.before.get("points", []) if earlier else [each["name"] for each in points])
        self.old = [point for point in points if point["name"] in self.known_points]
        if earlier is None:
            before = {"points": sorted(self.known_points), "jobs": self.known_jobs, "at": iso(self.began)}
            self.operation = self.tools.operations.begin(REMEDY, self.item, before)
        return job, starts

    def _earlier(self) -> tuple[Operation | None, str | None]:
        """What an earlier run began and did not end, and its job. It is closed where another backup came after it, or
        its day is over: it proves nothing of today."""
        open_ = self.tools.operations.unfinished(REMEDY, self.item)
        if not open_:
            return None, None
        earlier = open_[-1]
        self.operation, self.known_jobs = earlier.id, earlier.before.get("jobs", [])
        job = None
        if earlier.sent:
            since = parse_time(str(earlier.before.get("at")))
            job = self._job_of_operation(earlier.accepted.get(0)) or self._job_since(since)
        if job and not self._is_newest(job):
            self._closed(Proof(Verdict.UNKNOWN, "outdated", job=job))
            return None, None
        return earlier, job

    def _is_newest(self, job: str) -> bool:
        """Whether the job is still running, or ended in the last day with no other after it."""
        if status(self.arm.ask("GET", f"{self.vault}/backupJobs/{job}").body or {}) in RUNNING:
            return True
        jobs = jobs_of_last_day(self.arm, self.values, self._now)
        return bool(jobs) and str(max(jobs, key=started).get("name")) == job

    def _preflight(self) -> None:
        body = self.arm.ask("GET", self.item).body
        state = str(((body or {}).get("properties") or {}).get("protectionState") or "")
        if state.lower() not in _ACTIVE:
            raise self._refused("protection_stopped", state=state or "-")
        jobs = jobs_of_last_day(self.arm, self.values, self._now)
        self.known_jobs = [str(each.get("name")) for each in jobs]
        running = next((each for each in jobs if status(each) in RUNNING), None)
        if running:
            raise self._refused("backup_running", job=str(running.get("name")))
        tried = sorted(
            str(each["properties"].get("startTime") or "") for each in jobs if each["properties"].get("isUserTriggered")
        )
        if len(tried) >= ON_DEMAND_PER_DAY:
            free = parse_time(tried[-ON_DEMAND_PER_DAY]) + timedelta(days=1)
            raise self._refused("too_many_backups", count=len(tried), limit=ON_DEMAND_PER_DAY, when=iso(free))

    # --- start ---

    def _start(self) -> str | None:
        self.tools.operations.sending(self.operation, 0)
        expiry = iso(self.began + timedelta(days=RETAIN_DAYS))
        body = {"properties": {"objectType": "IaasVMBackupRequest", "recoveryPointExpiryTimeInUTC": expiry}}
        try:
            answer = self._change("POST", f"{self.item}/backup", body)
        except Refused as error:
            raise _NotStarted(error.code, error.message) from None
        except NoAnswer:
            job = self._job_since(self.began)
            if job is None:
                raise
            return job
        self.tools.operations.accepted(self.operation, 0, answer.operation, answer.time)
        return self._job_of_operation(answer.operation) or self._job_since(self.began)

    def _change(self, method: str, path: str, body: Any = None) -> Answer:
        with self.tools.gate.opened(self.tools.audit, REMEDY):
            answer = self.arm.ask(method, path, body)
        self.request_ids.append(answer.request_id)
        return answer

    def _job_of_operation(self, url: str | None) -> str | None:
        if not url:
            return None
        try:
            ended = self.arm.follow(url, 300)
        except (Refused, NoAnswer):
            return None
        if ended.how == "failed":
            raise _NotStarted(ended.code, ended.message)
        properties = (ended.body or {}).get("properties") if isinstance(ended.body, Mapping) else None
        job = (properties or {}).get("jobId")
        return str(job) if job else None

    def _job_since(self, start: datetime) -> str | None:
        """The newest on-demand job of this VM since the order was given, and not known before it."""
        since = start - CLOCKS_DIFFER
        try:
            found = jobs_of_last_day(self.arm, self.values, self._now)
        except Refused as error:
            raise NoAnswer(str(error)) from None
        jobs = [
            each
            for each in found
            if started(each) >= since
            and each["properties"].get("isUserTriggered") is not False
            and each.get("name") not in self.known_jobs
        ]
        newest = max(jobs, key=started, default=None)
        return str(newest["name"]) if newest else None

    # --- follow ---

    def _followed(self, job: str) -> Proof:
        waited, asked_to_cancel = 0.0, False
        while True:
            answer = self.arm.ask("GET", f"{self.vault}/backupJobs/{job}")
            body = answer.body or {}
            now_is = status(body)
            self._tell(job, body)
            if now_is and now_is not in RUNNING:
                return self._judged(job, now_is, body)
            if waited >= self.deadline_s:
                shown = {"job": job, "minutes": round(self.deadline_s / 60)}
                return Proof(Verdict.UNKNOWN, "timeout", shown, job)
            if self.cancelled() and not asked_to_cancel:
                asked_to_cancel = True
                self._cancel(job)
            wait = self.arm.wait_s(answer)
            self.arm.pause(wait)
            waited += max(wait, 0.01)

    def _cancel(self, job: str) -> None:
        """Ask Azure to cancel; whether it did is seen in the job itself."""
        with suppress(Refused, NoAnswer):
            answer = self._change("POST", f"{self.vault}/backupJobs/{job}/cancel")
            if answer.operation:
                self.arm.follow(answer.operation, 300)

    def _tell(self, job: str, body: Mapping[str, Any]) -> None:
        if self.on_progress:
            properties = body.get("properties") or {}
            extended = properties.get("extendedInfo") or {}
            tasks = tuple((each["name"], str(each["status"] or "")) for each in job_of(body)["tasks"])
            percent = extended.get("progressPercentage")
            self.on_progress(
                Progress(
                    job, str(properties.get("status") or ""), float(percent) if percent is not None else None, tasks
                )
            )

    def _judged(self, job: str, ended: str, body: Mapping[str, Any]) -> Proof:
        fresh: list[RecoveryPoint] = []
        for look in range(_LOOKS_FOR_POINT if ended.startswith("completed") else 0):
            if look:
                self.arm.pause(self.arm.interval_s)
            fresh = [point for point in self._points() if self._is_new(point, started(body))]
            if fresh:
                break
        want = wanted(self.policy, self._power())
        os = (data(self.evidence, "vm.model") or {}).get("os")
        verdict, reason, shown, point, section = judge(ended, job_of(body), fresh, want, os)
        return Proof(verdict, reason, shown, job, point, want, section)

    def _is_new(self, point: RecoveryPoint, start: datetime) -> bool:
        """A point that shows up late may be an earlier backup's; one that was made since the job began is its own."""
        return point["name"] not in self.known_points and parse_time(point["time"] or "") >= start

    # --- around ---

    def _points(self) -> list[RecoveryPoint]:
        points, self._now = recovery_points(self.arm, self.item)
        return points

    def _power(self) -> str | None:
        try:
            return power(instance_view(self.arm, self.target.vm_id))
        except RunbookError:
            return None

    def _dressed(self, proof: Proof) -> Proof:
        start = next_run(self.policy, self._now)
        return replace(
            proof,
            last_good=last_good(self.old, self.policy, (data(self.evidence, "vm.model") or {}).get("os")),
            next_run=iso(start) if start else None,
            next_run_h=round((start - self._now).total_seconds() / 3600, 1) if start else None,
            request_ids=tuple(filter(None, self.request_ids)),
        )

    def _closed(self, given: Proof) -> Proof:
        proof = self._dressed(given)
        outcome = "done" if proof.fixed else "unsure" if proof.verdict is Verdict.UNKNOWN else "failed"
        point: Mapping[str, Any] = proof.point or {}
        receipt = Receipt(
            REMEDY, self.item, outcome, self.tools.audit.who, None, iso(self._now), proof.request_ids,
            {}, {"job": proof.job, "point": point.get("name"), "type": point.get("type")}, proof.reason,
        )  # fmt: skip
        self.tools.operations.close(self.operation, receipt)
        return proof

    def _refused(self, key: str, **shown: Any) -> RemedyRefused:
        return RemedyRefused(Refusal(key, shown).words(self.language))


class _NotStarted(Exception):
    """Azure did not start the backup, in its own words."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message
