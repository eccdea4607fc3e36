"""Simulated worlds for the remedies: a scenario, changed in a few keys, with tools over a run folder."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from azuresim.loading import SCENARIOS, make_world
from azuresim.serve import Simulator
from azuresim.world import World
from vmbackup.arm.connection import Azure
from vmbackup.collectors import collect
from vmbackup.diagnosis import walk
from vmbackup.model import Evidence, Step, Target, Verdict
from vmbackup.remedies.executor import Tools, open_tools
from vmbackup.remedies.plan import Plan, plan
from worlds import connected, serving

SECTIONS = ("internal_error", "disk_not_supported")


@dataclass
class Case:
    """A running world, the connection to it, its VM, and tools for changes."""

    world: World
    simulator: Simulator
    azure: Azure
    target: Target
    tools: Tools

    def look(self) -> Evidence:
        return collect(self.azure, self.target, deadline_s=20)

    def plans(self, evidence: Evidence | None = None) -> list[Plan]:
        evidence = self.look() if evidence is None else evidence
        return [each for step in problems(evidence) for each in plan(step, evidence, self.target, "en")]

    def plan(self, remedy: str, evidence: Evidence | None = None) -> Plan:
        return next(each for each in self.plans(evidence) if each.remedy == remedy)

    def sent(self, method: str, part: str) -> int:
        return sum(found == method and part.lower() in path.lower() for found, path in self.simulator.requests)


def problems(evidence: Evidence) -> list[Step]:
    """Every step with a problem, over all sections, each cause once."""
    steps = {step.cause: step for section in SECTIONS for step in walk(section, evidence).steps}
    return [step for step in steps.values() if step.verdict is Verdict.PROBLEM]


@contextmanager
def opened(scenario: str, folder: Path, port: int = 0, **changes: Any) -> Iterator[Case]:
    """The scenario with top-level keys replaced or added."""
    given = yaml.safe_load((SCENARIOS / f"{scenario}.yaml").read_text("utf-8")) or {}
    world = make_world(scenario, {**given, **changes})
    with serving(world, port=port) as simulator:
        azure, target = connected(simulator, world)
        yield Case(world, simulator, azure, target, open_tools(azure, folder))
