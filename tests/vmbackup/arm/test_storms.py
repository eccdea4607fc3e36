"""Whatever a storm does to a fleet's answers, it slows the fleet, and no verdict becomes another one than unknown."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from azuresim.fleet import fleet
from azuresim.serve import Simulator
from azuresim.storm import Bucket, Storm
from azuresim.world import World
from expected_verdicts import observed
from vmbackup.collectors import collect
from worlds import connected, serving

DEADLINE_S = 4
SECTION = "agent_unreachable"


def test_a_storm_leaves_each_verdict_as_it_is_or_unknown(tmp_path: Path) -> None:
    worlds = list(fleet(8, vaults=2, seed=4, healthy=0.2))
    with serving(*worlds) as simulator:
        calm = verdicts(simulator, worlds, tmp_path / "calm")
        simulator.azure.storm = Storm(throttled=0.1, cut=0.05, hung=0.01)
        stormy = verdicts(simulator, worlds, tmp_path / "stormy")
    assert [name for name, said in stormy.items() if said not in (calm.get(name), "unknown")] == []
    assert sum(said == calm.get(name) for name, said in stormy.items()) > len(calm) / 2


def test_who_is_told_that_little_is_left_rests_before_being_refused(tmp_path: Path) -> None:
    worlds = list(fleet(5, vaults=2, seed=4, healthy=1))
    refused = {}
    for is_limited in (True, False):
        bucket = Bucket(40, 40)
        with serving(*worlds, storm=Storm(allowed=bucket)) as simulator:
            verdicts(simulator, worlds, tmp_path / "rates" if is_limited else None)
            refused[is_limited] = bucket.refused / len(simulator.requests)
    assert refused[True] < 0.05
    assert refused[False] > 0.2


def verdicts(simulator: Simulator, worlds: list[World], rates: Path | None) -> dict[tuple[str, str], str]:
    """What each check says of each VM, all examined at the same time."""
    options = {"rate_file": str(rates)} if rates else {}

    def examine(world: World) -> dict[tuple[str, str], str]:
        azure, target = connected(simulator, world, **options)
        said = observed(collect(azure, target, deadline_s=DEADLINE_S), SECTION)["verdicts"]
        return {(world.name, check): str(found) for check, found in said.items()}

    with ThreadPoolExecutor(4) as pool:
        return {name: said for found in pool.map(examine, worlds) for name, said in found.items()}
