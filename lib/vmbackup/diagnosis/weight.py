"""How strongly a finding speaks for its cause."""

from __future__ import annotations

from vmbackup import catalog
from vmbackup.model import SIGNS, Finding, Step, Verdict, Word


class Weight(Word):
    """Why a cause is probable, strongest first: Azure or a log names it, it was seen, or it is general hygiene. A
    symptom is no cause, and a rule or hygiene explains a failure only where there is one."""

    NAMED = "named"
    SEEN = "seen"
    RULE = "rule"
    GENERAL = "general"
    SYMPTOM = "symptom"


RANK = {Weight.NAMED: 0, Weight.SEEN: 1, Weight.RULE: 1, Weight.GENERAL: 2}


def weight(finding: Finding) -> Weight:
    """How strongly this finding speaks for its cause."""
    if finding.check == SIGNS or finding.reason == "named":
        return Weight.NAMED
    given = catalog.checks()[finding.check]["weight"]
    return Weight(given if isinstance(given, str) else given.get(finding.reason, str(Weight.SEEN)))


def is_symptom(step: Step) -> bool:
    """Whether all that was found only says again that something is wrong, such as an agent that is not Ready."""
    return step.verdict is Verdict.PROBLEM and strongest(step) is Weight.SYMPTOM


def strongest(step: Step) -> Weight:
    """The strongest evidence of a step with a problem."""
    weights = [weight(finding) for finding in step.findings if finding.verdict is Verdict.PROBLEM]
    return min(weights, key=lambda each: RANK.get(each, len(RANK)))
