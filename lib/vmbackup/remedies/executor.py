"""Carries a remedy out: each step with a note before and after, and a look at the end.

A remedy that was interrupted is continued, not repeated; an answer that was lost is found out by looking.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vmbackup import clock
from vmbackup.arm.audit import Audit, allow_changes
from vmbackup.arm.call import calling
from vmbackup.arm.client import Arm, OperationResult
from vmbackup.arm.errors import RequestRefused, ResponseLost
from vmbackup.model import RemedyRefused
from vmbackup.remedies.journal import Operation, Operations
from vmbackup.remedies.plan import Plan
from vmbackup.remedies.preflight import Refusal
from vmbackup.remedies.receipt import Receipt
from vmbackup.remedies.steps import guest
from vmbackup.remedies.steps import vm as do
from vmbackup.remedies.steps.step import Seen, Step

if TYPE_CHECKING:
    from vmbackup.arm.connection import Azure

LOOKS_AFTERWARDS = 10
AUDIT_FILE = "audit.jsonl"
DETACHED_S = 45
"""Guest scripts that stop the agent do it half a minute after they answered; an older report proves nothing."""


@dataclass(frozen=True, slots=True)
class Tools:
    """What a change needs: the connection, the door to ARM on it, the audit and the run folder's notes."""

    azure: Azure
    arm: Arm
    audit: Audit
    operations: Operations


def open_tools(azure: Azure, folder: Path) -> Tools:
    """The tools for changes on a run's connection; audit, open operations and receipts lie in the run folder."""
    return Tools(azure, Arm.on(azure), Audit(folder / AUDIT_FILE, azure.who()), Operations(folder))


def carry_out(plan: Plan, tools: Tools, deadline_s: float, each: Callable[[], None] | None) -> Receipt:
    """Do what the plan says, whatever speaks for or against it: ``apply`` has asked. Returns the receipt."""
    with calling(plan.target.vm_id):
        return Doing(plan, tools, deadline_s, each).run()


class Doing:
    """One remedy on its way; gone when the receipt is written."""

    def __init__(self, plan: Plan, tools: Tools, deadline_s: float, each: Callable[[], None] | None) -> None:
        self.plan, self.tools, self.deadline_s, self.each = plan, tools, deadline_s, each
        self.arm = tools.arm
        self.is_guest = plan.entry["kind"] == "guest_script"
        self.steps = [guest.step(plan)] if self.is_guest else do.steps(plan)
        self.requests: list[str] = []
        self.started_at: str | None = None
        self.ended_at: str | None = None
        self.acted = False
        self.said = guest.Said("silent")

    def run(self) -> Receipt:
        """From the first look to the receipt."""
        earlier = self.tools.operations.unfinished(self.plan.remedy, self.plan.resource)
        operation = earlier[-1] if earlier else None
        before = dict(operation.before) if operation else self._before()
        self.ended_at = operation.accepted_at if operation else None
        name = operation.id if operation else self._begun(before)
        code = message = ""
        try:
            outcome = self._all(name, operation)
        except (RequestRefused, ResponseLost) as error:
            # No look tells what became of it. Not closed: the next run finds the open operation, looks, and goes on.
            return self._receipt("unsure", before, {}, "", str(error), operation is not None)
        except _Failed as error:
            outcome, code, message = error.outcome, error.code, error.message
        receipt = self._receipt(outcome, before, self._after(outcome), code, message, operation is not None)
        if not (outcome == "unsure" and code == "timeout"):
            self.tools.operations.close(name, receipt)
        return receipt

    def _begun(self, before: Mapping[str, Any]) -> str:
        plan = self.plan
        return self.tools.operations.begin(plan.remedy, plan.resource, before, plan.values, plan.cures)

    def _all(self, name: str, operation: Operation | None) -> str:
        for number, step in enumerate(self.steps):
            self._one(name, operation, number, step)
        if self.is_guest:
            return self._verified()
        return "done" if self.acted or operation else "already"

    def _one(self, name: str, operation: Operation | None, number: int, step: Step) -> None:
        accepted = dict(operation.accepted) if operation else {}
        if operation and any(later > number for later in operation.sent):
            return
        if number in accepted and self._followed(step, accepted[number]):
            return
        seen = step.look(self.arm)
        if seen.state == "running":
            seen = self._wait(step)
        if seen.state == "done":
            return
        if operation and number in operation.sent and not step.repeatable:
            raise _Failed("unsure", "", "The request was sent by an earlier run, and what became of it is not known.")
        self._send(name, number, step, seen)

    def _followed(self, step: Step, url: str) -> bool:
        """Whether an operation that an earlier run noted has succeeded by now; one that Azure forgot is looked at."""
        if not url:
            return not step.repeatable
        try:
            ended = self.arm.poll(url, self.deadline_s, self.each)
        except RequestRefused as error:
            if error.status in (404, 410):
                return False
            raise
        if self.is_guest:
            self.said = guest.read(self.plan.remedy, ended)
        self._judge(ended)
        return True

    def _send(self, name: str, number: int, step: Step, seen: Seen) -> None:
        self.tools.operations.sending(name, number)
        self.acted = True
        try:
            with allow_changes(self.tools.audit, self.plan.remedy) as permit:
                answer = self.arm.request(step.method, step.path, step.body(seen.body) if step.body else None)
        except RequestRefused as error:
            raise _Failed("failed", error.code, error.message) from None
        except ResponseLost:
            if step.repeatable and not self.is_guest and self._arrived(step):
                return
            raise
        self.requests.append(answer.request_id)
        self.started_at = self.started_at or answer.time
        self.ended_at = answer.time
        self.tools.operations.accepted(name, number, answer.operation, answer.time)
        ended = OperationResult("succeeded", body=answer.body)
        if answer.operation:
            ended = self.arm.poll(answer.operation, self.deadline_s, self.each)
            self.tools.audit.finished(permit.row, ended.how, f"{ended.code} {ended.message}".strip())
            if self.is_guest:
                ended = self.arm.result(answer, ended)
        if self.is_guest:
            self.said = guest.read(self.plan.remedy, ended)
        self._judge(ended)
        if not self.is_guest and step.repeatable:
            self._settle(step)

    def _arrived(self, step: Step) -> bool:
        """The answer was lost: look whether Azure acts on it. False when nothing shows that it arrived."""
        seen = step.look(self.arm)
        if seen.state == "running":
            seen = self._wait(step)
        return seen.state == "done"

    def _settle(self, step: Step) -> None:
        """Azure reported success: the change must be seen, though lists may lag behind for some looks."""
        for _ in range(LOOKS_AFTERWARDS):
            if (step.proof or step.look)(self.arm).state == "done":
                return
            self.arm.sleep(self.arm.interval_s)
        raise _Failed("unsure", "", "Azure reported success, but a look does not show the change yet.")

    def _wait(self, step: Step) -> Seen:
        waited = 0.0
        seen = step.look(self.arm)
        while seen.state == "running":
            if waited >= self.deadline_s:
                raise _Failed("unsure", "timeout", f"Azure was still at it after {self.deadline_s:.0f} s.")
            if self.each:
                self.each()
            self.arm.sleep(self.arm.interval_s)
            waited += max(self.arm.interval_s, 0.01)
            seen = step.look(self.arm)
        return seen

    def _judge(self, ended: OperationResult) -> None:
        if ended.how == "timeout":
            raise _Failed("unsure", "timeout", f"Azure was still at it after {self.deadline_s:.0f} s.")
        if ended.how != "succeeded":
            raise _Failed("failed", ended.code or ended.how, ended.message)

    def _verified(self) -> str:
        """The guest's own word, and for a script that restarts the agent the agent's next report."""
        if self.said.outcome in ("done", "already"):
            return self.said.outcome
        if self.said.outcome == "failed":
            raise _Failed("failed", "script", self.said.note)
        if self.said.outcome == "silent":
            raise _Failed("unsure", "no_outcome", self.said.note or "The script said nothing about its outcome.")
        if guest.agent_is_back(self.arm, self.plan.target.vm_id, _later(self.ended_at, DETACHED_S), self.deadline_s):
            return "done"
        raise _Failed("unsure", "agent_not_back", "The agent has not reported Ready again.")

    def _before(self) -> dict[str, Any]:
        try:
            return _merged([step.look(self.arm).shown for step in self.steps])
        except (RequestRefused, ResponseLost) as error:
            raise RemedyRefused(Refusal("unseen", {"message": str(error)}).words(self.plan.language)) from None

    def _after(self, outcome: str) -> dict[str, Any]:
        shown: dict[str, Any] = {}
        try:
            shown = _merged([step.look(self.arm).shown for step in self.steps])
        except (RequestRefused, ResponseLost, RemedyRefused):
            shown = {}
        if self.is_guest and self.said.outcome != "silent":
            shown |= {"script": {"before": self.said.before, "after": self.said.after, "note": self.said.note}}
        return shown

    def _receipt(
        self, outcome: str, before: Mapping[str, Any], after: Mapping[str, Any], code: str, said: str, continued: bool
    ) -> Receipt:
        return Receipt(
            self.plan.remedy, self.plan.resource, outcome, self.tools.audit.who, self.started_at, self.ended_at,
            tuple(filter(None, self.requests)), before, after, code, said, continued,
        )  # fmt: skip


class _Failed(Exception):
    def __init__(self, outcome: str, code: str, message: str) -> None:
        super().__init__(message)
        self.outcome, self.code, self.message = outcome, code, message


def _merged(shown: list[Mapping[str, Any]]) -> dict[str, Any]:
    return dict(shown[0]) if len(shown) == 1 else {f"{number}": dict(each) for number, each in enumerate(shown, 1)}


def _later(time: str | None, seconds: int) -> str | None:
    moment = clock.parse(time)
    return clock.stamp(moment + timedelta(seconds=seconds)) if moment else None
