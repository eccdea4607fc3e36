"""The retry: starts an on-demand backup, follows its job to the end, and proves whether the fault is gone.

At most nine on-demand backups per VM and day, and never two at once. If the response to a start is lost, the backup is
looked for among the jobs, never started twice.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from vmbackup import clock
from vmbackup.arm.call import calling
from vmbackup.arm.errors import RequestRefused, ResponseLost
from vmbackup.catalog import remedies as catalogue
from vmbackup.catalog.words import explain
from vmbackup.collectors import collect
from vmbackup.collectors.protected_item import read_item
from vmbackup.facts.backup import Policy, RecoveryPoint
from vmbackup.failures.jobs import RUNNING, running_backup
from vmbackup.model import Evidence, RemedyRefused, Target, Verdict, data_of, operating_system
from vmbackup.remedies.executor import ChangeContext
from vmbackup.remedies.interrupted import unended
from vmbackup.remedies.journal import Operation
from vmbackup.remedies.preflight import Refusal
from vmbackup.remedies.receipt import BACKUP, Receipt
from vmbackup.remedies.retry.backups import Backups, began, status
from vmbackup.remedies.retry.following import Following
from vmbackup.remedies.retry.order import CLOCKS_DIFFER, NotStarted, Order
from vmbackup.remedies.retry.progress import Progress
from vmbackup.remedies.retry.proof import Proof, last_good
from vmbackup.remedies.retry.schedule import next_run
from vmbackup.remedies.scope import belonging, followable
from vmbackup.remedies.values import values

ON_DEMAND_PER_DAY = 9
_ACTIVE = ("protected", "irpending", "protectionerror")
_STAYS_OPEN = ("timeout", "not_followed", "no_answer")
_ASKED_AGAIN = ("vm.model", "backup.protection", "backup.item", "backup.policy")


def back_up_now(
    context: ChangeContext,
    target: Target,
    evidence: Evidence,
    *,
    language: str = "en",
    deadline_s: float = 7200,
    on_progress: Callable[[Progress], None] | None = None,
    cancelled: Callable[[], bool] = lambda: False,
    keep: Callable[[Proof], None] = lambda proof: None,
) -> Proof:
    """Back the VM up now and say whether that proves it fixed.

    ``cancelled`` is asked at each look; once it says True the job is cancelled. ``keep`` puts the proof on file: only
    then the journal says that the backup ended, so that a killed run never has one without its proof. Raises
    RemedyRefused, with nothing started, for an unprotected VM, a running backup, a change whose end is not known, or
    the tenth backup of a day.
    """
    with calling(target.vm_id):
        return BackUpNow(context, target, evidence, language, deadline_s, on_progress, cancelled, keep).run()


class BackUpNow:
    """One backup on demand, from the order to the proof."""

    def __init__(
        self,
        context: ChangeContext,
        target: Target,
        evidence: Evidence,
        language: str,
        deadline_s: float,
        on_progress: Callable[[Progress], None] | None,
        cancelled: Callable[[], bool],
        keep: Callable[[Proof], None],
    ) -> None:
        self.context, self.arm, self.target = context, context.arm, target
        self.evidence = {**evidence, **collect(context.azure, target, only=_ASKED_AGAIN)}
        self.language, self.deadline_s = language, deadline_s
        self.on_progress, self.cancelled, self.keep = on_progress, cancelled, keep
        self.values = values(target, self.evidence, ())
        self.policy: Policy | None = data_of(self.evidence, "backup.policy")
        self.operation = ""
        self.known_points: set[str] = set()
        self.old: list[RecoveryPoint] = []

    def run(self) -> Proof:
        """From the refusals to the proof."""
        protection = self.evidence["backup.protection"]
        if not protection.answered:
            raise self._refused("unseen", message=protection.why or "-")
        if "vault_id" not in self.values:
            raise self._refused("not_protected")
        vault = belonging("vault_id", self.values, self.target, self.language)
        self.item = belonging("item_id", self.values, self.target, self.language)
        self.backups = Backups(self.context.azure, self.target, protection.data, vault)
        self.order = Order(self.context, self.target, self.backups, self.item, vault, self.language)
        try:
            job, starts = self._looked_before()
            if starts:
                job = self.order.start(self.operation, self.began)
        except NotStarted as error:
            return self._closed(Proof(Verdict.UNKNOWN, "not_started", {"code": error.code, "message": error.message}))
        except ResponseLost as error:
            return self._left_open(Proof(Verdict.UNKNOWN, "no_answer", {"message": explain(error, self.language)}))
        if job is None:
            return self._closed(Proof(Verdict.UNKNOWN, "no_job"))
        try:
            proof = self._followed(job)
        except (RequestRefused, ResponseLost) as error:
            proof = Proof(Verdict.UNKNOWN, "not_followed", {"job": job, "message": explain(error, self.language)}, job)
        return self._left_open(proof) if proof.reason in _STAYS_OPEN else self._closed(proof)

    # --- before ---

    def _looked_before(self) -> tuple[str | None, bool]:
        """The job that an earlier run began, and whether one is to be started. Raises RemedyRefused."""
        try:
            points = self.old = self.backups.points()
            self.began = self._now
            earlier, job = self._earlier()
            starts = job is None and not (earlier and earlier.accepted)
            if starts:
                self._preflight()
        except (RequestRefused, ResponseLost) as error:
            raise self._refused("unseen", message=explain(error, self.language)) from None
        self.known_points = set(_names(earlier, "points") if earlier else [each["name"] for each in points])
        self.old = [point for point in points if point["name"] in self.known_points]
        if earlier is None:
            before = {"points": sorted(self.known_points), "jobs": self.order.known_jobs, "at": clock.stamp(self.began)}
            now = clock.stamp(self.began)
            self.operation = self.context.journal.begin(BACKUP, self.item, self.target.vm_id, now, before)
        return job, starts

    def _earlier(self) -> tuple[Operation | None, str | None]:
        """What an earlier run began and did not finish, and its job. It is closed if another backup or a change came
        later, or it is older than a day: it proves nothing about today."""
        unfinished = self.context.journal.unfinished(BACKUP, self.item)
        if not unfinished:
            return None, None
        earlier = unfinished[-1]
        self.operation, self.order.known_jobs = earlier.id, _names(earlier, "jobs")
        since = clock.parse(earlier.begun_at or _text(earlier.before.get("at")))
        young = since is not None and -CLOCKS_DIFFER <= self._now - since <= timedelta(days=1)
        if since is None or not young or not earlier.sent or self.context.journal.changed_since(earlier.id):
            self._closed(Proof(Verdict.UNKNOWN, "outdated"))
            return None, None
        noted = earlier.accepted.get(0) or ""
        job = self.order.job_of(noted if followable(noted, self.values, self.target) else None)
        job = job or self.order.job_since(since)
        if job and not self._is_newest(job):
            self._closed(Proof(Verdict.UNKNOWN, "outdated", job=job))
            return None, None
        return earlier, job

    def _is_newest(self, job: str) -> bool:
        """Whether the job is still running, or ended in the last day with no other after it."""
        if status(self.backups.job(job)) in RUNNING:
            return True
        jobs = self.backups.jobs()
        return bool(jobs) and jobs[0]["name"] == job

    def _preflight(self) -> None:
        changes = unended(self.context.journal.unfinished(), self.target)
        if changes:
            raise self._refused("change_open", title=catalogue.words(changes[0].remedy, "title", self.language))
        state = read_item(self.arm.request("GET", self.item).body or {})["protection_state"] or ""
        if state.lower() not in _ACTIVE:
            raise self._refused("protection_stopped", state=state or "-")
        jobs = self.backups.jobs()
        self.order.known_jobs = [each["name"] for each in jobs]
        running = running_backup(jobs)
        if running:
            raise self._refused("backup_running", job=running["name"])
        tried = [began(each) for each in jobs if self.backups.on_demand[each["name"]]]
        if len(tried) >= ON_DEMAND_PER_DAY:
            free = clock.stamp(tried[ON_DEMAND_PER_DAY - 1] + timedelta(days=1))
            raise self._refused("too_many_backups", count=len(tried), limit=ON_DEMAND_PER_DAY, when=free)

    # --- after ---

    def _followed(self, job: str) -> Proof:
        os = operating_system(self.evidence)
        following = Following(
            self.arm, self.backups, self.target.vm_id, self.policy, os, frozenset(self.known_points),
            self.deadline_s, self.on_progress, self.cancelled, self.order.cancel,
        )  # fmt: skip
        return following.proof(job)

    @property
    def _now(self) -> datetime:
        return self.context.azure.now()

    def _dressed(self, proof: Proof) -> Proof:
        start = next_run(self.policy, self._now)
        return replace(
            proof,
            last_good=last_good(self.old, self.policy, operating_system(self.evidence)),
            next_run=clock.stamp(start) if start else None,
            next_run_h=round((start - self._now).total_seconds() / 3600, 1) if start else None,
            request_ids=tuple(filter(None, self.order.request_ids)),
        )

    def _left_open(self, found: Proof) -> Proof:
        proof = self._dressed(found)
        self.keep(proof)
        return proof

    def _closed(self, ended: Proof) -> Proof:
        proof = self._dressed(ended)
        if proof.reason != "outdated":  # another follows
            self.keep(proof)
        outcomes = {Verdict.OK: "done", Verdict.UNKNOWN: "superseded" if proof.reason == "outdated" else "unknown"}
        outcome = outcomes.get(proof.verdict, "failed")
        receipt = Receipt(
            BACKUP, self.item, outcome, self.context.audit.who, None, clock.stamp(self._now), proof.request_ids,
            {}, proof.as_json(), proof.reason,
        )  # fmt: skip
        self.context.journal.close(self.operation, receipt)
        if proof.reason not in ("outdated", "no_job"):
            self.order.finished(_job_ended(proof), proof.reason)
        return proof

    def _refused(self, key: str, **shown: Any) -> RemedyRefused:
        return RemedyRefused(Refusal(key, shown).words(self.language))


def _job_ended(proof: Proof) -> str:
    """How the job ended, in the audit's words: one that left no good point has succeeded all the same."""
    if proof.reason == "failed_again":
        return "failed" if proof.verdict is Verdict.PROBLEM else "unknown"
    return {"not_started": "failed", "cancelled": "canceled"}.get(proof.reason, "succeeded")


def _names(earlier: Operation, key: str) -> list[str]:
    """A list of names in the journal; anything else in it is left out."""
    names = earlier.before.get(key)
    return [each for each in names if isinstance(each, str)] if isinstance(names, list) else []


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
