"""The retry: starts an on-demand backup, follows its job to the end, and proves whether the fault is gone.

At most nine on-demand backups per VM and day, never a second one beside a running one. A backup whose start was not
answered is looked for among the jobs, never started twice.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from vmbackup.arm import Answer, NoAnswer, Refused
from vmbackup.backup_reads import CLOCKS_DIFFER, iso, jobs_of_last_day, parse_time, recovery_points, started, status
from vmbackup.facts import Policy, RecoveryPoint
from vmbackup.model import Evidence, RemedyRefused, RunbookError, Target, Verdict
from vmbackup.proof import APPLICATION, Proof, job_of, judge, wanted
from vmbackup.remedies.do import instance_view, item_path, power
from vmbackup.remedies.doing import Tools
from vmbackup.remedies.preflight import Refusal
from vmbackup.remedies.receipt import Operation, Receipt
from vmbackup.remedies.values import data, values
from vmbackup.schedule import next_run

ON_DEMAND_PER_DAY = 9
RETAIN_DAYS = 30
REMEDY = "backup_now"
_ACTIVE = ("protected", "irpending", "protectionerror")
_RUNNING = ("inprogress", "cancelling")
_LOOKS_FOR_POINT = 3


@dataclass(frozen=True, slots=True)
class Progress:
    """How the job goes on: ``status``, ``percent`` (None: Azure does not say) and ``tasks`` as ``(name, status)``."""

    job: str
    status: str
    percent: float | None
    tasks: tuple[tuple[str, str], ...]


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

    def run(self) -> Proof:
        """From the refusals to the proof."""
        if "vault_id" not in self.values:
            raise self._refused("not_protected")
        self.item, self.vault = item_path(self.values), str(self.values["vault_id"])
        open_ = self.tools.operations.unfinished(REMEDY, self.item)
        earlier = open_[-1] if open_ else None
        before = self._points()
        now = self._now
        seen = list(earlier.before.get("points", [])) if earlier else [point["name"] for point in before]
        old = [point for point in before if point["name"] in seen]
        if earlier is None or not earlier.sent:
            self._preflight(now)
        name = (
            earlier.id if earlier else self.tools.operations.begin(REMEDY, self.item, {"points": seen, "at": iso(now)})
        )
        try:
            job = self._continued(earlier) if earlier and earlier.sent else self._start(name, now)
        except Refused as error:
            proof = Proof(Verdict.UNKNOWN, "not_started", {"code": error.code, "message": error.message})
            return self._closed(name, self._dressed(proof, old, now))
        if job is None:
            return self._closed(name, self._dressed(Proof(Verdict.UNKNOWN, "no_job"), old, now))
        proof = self._followed(job, set(seen), old, now)
        return proof if proof.reason == "timeout" else self._closed(name, proof)

    # --- before ---

    def _preflight(self, now: datetime) -> None:
        body = self.arm.ask("GET", self.item).body
        state = str(((body or {}).get("properties") or {}).get("protectionState") or "")
        if state.lower() not in _ACTIVE:
            raise self._refused("protection_stopped", state=state or "-")
        jobs = jobs_of_last_day(self.arm, self.values, now)
        running = next((each for each in jobs if status(each) in _RUNNING), None)
        if running:
            raise self._refused("backup_running", job=str(running.get("name")))
        tried = sorted(
            str(each["properties"].get("startTime") or "") for each in jobs if each["properties"].get("isUserTriggered")
        )
        if len(tried) >= ON_DEMAND_PER_DAY:
            free = parse_time(tried[-ON_DEMAND_PER_DAY]) + timedelta(days=1)
            raise self._refused("too_many_backups", count=len(tried), limit=ON_DEMAND_PER_DAY, when=iso(free))

    # --- start ---

    def _start(self, name: str, now: datetime) -> str | None:
        self.tools.operations.sending(name, 0)
        expiry = iso(now + timedelta(days=RETAIN_DAYS))
        body = {"properties": {"objectType": "IaasVMBackupRequest", "recoveryPointExpiryTimeInUTC": expiry}}
        try:
            answer = self._change("POST", f"{self.item}/backup", body)
        except NoAnswer:
            job = self._job_since(now)
            if job is None:
                raise
            return job
        self.tools.operations.accepted(name, 0, answer.operation, answer.time)
        return self._job_of_operation(answer.operation) or self._job_since(now)

    def _continued(self, earlier: Operation) -> str | None:
        since = parse_time(str(earlier.before.get("at")))
        return self._job_of_operation(earlier.accepted.get(0)) or self._job_since(since)

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
            raise Refused(0, ended.code, ended.message)
        properties = (ended.body or {}).get("properties") if isinstance(ended.body, Mapping) else None
        job = (properties or {}).get("jobId")
        return str(job) if job else None

    def _job_since(self, start: datetime) -> str | None:
        """The newest on-demand job of this VM since the order was given."""
        since = start - CLOCKS_DIFFER
        jobs = [
            each
            for each in jobs_of_last_day(self.arm, self.values, self._now)
            if started(each) >= since and each["properties"].get("isUserTriggered") is not False
        ]
        newest = max(jobs, key=lambda each: str(each["properties"].get("startTime")), default=None)
        return str(newest["name"]) if newest else None

    # --- follow ---

    def _followed(self, job: str, seen: set[str], old: list[RecoveryPoint], now: datetime) -> Proof:
        waited, asked_to_cancel = 0.0, False
        while True:
            answer = self.arm.ask("GET", f"{self.vault}/backupJobs/{job}")
            body = answer.body or {}
            now_is = status(body)
            self._tell(job, body)
            if now_is and now_is not in _RUNNING:
                return self._judged(job, now_is, body, seen, old)
            if waited >= self.deadline_s:
                shown = {"job": job, "minutes": round(self.deadline_s / 60)}
                return self._dressed(Proof(Verdict.UNKNOWN, "timeout", shown, job), old, now)
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

    def _judged(self, job: str, ended: str, body: Mapping[str, Any], seen: set[str], old: list[RecoveryPoint]) -> Proof:
        fresh: list[RecoveryPoint] = []
        for look in range(_LOOKS_FOR_POINT if ended.startswith("completed") else 0):
            if look:
                self.arm.pause(self.arm.interval_s)
            fresh = [point for point in self._points() if point["name"] not in seen]
            if fresh:
                break
        want = wanted(self.policy, self._power())
        os = (data(self.evidence, "vm.model") or {}).get("os")
        verdict, reason, shown, point, section = judge(ended, job_of(body), fresh, want, os)
        proof = Proof(verdict, reason, shown, job, point, want, section)
        return self._dressed(proof, old, self._now)

    # --- around ---

    def _points(self) -> list[RecoveryPoint]:
        points, self._now = recovery_points(self.arm, self.item)
        return points

    def _power(self) -> str | None:
        try:
            return power(instance_view(self.arm, self.target.vm_id))
        except RunbookError:
            return None

    def _dressed(self, proof: Proof, old: list[RecoveryPoint], now: datetime) -> Proof:
        start = next_run(self.policy, now)
        return replace(
            proof,
            last_good=last_good(old, self.policy, (data(self.evidence, "vm.model") or {}).get("os")),
            next_run=iso(start) if start else None,
            next_run_h=round((start - now).total_seconds() / 3600, 1) if start else None,
            request_ids=tuple(filter(None, self.request_ids)),
        )

    def _closed(self, name: str, proof: Proof) -> Proof:
        outcome = "done" if proof.fixed else "unsure" if proof.verdict is Verdict.UNKNOWN else "failed"
        point: Mapping[str, Any] = proof.point or {}
        receipt = Receipt(
            REMEDY, self.item, outcome, self.tools.audit.who, None, iso(self._now), proof.request_ids,
            {}, {"job": proof.job, "point": point.get("name"), "type": point.get("type")}, proof.reason,
        )  # fmt: skip
        self.tools.operations.close(name, receipt)
        return proof

    def _refused(self, key: str, **shown: Any) -> RemedyRefused:
        return RemedyRefused(Refusal(key, shown).words(self.language))


def last_good(points: list[RecoveryPoint], policy: Policy | None, os: str | None) -> RecoveryPoint | None:
    """The newest point that is as consistent as the policy wants it; None when there is none."""
    good = {*APPLICATION, *(["filesystemconsistent"] if os == "linux" else [])}
    if wanted(policy, "running") == "crash":
        good |= {"filesystemconsistent", "crashconsistent"}
    fit = [point for point in points if (point["type"] or "").lower() in good]
    return max(fit, key=lambda point: point["time"] or "", default=None)
