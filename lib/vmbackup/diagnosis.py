"""The walk: a section's causes in the article's order, all others after them, each judged on the evidence.

Pure: the same evidence gives the same walk, today or in a replay.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from vmbackup import catalog
from vmbackup.checks.base import load, run
from vmbackup.failures.jobs import failed_unlisted
from vmbackup.model import Evidence, FactStatus, Step, Verdict, Word


class Outcome(Word):
    """How a walk ended; the command line's exit codes are made from it."""

    NO_CAUSE_FOUND = "no_cause_found"
    CAUSE_FOUND = "cause_found"
    UNDECIDED = "undecided"
    MISSING_RIGHTS = "missing_rights"


@dataclass(frozen=True, slots=True)
class Walk:
    """The judged steps of one section on one VM.

    ``probable`` is the first step with a problem: the cause to remedy first. ``next`` is where to go on: that step,
    else the first that is unknown. ``missing`` are the facts that an unknown step lacks; ``denied`` are all
    RBAC actions that were refused, also where another way gave the answer.
    """

    section: str | None
    steps: tuple[Step, ...]
    probable: Step | None
    next: Step | None
    outcome: Outcome
    missing: tuple[str, ...]
    denied: tuple[str, ...]

    def step(self, cause: str) -> Step:
        """The step of this cause. Raises KeyError when the section does not have it."""
        for step in self.steps:
            if step.cause == cause:
                return step
        raise KeyError(f"section {self.section} has no cause {cause}")


def walk(section: str | None, evidence: Evidence) -> Walk:
    """Judge all causes of the section, in order; without a section, all causes that there are (the general walk)."""
    steps = tuple(judge(number, cause, section, evidence) for number, cause in enumerate(causes_of(section), 1))
    probable = next((step for step in steps if step.verdict is Verdict.PROBLEM), None)
    unknown = next((step for step in steps if step.verdict is Verdict.UNKNOWN), None)
    missing = _missing(steps, evidence)
    outcome = _outcome(steps, missing, evidence)
    return Walk(section, steps, probable, probable or unknown, outcome, missing, _denied(evidence))


def causes_of(section: str | None) -> list[str]:
    """The section's causes in the article's order, then the likeliest additions, then all others: an error that wraps
    another opens the wrong door, and the right cause must still be in the house."""
    entry = catalog.sections()[section] if section else {"causes": [], "additions": []}
    return list(dict.fromkeys([*entry["causes"], *entry["additions"], *catalog.causes()]))


def judge(number: int, cause: str, section: str | None, evidence: Evidence) -> Step:
    """Judge one cause of a section: all of its checks, in the catalogue's order."""
    entry = catalog.causes()[cause]
    checks = load()
    findings = tuple(run(checks[name], evidence, operating_system(evidence)) for name in entry["checks"])
    added = entry["addition"] if section is None else cause not in catalog.sections()[section]["causes"]
    return Step(number, cause, bool(added), findings)


def operating_system(evidence: Evidence) -> str | None:
    """``windows``, ``linux`` or None, as the VM's model says."""
    model: Mapping[str, Any] | None = evidence["vm.model"].data if "vm.model" in evidence else None
    return model["os"] if model else None


def _missing(steps: tuple[Step, ...], evidence: Evidence) -> tuple[str, ...]:
    findings = [finding for step in steps for finding in step.findings if finding.verdict is Verdict.UNKNOWN]
    names = {name: None for finding in findings for name in finding.evidence}
    return tuple(name for name in names if name not in evidence or not evidence[name].answered)


def _denied(evidence: Evidence) -> tuple[str, ...]:
    facts = [fact for fact in evidence.values() if fact.why == "missing_action"]
    return tuple({fact.details["action"]: None for fact in facts if "action" in fact.details})


def _outcome(steps: tuple[Step, ...], missing: tuple[str, ...], evidence: Evidence) -> Outcome:
    verdicts = {step.verdict for step in steps}
    if Verdict.PROBLEM in verdicts:
        return Outcome.CAUSE_FOUND
    if Verdict.UNKNOWN not in verdicts or nothing_failed(evidence):
        return Outcome.NO_CAUSE_FOUND
    denied = any(name in evidence and evidence[name].status is FactStatus.DENIED for name in missing)
    return Outcome.MISSING_RIGHTS if denied else Outcome.UNDECIDED


def nothing_failed(evidence: Evidence) -> bool:
    """Whether Azure said that no backup has failed since the last good one; False where it was not told."""
    failed, jobs, item = (evidence.get(f"backup.{name}") for name in ("failed_job", "jobs", "item"))
    if failed is None or failed.status is not FactStatus.ABSENT:
        return False
    listed = jobs.data if jobs and jobs.status is FactStatus.OK else []
    return not failed_unlisted(listed, item.data if item else None)
