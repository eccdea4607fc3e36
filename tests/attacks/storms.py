"""A fleet in a storm, from end to end: Azure refuses, breaks off and falls silent. That slows the run and fails no VM;
a verdict stays as it is in calm weather or becomes unknown, and no VM is left out for want of a list."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from attacks.attack import Attack, Case
from server import Server

COUNT = 40
SEEDS = 5
STORMS = {
    "throttled": ("--throttle", "0.25"),
    "cut": ("--cut", "0.05"),
    "hung": ("--hang", "0.01"),
    "all": ("--throttle", "0.15", "--cut", "0.05", "--hang", "0.01"),
}
ENDS = (0, 1, 3, 4)
LONGEST_S = 1800
Verdicts = dict[str, dict[str, str]]
_DECIDED = ("ok", "problem")
"""What a storm must not make of another verdict: that a check has nothing to say decides nothing."""


def cases() -> list[Case]:
    """Every storm over some fleets."""
    return [(storm, seed) for seed in range(SEEDS) for storm in STORMS]


def attempt(storm: str, seed: int) -> list[str]:
    """One fleet in one storm."""
    before, (code, now) = calm(seed), examined(seed, STORMS[storm])
    found = [] if code in ENDS else [f"ended with {code}"]
    found += [f"left out: {vm}" for vm in before if vm not in now]
    for vm, verdicts in before.items():
        said = now.get(vm, {})
        pairs = [(cause, was, said.get(cause, was)) for cause, was in verdicts.items()]
        found += [f"{vm}, {cause}: {was} → {is_}" for cause, was, is_ in pairs if is_ in _DECIDED and is_ != was]
    return found


@cache
def calm(seed: int) -> Verdicts:
    """What is said of each VM when nothing is wrong."""
    code, found = examined(seed, ())
    assert code in ENDS, code
    return found


def examined(seed: int, storm: tuple[str, ...]) -> tuple[int, Verdicts]:
    """The exit code of ``vmbackup fleet`` over a vault, and what each check says of each VM that was examined."""
    words = ("--fleet", str(COUNT), "--healthy", "0.5", "--seed", str(seed), *storm)
    with TemporaryDirectory() as made, Server(*words) as server:
        command = [sys.executable, "-m", "vmbackup", "fleet", "--vault", server.vaults[0], "--folder", f"{made}/fleet"]
        environment = {**os.environ, **server.environment}
        nowhere = subprocess.DEVNULL
        ran = subprocess.run(command, env=environment, stdout=nowhere, stderr=nowhere, timeout=LONGEST_S, check=False)
        results = sorted(Path(made, "fleet", "vms").glob("*/result.json"))
        return ran.returncode, {path.parent.name: _verdicts(json.loads(path.read_text())) for path in results}


def _verdicts(result: dict[str, object]) -> dict[str, str]:
    steps = result["steps"]
    assert isinstance(steps, list)
    return {finding["check"]: finding["verdict"] for step in steps for finding in step["findings"]}


ATTACK = Attack("a storm fails no VM of a fleet, and a verdict stays or becomes unknown", cases, attempt)
