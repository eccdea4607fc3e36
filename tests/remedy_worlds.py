"""Simulated worlds for the remedies: a scenario, changed in a few keys, with what a change needs over a run folder."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from azuresim.loading import SCENARIOS, make_world, parse
from azuresim.serve import Simulator
from azuresim.world import World
from vmbackup.arm.audit import Audit, changes, rows
from vmbackup.arm.client import Arm
from vmbackup.arm.connection import Azure
from vmbackup.collectors import collect
from vmbackup.diagnosis import diagnose, every_finding
from vmbackup.model import Evidence, Step, Target, Verdict
from vmbackup.remedies.apply import Consent, apply
from vmbackup.remedies.executor import ChangeContext
from vmbackup.remedies.interrupted import Interrupted, interrupted
from vmbackup.remedies.plan import Plan, plan
from vmbackup.remedies.receipt import Receipt
from vmbackup.runs.folder import AUDIT, RunFolder
from worlds import connected, serving

SECTIONS = ("internal_error", "disk_not_supported")


@dataclass
class Case:
    """A running world, the connection to it, its VM, what was seen of it last, and what a change needs."""

    world: World
    simulator: Simulator
    azure: Azure
    target: Target
    context: ChangeContext
    evidence: Evidence = field(default_factory=dict)

    def look(self) -> Evidence:
        self.evidence = collect(self.azure, self.target, deadline_s=20)
        return self.evidence

    def plans(self, evidence: Evidence | None = None) -> list[Plan]:
        evidence = self.look() if evidence is None else evidence
        return [each for step in problems(evidence) for each in plan(step, evidence, self.target, "en")]

    def plan(self, remedy: str, evidence: Evidence | None = None) -> Plan:
        return next(each for each in self.plans(evidence) if each.remedy == remedy)

    def apply(self, plan: Plan, consent: Consent | None = None, **options: Any) -> Receipt:
        return apply(plan, self.evidence, self.context, consent or Consent.for_plan(plan), **options)

    def resumed(self) -> Interrupted:
        """What was left open, as the next run sees it."""
        open_ = self.context.journal.unfinished()
        return interrupted(open_, self.plans(), self.evidence, self.target, "en")

    def audited(self) -> list[dict[str, Any]]:
        return rows(self.context.audit.log)

    def changing(self) -> list[tuple[str, str]]:
        """Every request so far that may have changed something."""
        return [(method, path) for method, path in self.simulator.requests if changes(method, f"https://x{path}")]

    def sent(self, method: str, part: str) -> int:
        return sum(found == method and part.lower() in path.lower() for found, path in self.simulator.requests)


def problems(evidence: Evidence) -> list[Step]:
    """Every step with a problem, over all sections, each cause once."""
    steps = {step.cause: step for section in SECTIONS for step in diagnose(section, evidence).steps}
    return [step for step in steps.values() if step.verdict is Verdict.PROBLEM]


def change_context(azure: Azure, folder: RunFolder) -> ChangeContext:
    """As a run makes it, without the locks."""
    return ChangeContext(azure, Arm.on(azure), Audit(folder.log(AUDIT), azure.who()), folder.journal, every_finding)


@contextmanager
def opened(scenario: str, folder: Path, port: int = 0, **changes: Any) -> Iterator[Case]:
    """The scenario with top-level keys replaced or added."""
    given = parse((SCENARIOS / f"{scenario}.yaml").read_text("utf-8")) or {}
    world = make_world(scenario, {**given, **changes})
    with serving(world, port=port) as simulator:
        azure, target = connected(simulator, world)
        yield Case(world, simulator, azure, target, change_context(azure, RunFolder(folder)))
