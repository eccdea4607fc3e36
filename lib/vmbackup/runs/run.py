"""The run of one VM: collect, recheck, paste, skip, plan, apply, back up, save, resume. Shows nothing itself.

Notebook, guided tool and command line all go through here. Every method may be called from a thread and takes as long
as Azure takes; each leaves consistent evidence, and a run folder from which the run can be resumed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from threading import Event
from typing import Any

from vmbackup import catalog, clock
from vmbackup.arm.connection import Azure
from vmbackup.catalog import remedies as catalogue
from vmbackup.collectors import guest
from vmbackup.diagnosis import GUEST, read_by
from vmbackup.facts.azure import FACTS
from vmbackup.model import Evidence, Fact, FactStatus, RemedyRefused, SetupError, Verdict
from vmbackup.remedies.apply import Consent, apply, close_superseded
from vmbackup.remedies.interrupted import Interrupted, continued_first, interrupted
from vmbackup.remedies.plan import STATE_OF_VM, Plan, facts_to_recollect, plan
from vmbackup.remedies.retry import back_up_now
from vmbackup.remedies.retry.progress import Progress
from vmbackup.remedies.retry.proof import Proof
from vmbackup.runs import result
from vmbackup.runs.earlier import Earlier, find_earlier
from vmbackup.runs.examine import examine, pasted_failure
from vmbackup.runs.folder import RunFolder
from vmbackup.runs.guest_evidence import is_guest, keep_guest, with_pasted, without_guest
from vmbackup.runs.saved_run import SavedRun
from vmbackup.runs.state import BACKUP_S, Change, Learned, Skip, State, shows_failure
from vmbackup.runs.stoppable import OnFact, Stopped, until
from vmbackup.sanitize import shortened


@dataclass(slots=True)
class Run(State):
    """A run and its connection; None asks and changes nothing (a replay). ``kept`` is whether the run folder follows.

    Raises SetupError for a run folder with the run of another VM: it would be overwritten, and its changes would be
    attributed to this VM.
    """

    azure: Azure | None = None
    kept: bool = True
    files: RunFolder = field(init=False)
    _earlier: Earlier | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        self.files = RunFolder(self.folder, self.language)
        self._earlier = find_earlier(self.files, self.target) if self.kept else None

    @property
    def live(self) -> bool:
        """Whether anything can be asked or changed."""
        return self.azure is not None

    def next_cause(self) -> str | None:
        """Where to go on: what an earlier run did not end, else the first problem, else the first unknown step."""
        return self.first_open({check for each in self.interrupted() for check in each.cures})

    # --- asking ---

    def collect(self, on_fact: OnFact | None = None, stopped: Event | None = None) -> None:
        """Ask for everything. When stopped or interrupted, what came in counts, and what was known before stays."""
        self.files.look_at(self._azure(), self.target)
        listed = {} if self.evidence else self.files.known(self.target)
        try:
            with suppress(Stopped):
                self._ask(on_fact=on_fact, stopped=stopped, listed=listed)
                self._close_superseded()
        finally:
            self.save()

    def recheck(self, cause: str, on_fact: OnFact | None = None) -> None:
        """Ask again only for what this cause's checks read, including the guest if they need it."""
        names = read_by(cause)
        of_azure = [name for name in FACTS if name in names or name in STATE_OF_VM]
        self._ask(of_azure, ask_guest=any(map(is_guest, names)), on_fact=on_fact)
        self.save()

    def _ask(
        self,
        names: Sequence[str] | None = None,
        *,
        ask_guest: bool = True,
        on_fact: OnFact | None = None,
        stopped: Event | None = None,
        listed: Evidence | None = None,
    ) -> None:
        """The one way of asking: for the job that the operator named, within the deadline, all facts or only these.
        The guest's earlier facts stay, with their time, until it answers again; a change removes them. The first time,
        the evidence grows with each fact."""
        azure, known, came = self._azure(), self.evidence, pasted_failure(self.parameters)

        def note(name: str, fact: Fact) -> None:
            came[name] = fact
            if not known:
                self.evidence, self.awaited = dict(came), self.awaited - {name}
            if on_fact:
                on_fact(name, fact)

        def ask(note: OnFact) -> dict[str, Fact]:
            return examine(
                azure, self.target, self.parameters, self.section, self.files,
                only=names, known=known, listed=listed or {}, ask_guest=ask_guest, on_fact=note,
            )  # fmt: skip

        self.awaited = frozenset() if known else frozenset({*FACTS, GUEST})
        try:
            self.evidence = self._renewed(known, until(stopped, ask, note), names, ask_guest)
        except BaseException as error:
            self.evidence = {**known, **came} if isinstance(error, (Stopped, KeyboardInterrupt)) else known
            raise
        finally:
            self.awaited = frozenset()

    def _renewed(
        self, known: Evidence, fresh: dict[str, Fact], names: Sequence[str] | None, ask_guest: bool
    ) -> dict[str, Fact]:
        """What was known, brought up to date with what was asked now."""
        if self.parameters.guest_output and self._is_older_than_change(fresh.get("guest.probe")):
            fresh = {**without_guest(fresh), "guest.probe": Fact(FactStatus.SKIPPED, why="before_change")}
        if shows_failure(known) and "backup.failed_job" in fresh and not shows_failure(fresh):
            self._remember()
        stays = {} if names is None else {name: fact for name, fact in known.items() if name not in names}
        return keep_guest(known, {**without_guest(stays), **fresh}) if ask_guest else {**stays, **fresh}

    def _remember(self) -> None:
        """Keep the evidence as it is now: what failed and why must stay known after it is fixed."""
        self.before = self.before or dict(self.evidence)

    def _is_older_than_change(self, fact: Fact | None) -> bool:
        """Whether a remedy was applied after this fact was taken: a file of guest output may be older than that."""
        return fact is not None and fact.answered and self.files.journal.applied_since(fact.taken_at)

    def paste(self, text: str) -> Learned:
        """Take the output of the guest script; returns what it decided. Raises GuestOutputError for another VM's."""
        before, facts = self.diagnosis().steps, guest.from_text(text, self.evidence)
        self.evidence = with_pasted(self.evidence, facts)
        self.pasted_at = clock.azure_now(self.evidence)
        self.save()
        return Learned.between(before, self.diagnosis().steps)

    # --- deciding ---

    def skip(self, cause: str, reason: str) -> None:
        """Leave a step open on purpose. Raises SetupError without a reason."""
        if not reason.strip():
            raise SetupError("error.skip_needs_reason")
        self.skipped[cause] = Skip(shortened(reason.strip(), 500), clock.azure_now(self.evidence))
        self.save()

    def take_up(self, cause: str) -> None:
        """Take up a skipped step again."""
        self.skipped.pop(cause, None)
        self.save()

    # --- changing ---

    def interrupted(self, cause: str | None = None) -> list[Plan]:
        """The plans that continue what an earlier run in this folder began on this VM; of one cause, if given."""
        checks = set(catalog.causes()[cause]["checks"]) if cause else set()
        return [each for each in self._left_open().continued if cause is None or checks.intersection(each.cures)]

    def plans(self, cause: str | None = None) -> list[Plan]:
        """What is to be continued, then the remedies for every cause with a problem, in order; or those for one."""
        left = Interrupted(tuple(self.interrupted(cause)))
        return continued_first(left, self._found(cause))

    def _found(self, cause: str | None = None) -> list[Plan]:
        steps = self.diagnosis().steps
        wanted = [step for step in steps if step.cause == cause or (cause is None and step.verdict is Verdict.PROBLEM)]
        return [each for step in wanted for each in plan(step, self.evidence, self.target, self.language)]

    def _left_open(self) -> Interrupted:
        if self.azure is None:
            return Interrupted()
        unfinished = self.files.journal.unfinished()
        return interrupted(unfinished, self._found() if unfinished else [], self.evidence, self.target, self.language)

    def _close_superseded(self) -> None:
        """Close what earlier runs left and nobody continues; not while another run changes the VM, which may own it."""
        left = self._left_open()
        if not (self.kept and left.superseded):
            return
        with suppress(RemedyRefused), self.files.changing(self._azure(), self.target) as context:
            for receipt in close_superseded(left, context, self.language):
                values = {"title": catalogue.words(receipt.remedy, "title", self.language), "why": receipt.message}
                self.files.notices.append(catalog.text("folder.superseded", self.language, **values))

    def apply(self, chosen: Plan, consent: Consent) -> Change:
        """Apply one plan that was agreed to, then ask for everything again: a restart, say, changes more than the facts
        behind the checks that it cures. Raises RemedyRefused."""
        azure, before, names = self._azure(), self.diagnosis().steps, facts_to_recollect(chosen)
        try:
            with self.files.changing(azure, self.target) as context:
                receipt = apply(chosen, self.evidence, context, consent, failure=self.parameters.job_name)
        except BaseException:
            if self.files.journal.unfinished(chosen.remedy, chosen.resource):
                self._forget(names)
            raise
        self.receipts.append(receipt)
        self._forget(names)
        self._ask()
        change = Change.between(before, self.diagnosis().steps, receipt, chosen.cures)
        self.changed |= {was.cause: was for was, _ in change.steps}
        self.save()
        return change

    def _forget(self, names: Sequence[str]) -> None:
        """Drop what a change may have invalidated: these facts, and everything from the guest, pasted or from a
        file."""
        self._remember()
        self.evidence = {name: fact for name, fact in without_guest(self.evidence).items() if name not in names}
        self.parameters = replace(self.parameters, guest_output="")
        self.save()

    def back_up(
        self,
        on_progress: Callable[[Progress], None] | None = None,
        stopped: Event | None = None,
        deadline_s: float = BACKUP_S,
    ) -> Proof:
        """Back up now, follow the job to its end, look at the backup again, and say whether that proves it fixed.

        Raises RemedyRefused, with nothing started, for an unprotected VM, a running backup or too many on one day.
        """
        with self.files.changing(self._azure(), self.target) as context:
            proof = back_up_now.back_up_now(
                context, self.target, self.evidence, language=self.language, deadline_s=deadline_s,
                on_progress=on_progress, cancelled=(stopped or Event()).is_set, keep=self._keep,
            )  # fmt: skip
        self._ask([name for name in FACTS if name.startswith("backup.")], ask_guest=False)
        self.save()
        return proof

    def _keep(self, proof: Proof) -> None:
        self.proof = proof
        self._remember()
        self.save()

    # --- keeping ---

    def result(self) -> dict[str, Any]:
        """The machine-readable result, as the run stands."""
        return result.result_of(self)

    def save(self) -> None:
        """Write all of it into the run folder; an earlier run stays resumable until the operator decides."""
        if not (self.kept and self.evidence):
            return
        content = self.files.save_evidence(self.target, self.evidence)
        self.files.save_result(self.result())
        known, done = self._joined()
        self.files.save_run(done, self.target, content if known is self.evidence else known, self.before)

    def audit(self) -> list[dict[str, Any]]:
        """Every changing request of this run folder, one row each."""
        return self.files.audited()

    @property
    def earlier(self) -> Earlier | None:
        """An earlier run that can be resumed; beside new evidence only one in which its operator did something."""
        found = self._earlier
        return found if found and (found.worth or not self.evidence) else None

    def resume(self) -> None:
        """Go on where the earlier run ended. Beside new evidence only the guest's answers come from it, with their own
        time: everything else was collected again. Raises SetupError when there is no earlier run."""
        earlier = self.earlier
        if earlier is None:
            raise SetupError("error.nothing_to_resume")
        self.evidence, done = self._joined()
        self.skipped, self.pasted_at, self.proof = dict(done.skipped), done.pasted_at, done.proof
        self.receipts, self.before = self.files.journal.applied(), self.before or earlier.before
        self._earlier = None
        self.save()

    def start_over(self) -> None:
        """Leave an earlier run behind."""
        self._earlier = None

    def _joined(self) -> tuple[dict[str, Fact], SavedRun]:
        """Evidence and what the operator did, of this run and of the earlier one that is still undecided."""
        ours = SavedRun(
            self.target.vm_id, self.section, clock.azure_now(self.evidence),
            self.skipped, self.pasted_at, self.proof, self.parameters.azure, self.parameters.scenario,
        )  # fmt: skip
        earlier = self.earlier
        return earlier.joined(self.evidence, ours, is_changed=bool(self.receipts)) if earlier else (self.evidence, ours)

    def _azure(self) -> Azure:
        if self.azure is None:
            raise SetupError("error.replay")
        return self.azure
