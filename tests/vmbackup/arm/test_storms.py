"""Whatever a storm does to a fleet's answers, it slows the fleet, and no verdict becomes another one than unknown."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import count
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
    assert refused(Bucket(40, 40), tmp_path / "rates") < 0.05


def test_who_keeps_to_no_limit_is_refused() -> None:
    requests = count()
    # Its clock is that of somebody who sends a hundred a second, however busy this machine is.
    assert refused(Bucket(40, 40, clock=lambda: next(requests) / 100), None) > 0.2


def refused(bucket: Bucket, rates: Path | None) -> float:
    """The share of the requests that were more than the bucket allows."""
    worlds = list(fleet(5, vaults=2, seed=4, healthy=1))
    with serving(*worlds, storm=Storm(allowed=bucket)) as simulator:
        verdicts(simulator, worlds, rates)
        return bucket.refused / len(simulator.requests)


def verdicts(simulator: Simulator, worlds: list[World], rates: Path | None) -> dict[tuple[str, str], str]:
    """What each check says of each VM, all examined at the same time."""
    options = {"rate_file": str(rates)} if rates else {}

    def examine(world: World) -> dict[tuple[str, str], str]:
        azure, target = connected(simulator, world, **options)
        said = observed(collect(azure, target, deadline_s=DEADLINE_S), SECTION)["verdicts"]
        return {(world.name, check): str(found) for check, found in said.items()}

    with ThreadPoolExecutor(4) as pool:
        return {name: said for found in pool.map(examine, worlds) for name, said in found.items()}
