"""One VM of a plan: examined, changed if it is still as agreed, and examined again until it has settled.

What an earlier run of the plan began is continued from the VM's own journal, so that nothing is sent twice.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Event

from vmbackup import catalog, sanitize
from vmbackup.catalog.words import cause_title, explain, sentence
from vmbackup.collectors import collect
from vmbackup.fleet.rollout.agreement import Agreement, is_agreed
from vmbackup.fleet.rollout.record import Begun, Record
from vmbackup.fleet.rollout.worse import (
    Condition,
    Worsening,
    helped,
    reported_at,
    reports,
    says_how_it_ended,
    went_wrong,
    worsened,
)
from vmbackup.model import RemedyRefused, RunbookError, Unwritten, Verdict
from vmbackup.remedies.apply import LOOK_S, Consent
from vmbackup.remedies.plan import STATE_OF_VM, Plan
from vmbackup.remedies.receipt import BACKUP, Receipt
from vmbackup.runs.folder import KNOWN
from vmbackup.runs.rollout import End, Ending, Planned
from vmbackup.runs.run import Run

_HELPED = {Verdict.OK: Ending.HELPED, Verdict.PROBLEM: Ending.NOT_HELPED, Verdict.UNKNOWN: Ending.UNCLEAR}
_FIXED = {Verdict.OK: True, Verdict.PROBLEM: False}


@dataclass(frozen=True, slots=True)
class Patience:
    """How often, and after how many seconds each, a VM is looked at until its agent reports again and what looks worse
    or not helped has settled. A working agent reports every few minutes; after a quarter of an hour without a report it
    counts as silent."""

    looks: int = 15
    wait_s: float = 60.0


@dataclass(frozen=True, slots=True)
class RolloutContext:
    """What the VMs of a plan share. Once ``stopped`` is set, no further VM is begun; once ``no_waiting`` is set, nobody
    waits for a VM to settle."""

    agreement: Agreement
    record: Record
    open_run: Callable[[Planned], Run]
    language: str
    patience: Patience = Patience()
    stopped: Event = field(default_factory=Event)
    no_waiting: Event = field(default_factory=Event)


class _NotNow(Exception):
    """The VM is left as it is; a later run of the plan continues."""


class VmChange:
    """One VM while it is changed. ``begun`` is what an earlier run noted of it."""

    def __init__(self, vm: Planned, wave: int, context: RolloutContext, begun: Begun | None) -> None:
        self.vm, self.wave, self.context, self.begun = vm, wave, context, begun
        self.receipt: Receipt | None = None
        self.fixed: bool | None = None
        self._looks_left = context.patience.looks

    def run(self) -> End | None:
        """Change the VM; returns how it ended, None where it was not begun or a later run must continue it. Any failure
        is an end too. Raises Unwritten where the fleet's folder cannot be written."""
        try:
            return self._change()
        except _NotNow:
            return None
        except _Ended as ended:
            return self._end(ended.ending, ended.why)
        except Unwritten:
            raise
        except Exception as error:
            words = explain(error, self._language) if isinstance(error, RunbookError) else type(error).__name__
            # Once begun, the VM may have been changed, and its state is not known.
            return self._end(Ending.WORSE if self.begun else Ending.LEFT_OUT, words)

    def _change(self) -> End:
        self._stop_if_asked()
        run = self.context.open_run(self.vm)
        # What the fleet's lists said is out of date by now.
        run.files.delete(KNOWN)
        run.collect()
        if self.begun is None:
            chosen = self._agreed_plan(run)
            self._stop_if_asked()
            condition = Condition.of(run.evidence, run.diagnosis().steps)
            self.begun = Begun(condition, chosen.cures, len(run.files.journal.receipts()))
            self.context.record.note_begun(self.vm["name"], self.begun)
        self.receipt = self._obtain_receipt(run, self.begun)
        run.receipts = run.files.journal.applied()
        if went_wrong(self.receipt):
            raise _Ended(Ending.WORSE, self._receipt_text(self.receipt))
        cured = self._settle(run, self.begun)
        why = self._back_up(run, self.begun) if self.context.agreement.retry else ""
        # A backup proves more than any check.
        proved = {True: Verdict.OK, False: Verdict.PROBLEM, None: cured}[self.fixed]
        return self._end(_HELPED[proved], why)

    def _stop_if_asked(self) -> None:
        if self.context.stopped.is_set() and self.begun is None:
            raise _NotNow

    def _agreed_plan(self, run: Run) -> Plan:
        """The plan that was agreed to, made again from the current state."""
        found = [plan for plan in run.plans() if plan.remedy == self.context.agreement.remedy]
        for plan in found:
            if is_agreed(plan, self.vm) or (self.begun and plan.continues):
                return plan
        raise self._end_unchanged(run, self._text("changed" if found else "nothing_to_cure"))

    def _end_unchanged(self, run: Run, why: str) -> _Ended:
        """Left out, as nothing was sent; worse where something was sent and its end is not known."""
        return _Ended(Ending.WORSE if self._is_open(run) else Ending.LEFT_OUT, why)

    def _is_open(self, run: Run) -> bool:
        """Whether this plan sent something whose end is not known."""
        unfinished = run.files.journal.unfinished(self.context.agreement.remedy, self.vm["resource"])
        return self.begun is not None and any(request.sent for request in unfinished)

    def _obtain_receipt(self, run: Run, begun: Begun) -> Receipt:
        """The receipt of the change: one of an earlier run of the plan, or of what is done now. What was sent may
        still be going on, or Azure did not say how it ended: then it is looked at until that can be told."""
        while True:
            try:
                receipt = self._earlier_receipt(run, begun) or self._apply(run)
                is_clear = (receipt.outcome, receipt.code) != ("unknown", "")
                if is_clear or not (self._looks_left and self._is_open(run)):
                    return receipt
            except _Ended:
                if not (self._looks_left and self._is_open(run)):
                    raise
            self._pause()
            run.collect()

    def _earlier_receipt(self, run: Run, begun: Begun) -> Receipt | None:
        remedy, receipts = self.context.agreement.remedy, run.files.journal.receipts()[begun.receipts :]
        return next((receipt for receipt in receipts if receipt.remedy == remedy and says_how_it_ended(receipt)), None)

    def _apply(self, run: Run) -> Receipt:
        remedy = self.context.agreement.remedy
        try:
            consent = Consent.from_parameters(remedy, self.context.agreement.max_risk)
            return run.apply(self._agreed_plan(run), consent).receipt
        except RemedyRefused as refused:
            raise self._end_unchanged(run, explain(refused, self._language)) from None

    def _settle(self, run: Run, begun: Begun) -> Verdict:
        """Whether the remedy helped, once the agent has reported again and nothing changes any more."""
        since = reported_at(run.evidence)
        if begun.condition.reports:
            self._await_report(run, since)
        while True:
            steps = run.diagnosis().steps
            worse = worsened(begun.condition, run.evidence, steps, since)
            cured = helped(begun.cures, steps)
            if (worse is None and cured is not Verdict.PROBLEM) or not self._looks_left:
                break
            self._pause()
            run.collect()
        if worse:
            raise _Ended(Ending.WORSE, self._worse_text(worse, run))
        return cured

    def _await_report(self, run: Run, since: str | None) -> None:
        """Wait until the agent has reported once more, looking at nothing else; then look at everything."""
        while self._looks_left:
            self._pause()
            if run.azure and reports(collect(run.azure, run.target, only=STATE_OF_VM, deadline_s=LOOK_S), since):
                break
        run.collect()

    def _pause(self) -> None:
        """Wait for the next look."""
        self._looks_left -= 1
        if self.context.no_waiting.wait(self.context.patience.wait_s):
            raise _NotNow

    def _back_up(self, run: Run, begun: Begun) -> str:
        """Back up, unless an earlier run of the plan did; returns why that was refused."""
        earlier = [receipt for receipt in run.files.journal.receipts()[begun.receipts :] if receipt.remedy == BACKUP]
        if earlier:
            self.fixed = {"done": True, "failed": False}.get(earlier[-1].outcome)
            return ""
        try:
            proof = run.back_up()
        except RemedyRefused as refused:
            return explain(refused, self._language)
        self.fixed = _FIXED.get(proof.verdict)
        return ""

    # --- words ---

    @property
    def _language(self) -> str:
        return self.context.language

    def _text(self, key: str, **values: str) -> str:
        return catalog.text(f"rollout.{key}", self._language, **values)

    def _receipt_text(self, receipt: Receipt) -> str:
        return catalog.text(f"receipt.{receipt.outcome}", self._language, code=receipt.code, message=receipt.message)

    def _worse_text(self, worse: Worsening, run: Run) -> str:
        if worse.finding is None:
            return self._text(f"worse.{worse.key}")
        cause = cause_title(worse.finding.cause, self._language)
        return self._text("worse.check", cause=cause, sentence=sentence(worse.finding, run.evidence, self._language))

    def _end(self, ending: Ending, why: str) -> End:
        return End(
            name=self.vm["name"], wave=self.wave, ending=str(ending), why=sanitize.shortened(why),
            outcome=self.receipt.outcome if self.receipt else None, fixed=self.fixed,
        )  # fmt: skip


class _Ended(Exception):
    """The VM ends here."""

    def __init__(self, ending: Ending, why: str) -> None:
        super().__init__(why)
        self.ending, self.why = ending, why
