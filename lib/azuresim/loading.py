"""Loading: a world from a few lines of YAML, every default filled in. Fixed clock, no chance."""

from __future__ import annotations

import re
from copy import deepcopy
from pathlib import Path
from typing import Any

import yaml

from azuresim import defaults, guest, history, schema
from azuresim.conditions import TERMS
from azuresim.ids import parse_time, short
from azuresim.world import World

SCENARIOS = Path(__file__).parent / "scenarios"
NOW = "2026-11-23T03:00:00Z"
# What has no place in the names of Azure's resources.
_NO_NAME = re.compile(r"[^A-Za-z0-9]+")


def scenario_names() -> list[str]:
    """All worlds that come with the simulator."""
    return sorted(path.stem for path in SCENARIOS.glob("*.yaml"))


def is_file(name_or_path: str | Path) -> bool:
    """Whether this is the path of a world's file and not the name of a scenario."""
    return Path(name_or_path).suffix in (".yaml", ".yml")


def load_world(name_or_path: str | Path, seed: int = 0) -> World:
    """A fresh world: a scenario by name, or any YAML file. Raises :class:`~azuresim.schema.WorldError`.

    Guest outputs may stand beside the file: ``<os>_<machine>.txt`` for the machine that ``run_command`` names, and
    ``<world>.guest.txt``, which an operator pasted.
    """
    path, given = read_spec(name_or_path)
    try:
        for fault in given.get("faults", []):
            re.compile(fault["match"])
        world = make_world(_NO_NAME.sub("_", path.stem), given, seed, path)
    except (ValueError, KeyError, re.error) as exc:
        raise schema.WorldError(f"{path.name}: {type(exc).__name__}: {exc}") from exc
    if "machine" in given.get("run_command", {}):
        _check_machine(world, given["run_command"]["machine"])
    return world


def parse(content: str) -> Any:
    """What a YAML text says, read by libyaml where there is one: the parser in Python takes five times as long."""
    return yaml.load(content, getattr(yaml, "CSafeLoader", yaml.SafeLoader))


def read_spec(name_or_path: str | Path) -> tuple[Path, dict[str, Any]]:
    """What a scenario or a YAML file says, and where it stands. Raises :class:`~azuresim.schema.WorldError`."""
    path = Path(name_or_path)
    if not is_file(path):
        path = SCENARIOS / f"{name_or_path}.yaml"
    if not path.is_file():
        raise schema.WorldError(f"there is no world {str(name_or_path)!r}; there are: {', '.join(scenario_names())}")
    try:
        given = parse(path.read_text("utf-8")) or {}
    except (yaml.YAMLError, UnicodeError) as exc:
        raise schema.WorldError(f"{path.name}: not YAML: {exc}") from exc
    schema.check(path, given)
    for key in ("backup_fails_while", "crash_consistent_while"):
        schema.check_terms(path, key, given.get(key, []), TERMS)
    return path, given


def _check_machine(world: World, machine: str) -> None:
    os = world.machines[0]["os"]
    file = guest.output_file(os, machine, world.folder)
    if file is None:
        there = ", ".join(guest.machines(os, world.folder)) or "none"
        raise schema.WorldError(f"{world.file}: run_command.machine is {machine!r}; machines of {os}: {there}")
    try:
        guest.printed(file, "", "")
    except (OSError, ValueError, KeyError) as exc:
        raise schema.WorldError(f"{file}: not the output of the guest script: {exc}") from exc


def make_world(name: str, given: dict[str, Any], seed: int = 0, file: Path | None = None) -> World:
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
        file=file,
    )
    history.write(world)
    return world
