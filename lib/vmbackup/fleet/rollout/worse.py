"""Whether a VM is worse than before a change: something was known to be well before it, and no longer is. Pure.

A VM is worse where
    it was running, and now it is not, or that is not known
    its agent was reporting, and it has not reported since the change: Azure lists a dead agent as Ready for a while
    a check was ok, and now it finds a problem

What was not known before does not count, whatever is found now. A remedy that failed, or whose outcome is not known,
counts as worse too; its receipt says so.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, TypedDict

from vmbackup import clock
from vmbackup.checks.shared.agent_state import reports_now
from vmbackup.facts import schema
from vmbackup.model import Evidence, Finding, Step, Verdict, data_of
from vmbackup.remedies.receipt import Receipt

_Finding = tuple[str, str]
# Why an interrupted remedy was closed without being continued.
_GONE_BY_ITSELF = "problem_gone"
_SAYS_NOTHING = ("not_sent", "repeated")


@dataclass(frozen=True, slots=True)
class Condition:
    """What was known to be well: that the VM runs, that its agent reports, and the ok findings as (cause, check)."""

    runs: bool
    reports: bool
    well: frozenset[_Finding]

    @classmethod
    def of(cls, evidence: Evidence, steps: Iterable[Step]) -> Condition:
        """The condition that this evidence shows."""
        well = (finding for finding in _findings(steps) if finding.verdict is Verdict.OK)
        return cls(_runs(evidence), reports(evidence), frozenset((finding.cause, finding.check) for finding in well))

    def as_json(self) -> dict[str, Any]:
        """As plain JSON."""
        return {"runs": self.runs, "reports": self.reports, "well": sorted(map(list, self.well))}

    @classmethod
    def from_json(cls, content: object) -> Condition | None:
        """The condition from what :meth:`as_json` returned; None for anything else."""
        if schema.error(content, _Condition):
            return None
        found: Any = content
        return cls(found["runs"], found["reports"], frozenset((pair[0], pair[-1]) for pair in found["well"] if pair))


class _Condition(TypedDict):
    runs: bool
    reports: bool
    well: list[list[str]]


@dataclass(frozen=True, slots=True)
class Worsening:
    """Why a VM is worse: a key under ``rollout.worse``, and the finding where a check says so."""

    key: str
    finding: Finding | None = None


def reports(evidence: Evidence, since: str | None = None) -> bool:
    """Whether the VM's agent is seen to report now, with a report that is newer than ``since``."""
    if not reports_now(data_of(evidence, "vm.power"), data_of(evidence, "vm.agent")):
        return False
    return since is None or (reported_at(evidence) or "") > since


def _runs(evidence: Evidence) -> bool:
    power = data_of(evidence, "vm.power")
    return power is not None and power["power"] == "running"


def reported_at(evidence: Evidence) -> str | None:
    """When the VM's agent reported last."""
    agent = data_of(evidence, "vm.agent")
    return clock.stamp(agent["reported_at"]) if agent else None


def worsened(
    before: Condition, evidence: Evidence, steps: Iterable[Step], since: str | None = None
) -> Worsening | None:
    """Why the VM is worse than before the change; None where nothing shows that. ``since`` is the agent's last report
    when the change was just made: it must have reported after that."""
    if before.runs and not _runs(evidence):
        return Worsening("power" if data_of(evidence, "vm.power") else "power_unseen")
    if before.reports and not reports(evidence, since):
        return Worsening("agent" if data_of(evidence, "vm.agent") else "agent_unseen")
    problems = (finding for finding in _findings(steps) if finding.verdict is Verdict.PROBLEM)
    found = next((finding for finding in problems if (finding.cause, finding.check) in before.well), None)
    return Worsening("check", found) if found else None


def says_how_it_ended(receipt: Receipt) -> bool:
    """Whether the receipt tells how a sent change ended; False where an interrupted run had sent nothing yet."""
    return not (receipt.outcome == "superseded" and receipt.code in _SAYS_NOTHING)


def went_wrong(receipt: Receipt) -> bool:
    """Whether the remedy failed, or its outcome is not known. One that was interrupted, and whose problem has gone
    since, did not go wrong."""
    return not (receipt.cured or (receipt.outcome == "superseded" and receipt.code == _GONE_BY_ITSELF))


def helped(cures: Iterable[str], steps: Iterable[Step]) -> Verdict:
    """Whether the checks that a remedy cures are well now: ok, problem, or unknown."""
    wanted = set(cures)
    verdicts = {finding.verdict for finding in _findings(steps) if finding.check in wanted}
    if verdicts.isdisjoint((Verdict.PROBLEM, Verdict.UNKNOWN)) and Verdict.OK in verdicts:
        return Verdict.OK
    return Verdict.PROBLEM if Verdict.PROBLEM in verdicts else Verdict.UNKNOWN


def _findings(steps: Iterable[Step]) -> list[Finding]:
    return [finding for step in steps for finding in step.findings]
