"""The truth table: which verdict every check gives in every world, end to end through SDK and HTTPS.

``expected/`` says what must come out (see ``expected_verdicts.py``). Whoever changes a line there has to say why the
old verdict was wrong; `make expectations` prints what a new world gives.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from azuresim.loading import load_world, scenario_names
from expected_verdicts import FOLDER, expected, healthy_verdicts, observed, written
from saying import refused
from vmbackup import catalog
from vmbackup.model import Fact
from worlds import examined, serving

WORLDS = scenario_names()


def test_every_world_has_its_expectations_and_no_expectation_is_left_over() -> None:
    assert {path.stem for path in FOLDER.glob("*.yaml")} == set(WORLDS)


def test_no_world_repeats_a_verdict_of_the_healthy_world() -> None:
    repeated = {
        world: same
        for world in WORLDS
        if (same := written(world).get("verdicts", {}).items() & healthy_verdicts(world).items())
    }
    assert repeated == {}


@pytest.fixture(scope="module")
def facts() -> Iterator[Callable[[str], dict[str, Fact]]]:
    """The facts about a world's VM. All worlds are behind one endpoint, each in a subscription of its own; those where
    somebody has to wait for the deadline are examined in the background from the start."""
    loaded = {name: load_world(name, seed) for seed, name in enumerate(WORLDS)}
    deadlines = {name: deadline for name in WORLDS if (deadline := written(name).get("deadline_s"))}
    with serving(*loaded.values()) as simulator, ThreadPoolExecutor(len(deadlines)) as pool:
        waiting = {
            name: pool.submit(examined, simulator, loaded[name], deadline) for name, deadline in deadlines.items()
        }
        yield lambda name: waiting[name].result() if name in waiting else examined(simulator, loaded[name])


@pytest.mark.parametrize("world", WORLDS)
def test_world(world: str, facts: Callable[[str], dict[str, Fact]]) -> None:
    wanted = expected(world)
    if "stops" in wanted:
        with refused(re.escape(wanted["stops"])):
            facts(world)
        return
    wanted.pop("deadline_s", None)
    assert observed(facts(world), wanted["section"]) == wanted


def test_every_problem_of_the_article_is_seen_in_some_world() -> None:
    seen = {
        check
        for world in WORLDS
        for check, verdict in expected(world).get("verdicts", {}).items()
        if verdict == "problem"
    }
    article = [name for name, entry in catalog.causes().items() if not entry["addition"]]
    control_plane = {
        check
        for cause in article
        for check in catalog.causes()[cause]["checks"]
        if not catalog.checks()[check]["needs_guest"]
    }
    # Several addresses on one interface are for the guest to set; Azure alone never sees a problem there.
    assert control_plane - seen == {"addresses_fit_dhcp"}
