"""Whether a world gets the same verdicts with the evidence of lists as without.

python -m tests.listed_worlds [WORLD...]    one line per world: what differs, and how many requests each way took

Without names all worlds, each by itself, and then a fleet whose VMs share vaults, policies and subnets.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Any

from azuresim.fleet import fleet
from azuresim.loading import load_world, scenario_names
from azuresim.serve import Simulator
from azuresim.world import World
from expected_verdicts import observed, written
from vmbackup.arm.connection import Azure
from vmbackup.collectors import collect
from vmbackup.fleet.inventory.build import build_inventory, facts_for_run
from vmbackup.fleet.inventory.model import InventoryVm, Scope
from vmbackup.model import Fact, Target
from vmbackup.runs.evidence import evidence_json, parse_evidence
from worlds import connected, serving

_VMS = 60


@dataclass(frozen=True)
class Compared:
    """One VM examined in both ways: what differs, what only the lists told because Azure's answer about the VM alone
    was damaged, and the requests that each way took."""

    vm: InventoryVm | None
    differs: dict[str, Any]
    told_by_lists: dict[str, Any]
    alone: int
    with_lists: int

    def __str__(self) -> str:
        open_signs = ", ".join(sign.reason for sign in self.vm.signs) if self.vm else "not listed"
        requests = f"{self.alone} requests, {self.with_lists} with lists"
        return f"{requests}; open: {open_signs or '-'}; told by lists: {self.told_by_lists}; differs: {self.differs}"


def comparable(world: str) -> bool:
    """Worlds in which nothing can be examined, or where somebody waits for a deadline, say nothing here."""
    own = written(world)
    return "stops" not in own and "deadline_s" not in own


def compare(world: str) -> Compared:
    """Examine a world's VM in both ways."""
    loaded = load_world(world)
    with serving(loaded) as simulator:
        azure, target = connected(simulator, loaded)
        return _compare(simulator, azure, target, listed(azure, loaded, target), world)


def compare_fleet(count: int) -> Iterator[tuple[str, Compared]]:
    """Examine each VM of a fleet in both ways."""
    worlds = list(fleet(count, seed=1, healthy=0.1))
    with serving(*worlds) as simulator:
        azure, _ = connected(simulator, worlds[0])
        vms = {vm.target.vm_id.lower(): vm for vm in build_inventory(azure, Scope(vaults=(worlds[0].vault_id,))).vms}
        for world in worlds:
            target = connected(simulator, world)[1]
            yield world.name, _compare(simulator, azure, target, vms.get(target.vm_id.lower()), world.name[6:])


def _compare(simulator: Simulator, azure: Azure, target: Target, vm: InventoryVm | None, world: str) -> Compared:
    section = written(world)["section"]
    alone, first = _counted(simulator, azure, target, {})
    known = saved(target, facts_for_run(vm)) if vm else {}
    with_lists, second = _counted(simulator, azure, target, known)
    was, now = observed(alone, section), observed(with_lists, section)
    verdicts = {name: (verdict, now["verdicts"].get(name)) for name, verdict in was.pop("verdicts").items()}
    others = {name: (value, now[name]) for name, value in was.items()}
    every = {name: pair for name, pair in {**verdicts, **others}.items() if pair[0] != pair[1]}
    told = {name: pair for name, pair in every.items() if pair[0] == "unknown" and world.startswith("error_")}
    return Compared(vm, {name: pair for name, pair in every.items() if name not in told}, told, first, second)


def listed(azure: Azure, loaded: World, target: Target) -> InventoryVm | None:
    """What the lists say of a world's VM."""
    found = build_inventory(azure, Scope(subscriptions=(loaded.subscription,)))
    return next((vm for vm in found.vms if vm.target.vm_id.lower() == target.vm_id.lower()), None)


def saved(target: Target, known: dict[str, Fact]) -> dict[str, Fact]:
    """The facts as they come out of a run folder."""
    return parse_evidence(json.dumps(evidence_json(target, known)).encode())[1] if known else {}


def _counted(simulator: Simulator, azure: Azure, target: Target, known: dict[str, Fact]) -> tuple[dict[str, Fact], int]:
    before = len(simulator.requests)
    facts = collect(azure, target, deadline_s=20, known=known)
    return facts, len(simulator.requests) - before


def main(names: list[str]) -> int:
    """Compare these worlds, or all."""
    worlds = ((world, compare(world)) for world in names or filter(comparable, scenario_names()))
    different = 0
    for world, compared in chain(worlds, () if names else compare_fleet(_VMS)):
        different += bool(compared.differs)
        print(f"{world}: {compared}", flush=True)
    print(f"{different} worlds differ")
    return bool(different)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
