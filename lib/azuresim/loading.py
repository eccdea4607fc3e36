"""Loading: a world from a few lines of YAML, every default filled in. Fixed clock, no chance."""

from __future__ import annotations

import re
from copy import deepcopy
from pathlib import Path
from typing import Any

import yaml

from azuresim import defaults, history, schema
from azuresim.conditions import TERMS
from azuresim.ids import parse_time, short
from azuresim.world import World

SCENARIOS = Path(__file__).parent / "scenarios"
NOW = "2026-11-23T03:00:00Z"


def scenario_names() -> list[str]:
    """All worlds that come with the simulator."""
    return sorted(path.stem for path in SCENARIOS.glob("*.yaml"))


def load_world(name_or_path: str | Path, seed: int = 0) -> World:
    """A fresh world: a scenario by name, or any YAML file. Raises :class:`~azuresim.schema.WorldError`."""
    path = Path(name_or_path)
    if path.suffix not in (".yaml", ".yml"):
        path = SCENARIOS / f"{name_or_path}.yaml"
    if not path.is_file():
        raise schema.WorldError(f"there is no world {str(name_or_path)!r}; there are: {', '.join(scenario_names())}")
    try:
        given = yaml.safe_load(path.read_text("utf-8")) or {}
    except (yaml.YAMLError, UnicodeError) as exc:
        raise schema.WorldError(f"{path.name}: not YAML: {exc}") from exc
    schema.check(path, given)
    for key in ("backup_fails_while", "crash_consistent_while"):
        schema.check_terms(path, key, given.get(key, []), TERMS)
    try:
        for fault in given.get("faults", []):
            re.compile(fault["match"])
        return make_world(path.stem, given, seed)
    except (ValueError, KeyError, re.error) as exc:
        raise schema.WorldError(f"{path.name}: {type(exc).__name__}: {exc}") from exc


def make_world(name: str, given: dict[str, Any], seed: int = 0) -> World:
    """A world from already parsed and checked YAML. Its names depend on ``name`` alone."""
    given = deepcopy(given)
    subject = defaults.machine(short(f"vm-{name.replace('_', '-')}", 60), given)
    neighbours = [
        defaults.machine(short(f"{subject['name']}-n{index + 1:02}", 60), {"os": subject["os"]})
        for index in range(given.get("neighbours", 0))
    ]
    policy = defaults.policy(given.get("policy", {}))
    nsgs = {}
    for key, place in (("nsg", "nic"), ("subnet_nsg", "subnet")):
        rules = given.get(key, [] if place == "nic" else None)
        if rules is not None:
            nsgs[place] = [defaults.rule(rule) for rule in rules]
    world = World(
        name=name,
        seed=seed,
        spec=given,
        now=parse_time(given.get("now", NOW)),
        machines=[subject, *neighbours],
        policies={policy["name"]: policy},
        nsgs=nsgs,
        routes=list(given.get("routes", [])),
        locks=list(given.get("locks", [])),
    )
    history.write(world)
    return world
