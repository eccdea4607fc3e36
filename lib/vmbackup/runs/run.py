"""An operator's way through a run: re-check, paste, skip, plan, apply, retry, save, resume. Shows nothing itself.

Every method may be called from a thread and takes as long as Azure takes; each leaves the run's evidence whole, and
the run folder such that the walk can go on from there.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Protocol

from vmbackup import catalog, clock
from vmbackup.checks.base import load
from vmbackup.diagnosis import Walk, walk
from vmbackup.facts.azure import FACTS
from vmbackup.model import Evidence, Fact, RunbookError, SetupError, Step, Target, Verdict
from vmbackup.parameters import Parameters
from vmbackup.remedies.retry.proof import Proof
from vmbackup.runs import folder as evidence
from vmbackup.runs.saved_walk import SavedWalk, Skip, load_walk, save_walk

if TYPE_CHECKING:
    from vmbackup.arm.connection import Azure
    from vmbackup.pages.blocks import Page
    from vmbackup.remedies.plan import Plan
    from vmbackup.remedies.receipt import Receipt
    from vmbackup.remedies.retry.progress import Progress

OnFact = Callable[[str, Fact], object]
# Beside evidence.json, which every run of the notebook writes anew.
EVIDENCE_FILE = "walk.evidence.json"
_STATE_OF_VM = ("vm.model", "vm.power", "vm.agent")
# What boot diagnostics say comes from the platform, not from the guest script.
_PLATFORMS_OWN = ("guest.boot_report", "guest.serial_log")


class Examined(Protocol):
    """The run that is walked through (``session.Run``)."""

    parameters: Parameters
    section: str | None
    target: Target
    azure: Azure | None
    evidence: dict[str, Fact]
    receipts: list[Receipt]
    proof: Proof | None

    def interrupted(self) -> list[Plan]:
        """The plans of what an earlier run began and did not end."""
        ...

    def result(self) -> Page:
        """Save the result and show it."""
        ...


@dataclass(slots=True)
class Walkthrough:
    """The way so far. ``changed`` keeps, per cause that a remedy was applied to, the step as it was before;
    ``earlier`` is a walk of this VM found in the run folder, to be resumed or not, with its evidence. Raises SetupError
    for a run folder with the walk of another VM: it would be lost, and what was changed there would count here."""

    run: Examined
    skipped: dict[str, Skip] = field(default_factory=dict)
    changed: dict[str, Step] = field(default_factory=dict)
    pasted_at: str | None = None
    asked_again: bool = False
    earlier: tuple[SavedWalk, dict[str, Fact]] | None = None

    def __post_init__(self) -> None:
        found, vm_id = load_walk(self.folder), self.run.target.vm_id.lower()
        if found is not None and found.vm_id.lower() != vm_id:
            language = self.run.parameters.language
            raise SetupError(catalog.text("guide.other_vm", language, folder=str(self.folder), vm=found.vm_id))
        kept = self.folder / EVIDENCE_FILE
        if found is None or not kept.exists():
            return
        target, saved = evidence.load(kept)
        did = found.skipped or found.pasted_at or found.proof or self.applied_earlier()
        if target.vm_id.lower() == vm_id and (did or not self.run.evidence):
            self.earlier = found, saved

    @property
    def folder(self) -> Path:
        """The run folder."""
        return self.run.parameters.folder

    @property
    def went_on(self) -> bool:
        """Whether the walk went on after the notebook's cells ran, so that what they show is older."""
        return bool(self.asked_again or self.pasted_at or self.run.receipts or self.run.proof)

    @property
    def live(self) -> bool:
        """Whether anything can be asked or changed; False in a replay."""
        return self.run.azure is not None

    def walk(self) -> Walk:
        """The judged causes, as the evidence stands."""
        return walk(self.run.section, self.run.evidence)

    def next_cause(self) -> str | None:
        """Where to go on, of what was not skipped: what an earlier run did not end, else the first problem, else the
        first unknown step."""
        steps = [step for step in self.walk().steps if step.cause not in self.skipped]
        begun = {check for each in self.run.interrupted() for check in each.cures}
        for step in steps:
            if begun.intersection(catalog.causes()[step.cause]["checks"]):
                return step.cause
        for verdict in (Verdict.PROBLEM, Verdict.UNKNOWN):
            for step in steps:
                if step.verdict is verdict:
                    return step.cause
        return None

    # --- asking ---

    def collect(self, on_fact: OnFact, stopped: Event) -> None:
        """Ask for everything. When stopped, what came in by then counts, and what was known before stays."""
        from vmbackup.arm.call import calling, start_thread
        from vmbackup.runs.examine import examine

        azure = self._azure()
        self.asked_again = bool(self.run.evidence)
        came: dict[str, Fact] = {}
        ended: list[dict[str, Fact] | BaseException] = []

        def note(name: str, fact: Fact) -> None:
            if not stopped.is_set():
                came[name] = fact
                on_fact(name, fact)

        def ask() -> None:
            try:
                ended.append(examine(azure, self.run.target, self.run.parameters, self.run.section, note))
            except BaseException as error:  # handed to the caller's thread, which raises it
                ended.append(error)

        with calling(self.run.target.vm_id) as call:
            asking = start_thread(ask)
        while asking.is_alive() and not stopped.is_set():
            asking.join(0.05)
        if not ended:
            call.stop()
            self.run.evidence = {**self.run.evidence, **came}
        elif isinstance(ended[0], BaseException):
            raise ended[0]
        else:
            self.run.evidence = _with_guest(self.run.evidence, ended[0])
        self.save()

    def recheck(self, cause: str, on_fact: OnFact) -> None:
        """Ask again only for what this cause's checks read, the guest among it where they read that."""
        from vmbackup.runs.examine import azure_facts, without_guest

        checks = load()
        names = {name for check in catalog.causes()[cause]["checks"] for name in checks[check].evidence}
        asked = [name for name in FACTS if name in names or name in _STATE_OF_VM]
        fresh = azure_facts(self._azure(), self.run.target, self.run.parameters, asked, on_fact)
        known = {**self.run.evidence, **fresh}
        if any(name.startswith("guest.") for name in names):
            known = _with_guest(known, self._with_fresh_guest(without_guest(known)))
        self.run.evidence = known
        self.asked_again = True
        self.save()

    def _with_fresh_guest(self, known: Evidence) -> dict[str, Fact]:
        from vmbackup.runs.examine import guest_facts

        run = self.run
        return {**known, **guest_facts(self._azure(), run.target, run.parameters, run.section, known)}

    def paste(self, text: str) -> None:
        """Take the output of the guest script. Raises GuestOutputError when it is none of this VM's."""
        from vmbackup.collectors.guest import from_text
        from vmbackup.runs.examine import without_guest

        facts = from_text(text, self.run.evidence)
        own = {name: fact for name, fact in self.run.evidence.items() if name in _PLATFORMS_OWN}
        self.run.evidence = {**without_guest(self.run.evidence), **own, **facts}
        self.pasted_at = clock.azure_now(self.run.evidence)
        self.save()

    # --- deciding ---

    def skip(self, cause: str, reason: str) -> None:
        """Leave a step open on purpose. Raises SetupError without a reason."""
        if not reason.strip():
            raise SetupError(catalog.text("guide.skip_needs_reason", self.run.parameters.language))
        self.skipped[cause] = Skip(reason.strip()[:500], clock.azure_now(self.run.evidence))
        self.save()

    def take_up(self, cause: str) -> None:
        """Take up a skipped step again."""
        self.skipped.pop(cause, None)
        self.save()

    # --- changing ---

    def interrupted(self, cause: str) -> list[Plan]:
        """What an earlier run began for this cause and did not end."""
        checks = set(catalog.causes()[cause]["checks"])
        return [each for each in self.run.interrupted() if checks.intersection(each.cures)]

    def plans(self, cause: str) -> list[Plan]:
        """The remedies for one cause, first those to be continued."""
        from vmbackup.remedies.again import begun_first
        from vmbackup.remedies.plan import plan

        step = self.walk().step(cause)
        found = plan(step, self.run.evidence, self.run.target, self.run.parameters.language)
        return begun_first(self.interrupted(cause), found)

    def apply(self, cause: str, plan: Plan) -> Receipt:
        """Apply one plan that the operator confirmed, then ask again for what it should have changed."""
        from vmbackup.remedies.again import affected
        from vmbackup.remedies.apply import Confirmation, apply
        from vmbackup.remedies.executor import open_tools
        from vmbackup.runs.examine import examine_changed

        azure, before = self._azure(), self.walk().step(cause)
        done = apply(plan, open_tools(azure, self.folder), Confirmation.of(plan))
        self.run.receipts.append(done)
        self.changed[cause] = before
        run = self.run
        run.evidence = examine_changed(azure, run.target, run.parameters, run.section, run.evidence, affected(plan))
        self.save()
        return done

    def retry(self, on_progress: Callable[[Progress], None], stopped: Event) -> Proof:
        """Back up now, follow the job to its end, look at the backup again, and say whether that proves it fixed."""
        from vmbackup.remedies.executor import open_tools
        from vmbackup.remedies.retry.back_up_now import retry
        from vmbackup.runs.examine import azure_facts

        azure, language = self._azure(), self.run.parameters.language
        tools = open_tools(azure, self.folder)
        proof = retry(
            tools,
            self.run.target,
            self.run.evidence,
            language=language,
            on_progress=on_progress,
            cancelled=stopped.is_set,
        )
        self.run.proof = proof
        backup = [name for name in FACTS if name.startswith("backup.")]
        self.run.evidence = {**self.run.evidence, **azure_facts(azure, self.run.target, self.run.parameters, backup)}
        self.save()
        return proof

    # --- keeping ---

    def save(self) -> None:
        """Keep everything in the run folder, with an earlier walk as long as it was not decided about, and renew the
        result there."""
        if not self.run.evidence:
            return
        self.run.result()
        known, skipped, pasted_at, proof = self._joined()
        evidence.save(self.folder / EVIDENCE_FILE, self.run.target, known)
        heard = clock.azure_now(self.run.evidence)
        save_walk(self.folder, SavedWalk(self.run.target.vm_id, self.run.section, heard, skipped, pasted_at, proof))

    def resume(self) -> None:
        """Go on where the earlier walk ended. Beside new evidence only the guest's answers come from it, with their
        own time: all else was asked anew. Raises SetupError when there is no earlier walk."""
        if self.earlier is None:
            raise SetupError(catalog.text("guide.nothing_to_resume", self.run.parameters.language))
        self.run.evidence, self.skipped, self.pasted_at, self.run.proof = self._joined()
        self.run.receipts = self.applied_earlier()
        self.earlier = None
        self.save()

    def applied_earlier(self) -> list[Receipt]:
        """The receipts of the remedies in the run folder; the retry is a backup, no remedy, and its proof says all."""
        from vmbackup.remedies.journal import Operations
        from vmbackup.remedies.retry.back_up_now import REMEDY

        return [each for each in Operations(self.folder).receipts() if each.remedy != REMEDY]

    def _joined(self) -> tuple[dict[str, Fact], dict[str, Skip], str | None, Proof | None]:
        if self.earlier is None:
            return self.run.evidence, self.skipped, self.pasted_at, self.run.proof
        found, saved = self.earlier
        known = _with_guest(saved, self.run.evidence) if self.run.evidence else saved
        skipped = {**found.skipped, **self.skipped}
        return known, skipped, self.pasted_at or found.pasted_at, self.run.proof or found.proof

    def _azure(self) -> Azure:
        if self.run.azure is None:
            raise RunbookError(catalog.text("guide.replay", self.run.parameters.language))
        return self.run.azure


def _with_guest(old: Evidence, new: Evidence) -> dict[str, Fact]:
    """The new facts; of the guest the old ones, with their own time, as long as it did not answer anew."""
    probe = new.get("guest.probe")
    if probe is not None and probe.answered:
        return dict(new)
    earlier = old.get("guest.probe")
    kept = {name: fact for name, fact in old.items() if name.startswith("guest.")}
    if earlier is not None and earlier.answered:
        return {**new, **kept}
    return dict(new)
