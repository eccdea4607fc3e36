"""The truth table: which verdict every check gives in every world, end to end through SDK and HTTPS.

``expected/`` says what must come out (see ``expected_verdicts.py``). Whoever changes a line there has to say why the
old verdict was wrong; `make expectations` prints what a new world gives.
"""

from __future__ import annotations

import pytest

from azuresim.loading import scenario_names
from expected_verdicts import FOLDER, expected, healthy_verdicts, observed, written
from vmbackup import catalog
from vmbackup.model import SetupError
from worlds import examine

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


@pytest.mark.parametrize("world", WORLDS)
def test_world(world: str) -> None:
    wanted = expected(world)
    if "stops" in wanted:
        with pytest.raises(SetupError) as stopped:
            examine(world)
        assert wanted["stops"] in str(stopped.value)
        return
    deadline_s = wanted.pop("deadline_s", 20)
    assert observed(examine(world, deadline_s), wanted["section"]) == wanted


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
