"""What every check must say in every world: ``expected/<world>.yaml``.

A world lists only the verdicts that differ from those of the healthy world of its system, which lists all of them.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from azuresim.loading import load_world, parse
from vmbackup.checks.base import load
from vmbackup.diagnosis import diagnose
from vmbackup.model import SIGNS, Evidence

FOLDER = Path(__file__).parent / "expected"
HEALTHY = ("healthy_linux", "healthy_windows")


def written(world: str) -> dict[str, Any]:
    """The world's own file as it is."""
    return dict(parse((FOLDER / f"{world}.yaml").read_text("utf-8")))


def expected(world: str) -> dict[str, Any]:
    """The world's expectations in full."""
    own = written(world)
    return own if "stops" in own else {**own, "verdicts": healthy_verdicts(world) | own["verdicts"]}


def healthy_verdicts(world: str) -> dict[str, str]:
    """The verdicts from which this world's may differ; none for a healthy world itself."""
    healthy = f"healthy_{load_world(world).machines[0]['os']}"
    return {} if world == healthy else dict(written(healthy)["verdicts"])


def observed(evidence: Evidence, section: str) -> dict[str, Any]:
    """What comes out of these facts, in the shape of an expectation: checks of another system are left out, and of the
    signs all but those that name a cause."""
    diagnosis = diagnose(section, evidence)
    findings = [finding for step in diagnosis.steps for finding in step.findings if finding.reason != "other_os"]
    named = {f"{SIGNS} of {each.cause}": each for each in findings if each.reason == "named"}
    checks = {check: each for check in load() for each in findings if each.check == check}
    return {
        "section": section,
        "outcome": str(diagnosis.outcome),
        "probable_cause": diagnosis.probable.cause if diagnosis.probable else None,
        "verdicts": {name: str(each.verdict) for name, each in (checks | named).items()},
    }
