"""The diagnosis: a section's causes in the article's order, all others after them, each judged on the evidence."""

from __future__ import annotations

from dataclasses import dataclass

from vmbackup import catalog
from vmbackup.diagnosis.case import LOGS, Case, case_of, pointing
from vmbackup.diagnosis.cause import judge
from vmbackup.diagnosis.weight import RANK, Weight, is_symptom, strongest
from vmbackup.failures.signatures import Sign
from vmbackup.model import Evidence, FactStatus, Finding, Step, Verdict, Word

# What is no cause, and more than a verdict that is open: why a symptom is there, or what Azure named.
_FINDINGS_OF_THEIR_OWN = {"not_visible_now", "hangs", "hung"}


class Outcome(Word):
    """How a diagnosis ended; the command line's exit codes are made from it."""

    NO_CAUSE_FOUND = "no_cause_found"
    CAUSE_FOUND = "cause_found"
    UNDECIDED = "undecided"
    MISSING_RIGHTS = "missing_rights"


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What was found on one VM, the causes of one section first: their judged steps.

    ``probable`` is the cause to remedy first: of those found the one with the strongest evidence, among equals the
    first in the article's order; ``weight`` says how strong. ``next`` is where to go on: there, else at the cause that
    a sign or a symptom points to, else at the first that is unknown. ``missing`` are the facts that an unknown step
    lacks; ``denied`` are all RBAC actions that were refused, also where another way gave the answer. ``signs`` are
    those of a failure that still stand.
    """

    section: str | None
    steps: tuple[Step, ...]
    probable: Step | None
    next: Step | None
    outcome: Outcome
    missing: tuple[str, ...]
    denied: tuple[str, ...]
    weight: Weight | None = None
    signs: tuple[Sign, ...] = ()

    def step(self, cause: str) -> Step:
        """The step of this cause. Raises KeyError when the section does not have it."""
        for step in self.steps:
            if step.cause == cause:
                return step
        raise KeyError(f"section {self.section} has no cause {cause}")


def diagnose(section: str | None, evidence: Evidence) -> Diagnosis:
    """Judge all causes of the section, in order; without a section, all causes that there are (the general walk)."""
    case = case_of(evidence)
    steps = tuple(judge(number, cause, section, case) for number, cause in enumerate(causes_of(section), 1))
    probable = min((step for step in steps if _is_found(step, case.signs)), key=_rank, default=None)
    missing = _missing(steps, evidence)
    return Diagnosis(
        section,
        steps,
        probable,
        probable or _where_to_go_on(steps),
        _outcome(steps, probable, missing, case),
        missing,
        _denied(evidence),
        strongest(probable) if probable else None,
        case.signs,
    )


def every_finding(evidence: Evidence) -> tuple[Finding, ...]:
    """All findings of the general walk."""
    return tuple(finding for step in diagnose(None, evidence).steps for finding in step.findings)


def causes_of(section: str | None) -> list[str]:
    """The section's causes in the article's order, then the likeliest additions, then all others: an error that wraps
    another opens the wrong door, and the right cause must still be in the house."""
    entry = catalog.sections()[section] if section else {"causes": [], "additions": []}
    return list(dict.fromkeys([*entry["causes"], *entry["additions"], *catalog.causes()]))


def _is_found(step: Step, signs: tuple[Sign, ...]) -> bool:
    """A symptom is no cause, and hygiene none where the logs may mean another."""
    if step.verdict is not Verdict.PROBLEM or is_symptom(step):
        return False
    logs = (sign.causes for sign in pointing(signs) if sign.where in LOGS)
    return not (strongest(step) is Weight.GENERAL and any(causes != (step.cause,) for causes in logs))


def _rank(step: Step) -> tuple[int, int]:
    return RANK[strongest(step)], step.number


def _where_to_go_on(steps: tuple[Step, ...]) -> Step | None:
    """A cause that was named or a backup that hangs, else a symptom, else one that a sign points to, else the first
    that is unknown, last those that only may have been otherwise."""

    def how(step: Step) -> int:
        reasons = {finding.reason for finding in step.findings if finding.verdict is Verdict.UNKNOWN}
        if reasons & _FINDINGS_OF_THEIR_OWN:
            return 0
        if step.verdict is Verdict.PROBLEM:
            return 1
        if reasons == {"only_now"}:
            return 4
        return 2 if "contradicted" in reasons else 3

    open_steps = [step for step in steps if step.verdict in (Verdict.PROBLEM, Verdict.UNKNOWN)]
    return min(open_steps, key=lambda step: (how(step), step.number), default=None)


def _missing(steps: tuple[Step, ...], evidence: Evidence) -> tuple[str, ...]:
    findings = [finding for step in steps for finding in step.findings if finding.verdict is Verdict.UNKNOWN]
    names = {name: None for finding in findings for name in finding.evidence}
    return tuple(name for name in names if name not in evidence or not evidence[name].answered)


def _denied(evidence: Evidence) -> tuple[str, ...]:
    facts = [fact for fact in evidence.values() if fact.why == "missing_action"]
    return tuple({fact.details["action"]: None for fact in facts if "action" in fact.details})


def _outcome(steps: tuple[Step, ...], probable: Step | None, missing: tuple[str, ...], case: Case) -> Outcome:
    """No cause found only where nothing failed; a symptom alone decides nothing."""
    if probable:
        return Outcome.CAUSE_FOUND
    symptom = any(step.verdict is Verdict.PROBLEM for step in steps)
    if case.course.nothing_failed and not case.signs and not symptom:
        return Outcome.NO_CAUSE_FOUND
    denied = any(name in case.evidence and case.evidence[name].status is FactStatus.DENIED for name in missing)
    return Outcome.MISSING_RIGHTS if denied else Outcome.UNDECIDED
