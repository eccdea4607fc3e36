"""Executes a remedy: each request is noted before and after it is sent, and the result is verified at the end.

A remedy that was interrupted is continued, not repeated; a lost response is resolved by observation.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from vmbackup import catalog, clock
from vmbackup.arm.audit import Audit, allow_changes
from vmbackup.arm.client import Arm, OperationResult
from vmbackup.arm.errors import RequestRefused, ResponseLost
from vmbackup.catalog.words import explain
from vmbackup.model import Evidence, Finding, RemedyRefused
from vmbackup.remedies.journal import Journal
from vmbackup.remedies.plan import Plan
from vmbackup.remedies.preflight import Refusal
from vmbackup.remedies.receipt import Receipt
from vmbackup.remedies.scope import followable, permitted
from vmbackup.remedies.steps import guest
from vmbackup.remedies.steps.registry import requests
from vmbackup.remedies.steps.request import Observation, Request

if TYPE_CHECKING:
    from vmbackup.arm.connection import Azure

LOOKS_AFTERWARDS = 10
DETACHED_S = 45
"""Guest scripts that stop the agent do so half a minute after they answer; an older report proves nothing."""


@dataclass(frozen=True, slots=True)
class ChangeContext:
    """What a change needs: the connection and its client, the audit, the journal, and the diagnosis that says
    what is wrong in fresh evidence.

    ``before_send`` is called before each changing request: it raises RemedyRefused once this process no longer holds
    the locks, and tells other processes that the VM is being changed.
    """

    azure: Azure
    arm: Arm
    audit: Audit
    journal: Journal
    judge: Callable[[Evidence], Iterable[Finding]]
    before_send: Callable[[], None] = lambda: None


def execute(plan: Plan, context: ChangeContext, deadline_s: float, on_wait: Callable[[], None] | None) -> Receipt:
    """Execute the plan without further checks (``apply`` has made them). Returns the receipt."""
    return Executor(plan, context, deadline_s, on_wait).run()


class Executor:
    """One remedy while it is executed."""

    def __init__(
        self, plan: Plan, context: ChangeContext, deadline_s: float, on_wait: Callable[[], None] | None
    ) -> None:
        self.plan, self.context, self.deadline_s, self.on_wait = plan, context, deadline_s, on_wait
        self.arm, self.journal = context.arm, context.journal
        self.requests = requests(plan)
        self.is_guest = plan.entry["kind"] == "guest_script"
        self.operation = ""
        self.request_ids: list[str] = []
        self.started_at: str | None = None
        self.ended_at: str | None = None
        self.acted = False
        self.report = guest.Report("silent")

    def run(self) -> Receipt:
        """From the first observation to the receipt."""
        earlier = self.plan.continues
        before = dict(earlier.before) if earlier else self._before()
        self.ended_at = earlier.accepted_at if earlier else None
        self.operation = earlier.id if earlier else self._begin(before)
        code = message = ""
        try:
            outcome = self._all()
        except (RequestRefused, ResponseLost) as error:
            # No observation tells its outcome. Not closed: the next run finds the open operation and continues.
            return self._receipt("unknown", before, {}, "", explain(error, self.plan.language))
        except RemedyRefused as error:
            if not self.acted:
                raise
            return self._receipt("unknown", before, {}, "", explain(error, self.plan.language))
        except _Ended as end:
            outcome, code, message = end.outcome, end.code, end.message
        receipt = self._receipt(outcome, before, self._after(), code, message)
        if (outcome, code) != ("unknown", "timeout"):
            self.journal.close(self.operation, receipt)
        return receipt

    def _begin(self, before: Mapping[str, Any]) -> str:
        plan, now = self.plan, clock.stamp(self.context.azure.now())
        return self.journal.begin(plan.remedy, plan.resource, plan.target.vm_id, now, before, plan.cures)

    def _all(self) -> str:
        with self.context.azure.alone(self.plan.target.vm_id) if self.is_guest else nullcontext():
            for number, request in enumerate(self.requests):
                self._one(number, request)
        if self.is_guest:
            return self._verified()
        return "done" if self.acted or self.plan.continues else "already"

    def _one(self, number: int, request: Request) -> None:
        earlier = self.plan.continues
        if earlier and any(later > number for later in earlier.sent):
            return
        if earlier and number in earlier.accepted and self._followed(request, earlier.accepted[number]):
            return
        seen = request.observe(self.arm)
        if seen.state == "running":
            seen = self._wait(request)
        if seen.state == "done":
            return
        if earlier and number in earlier.sent and not request.repeatable:
            raise self._ended("unknown", "sent_before")
        self._send(number, request, seen)

    def _followed(self, request: Request, url: str) -> bool:
        """Whether an operation that an earlier run noted has succeeded; if Azure no longer knows it, the resource is
        observed."""
        if not url:
            return not request.repeatable
        if not followable(url, self.plan.values, self.plan.target):
            return False
        try:
            ended = self.arm.poll(url, self.deadline_s, self.on_wait)
        except RequestRefused as error:
            if error.status in (404, 410):
                return False
            raise
        self._judge(ended)
        return True

    def _send(self, number: int, request: Request, seen: Observation) -> None:
        if (request.method, request.path) not in permitted(self.plan):
            raise RemedyRefused(
                Refusal("out_of_scope", {"name": request.method, "value": request.path}).words(self.plan.language)
            )
        self.context.before_send()
        self.journal.sending(self.operation, number)
        self.acted = True
        try:
            with allow_changes(self.context.audit, self.plan.remedy) as permit:
                body = request.body(seen.body) if request.body else None
                response = self.arm.request(request.method, request.path, body)
        except RequestRefused as error:
            raise _Ended("failed", error.code, error.message) from None
        except ResponseLost:
            if request.repeatable and self._arrived(request):
                return
            raise
        self.request_ids.append(response.request_id)
        self.started_at = self.started_at or response.time
        self.ended_at = response.time
        self.journal.accepted(self.operation, number, response.operation, response.time)
        ended = OperationResult("succeeded", body=response.body)
        if response.operation:
            ended = self.arm.poll(response.operation, self.deadline_s, self.on_wait)
            self.context.audit.finished(permit.row, ended.how, f"{ended.code} {ended.message}".strip())
            if self.is_guest:
                ended = self.arm.result(response, ended)
        self._judge(ended)
        if request.repeatable:
            self._settle(request)

    def _arrived(self, request: Request) -> bool:
        """The response was lost: observe whether Azure acts on the request. False when nothing shows that it
        arrived."""
        seen = request.observe(self.arm)
        if seen.state == "running":
            seen = self._wait(request)
        return seen.state == "done"

    def _settle(self, request: Request) -> None:
        """Azure reported success: the change must be visible, although lists may lag behind for a while."""
        for _ in range(LOOKS_AFTERWARDS):
            if (request.proof or request.observe)(self.arm).state == "done":
                return
            self.arm.sleep(self.arm.interval_s)
        raise self._ended("unknown", "not_shown")

    def _wait(self, request: Request) -> Observation:
        waited = 0.0
        seen = request.observe(self.arm)
        while seen.state == "running":
            if waited >= self.deadline_s:
                raise self._ended("unknown", "timeout", seconds=round(self.deadline_s))
            if self.on_wait:
                self.on_wait()
            self.arm.sleep(self.arm.interval_s)
            waited += max(self.arm.interval_s, 0.01)
            seen = request.observe(self.arm)
        return seen

    def _judge(self, ended: OperationResult) -> None:
        if self.is_guest:
            self.report = guest.read(self.plan.remedy, ended)
        if ended.how == "timeout":
            raise self._ended("unknown", "timeout", seconds=round(self.deadline_s))
        if ended.how != "succeeded":
            raise _Ended("failed", ended.code or ended.how, ended.message)

    def _verified(self) -> str:
        """The guest's own word, and for a script that restarts the agent the agent's next report."""
        report = self.report
        if report.outcome in ("done", "already"):
            return report.outcome
        if report.outcome == "failed":
            raise _Ended("failed", "script", report.note)
        if report.outcome == "silent":
            raise _Ended("unknown", "no_outcome", report.note) if report.note else self._ended("unknown", "no_outcome")
        if guest.agent_is_back(self.arm, self.plan.target.vm_id, _later(self.ended_at, DETACHED_S), self.deadline_s):
            return "done"
        raise self._ended("unknown", "agent_not_back")

    def _before(self) -> dict[str, Any]:
        try:
            return self._shown()
        except (RequestRefused, ResponseLost) as error:
            raise RemedyRefused(
                Refusal("unseen", {"message": explain(error, self.plan.language)}).words(self.plan.language)
            ) from None

    def _after(self) -> dict[str, Any]:
        try:
            details = self._shown()
        except (RequestRefused, ResponseLost):
            details = {}
        report = self.report
        if report.outcome != "silent":
            details |= {"script": {"before": report.before, "after": report.after, "note": report.note}}
        return details

    def _shown(self) -> dict[str, Any]:
        details = [dict(request.observe(self.arm).shown) for request in self.requests]
        return details[0] if len(details) == 1 else {f"{number}": each for number, each in enumerate(details, 1)}

    def _ended(self, outcome: str, code: str, **values: Any) -> _Ended:
        return _Ended(outcome, code, catalog.text(f"ended.{code}", self.plan.language, **values))

    def _receipt(
        self, outcome: str, before: Mapping[str, Any], after: Mapping[str, Any], code: str, message: str
    ) -> Receipt:
        return Receipt(
            self.plan.remedy, self.plan.resource, outcome, self.context.audit.who, self.started_at, self.ended_at,
            tuple(filter(None, self.request_ids)), before, after, code, message, self.plan.continues is not None,
        )  # fmt: skip


class _Ended(Exception):
    """The remedy ends here, with this outcome of its receipt."""

    def __init__(self, outcome: str, code: str, message: str) -> None:
        super().__init__(message)
        self.outcome, self.code, self.message = outcome, code, message


def _later(time: str | None, seconds: int) -> str | None:
    moment = clock.parse(time)
    return clock.stamp(moment + timedelta(seconds=seconds)) if moment else None
