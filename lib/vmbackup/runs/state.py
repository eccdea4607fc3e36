"""One VM's run as data: what was asked for, found, decided and changed. Pages show it; only ``runs.run`` changes it."""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import dataclass, field

from vmbackup import catalog
from vmbackup.diagnosis import Diagnosis, diagnose, waits
from vmbackup.failures.triage import Triage, triage, triage_job
from vmbackup.model import AWAITED, SIGNS, Evidence, Fact, Finding, Language, Step, Target, Verdict
from vmbackup.parameters import Parameters
from vmbackup.remedies.receipt import Receipt
from vmbackup.remedies.retry.proof import Proof

BACKUP_S = 7200
"""How long a backup is followed; it continues in Azure."""


@dataclass(frozen=True, slots=True)
class Skip:
    """A step that the operator left open on purpose: the reason, and when (Azure's clock)."""

    reason: str
    at: str | None


@dataclass(frozen=True, slots=True)
class Change:
    """A remedy that was applied: its receipt, and each step that it concerns or that differs now, before and after."""

    receipt: Receipt
    steps: tuple[tuple[Step, Step], ...]

    @classmethod
    def between(cls, before: Sequence[Step], after: Sequence[Step], receipt: Receipt, cures: Sequence[str]) -> Change:
        """The change between these steps and those; ``cures`` are the checks that its remedy fixes."""
        steps = [
            (was, now)
            for was, now in zip(before, after, strict=True)
            if was.verdict is not now.verdict or {finding.check for finding in was.findings}.intersection(cures)
        ]
        return cls(receipt, tuple(steps))


@dataclass(frozen=True, slots=True)
class Learned:
    """What new evidence decided: each check that was unknown, before and after; and how many are unknown still."""

    decided: tuple[tuple[Finding, Finding], ...]
    still_open: int

    @classmethod
    def between(cls, before: Sequence[Step], after: Sequence[Step]) -> Learned:
        """What was learned between these steps and those."""
        now = {(each.cause, each.check): each for step in after for each in step.findings if each.check != SIGNS}
        unknown = [
            (each, now[each.cause, each.check])
            for step in before
            for each in step.findings
            if each.verdict is Verdict.UNKNOWN and (each.cause, each.check) in now
        ]
        decided = tuple(pair for pair in unknown if pair[1].verdict is not Verdict.UNKNOWN)
        return cls(decided, len(unknown) - len(decided))


@dataclass(slots=True)
class State:
    """The run of one VM, without the means to go on. A section of None is the general walk through all causes.

    ``changed`` keeps, per cause that a remedy concerned, the step as it was before; ``pasted_at`` is when guest output
    was pasted (Azure's clock). ``before`` is the evidence from before the first change, or before the failure was gone;
    empty while neither has happened. ``awaited`` are the facts that the first collection still waits for: until they
    are there, verdicts may change.
    """

    parameters: Parameters
    section: str | None
    target: Target
    evidence: dict[str, Fact] = field(default_factory=dict)
    skipped: dict[str, Skip] = field(default_factory=dict)
    changed: dict[str, Step] = field(default_factory=dict)
    receipts: list[Receipt] = field(default_factory=list)
    proof: Proof | None = None
    pasted_at: str | None = None
    awaited: frozenset[str] = frozenset()
    before: dict[str, Fact] = field(default_factory=dict)
    _judged: tuple[str | None, dict[str, Fact], Diagnosis] | None = field(default=None, repr=False, compare=False)

    @property
    def language(self) -> Language:
        """The language of all that is shown."""
        return self.parameters.language

    @property
    def folder(self) -> str:
        """Where the run folder is: a path or URL."""
        return self.parameters.folder

    @property
    def so_far(self) -> Evidence:
        """The evidence to be shown while the rest is awaited."""
        return {**dict.fromkeys(self.awaited, AWAITED), **self.evidence}

    def first_open(self, begun: Container[str] = ()) -> str | None:
        """Where to go on, of what was not skipped: a cause with a check in ``begun``, else the first problem, else the
        first that is unknown."""
        steps = [step for step in self.diagnosis().steps if step.cause not in self.skipped]
        ranked = [step for step in steps if any(each in begun for each in catalog.causes()[step.cause]["checks"])]
        ranked += [step for verdict in (Verdict.PROBLEM, Verdict.UNKNOWN) for step in steps if step.verdict is verdict]
        return ranked[0].cause if ranked else None

    def is_being_checked(self, step: Step) -> bool:
        """Whether this step's verdict still waits for facts."""
        return bool(self.awaited) and waits(step, self.awaited)

    def diagnosis(self) -> Diagnosis:
        """The judged causes, as the evidence stands; a page asks for them many times."""
        judged = self._judged
        if judged is None or judged[:2] != (self.section, self.evidence):
            evidence = dict(self.evidence)
            judged = self._judged = (self.section, evidence, diagnose(self.section, evidence))
        return judged[2]

    def diagnosis_of(self, evidence: Evidence) -> Diagnosis:
        """The judged causes on other evidence of this run, such as ``before``."""
        return self.diagnosis() if evidence is self.evidence else diagnose(self.section, evidence)

    def triage(self) -> Triage | None:
        """Where the failure belongs: what was pasted, else the newest failed job; None when there is neither."""
        pasted = self.parameters.failure
        if pasted and not self.parameters.job_name:
            return triage(pasted)
        fact = self.evidence.get("backup.failed_job")
        return triage_job(fact.data) if fact and fact.answered and fact.data else None


def shows_failure(evidence: Evidence) -> bool:
    """Whether a failed job is among the evidence."""
    fact = evidence.get("backup.failed_job")
    return fact is not None and bool(fact.data)
