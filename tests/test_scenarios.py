"""The truth table: which verdict every check gives in every world, end to end through SDK and HTTPS.

``expected/<world>.yaml`` says what must come out; checks of another operating system are left out. Whoever changes a
line there has to say why the old verdict was wrong.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from azuresim.loading import scenario_names
from vmbackup import catalog
from vmbackup.checks.base import load, run
from vmbackup.diagnosis import operating_system, walk
from vmbackup.model import SetupError
from worlds import examine

EXPECTED = Path(__file__).parent / "expected"
WORLDS = scenario_names()


def expected(world: str) -> dict[str, Any]:
    return dict(yaml.safe_load((EXPECTED / f"{world}.yaml").read_text("utf-8")))


def test_every_world_has_its_expectations_and_no_expectation_is_left_over() -> None:
    assert {path.stem for path in EXPECTED.glob("*.yaml")} == set(WORLDS)


@pytest.mark.parametrize("world", WORLDS)
def test_world(world: str) -> None:
    wanted = expected(world)
    if "stops" in wanted:
        with pytest.raises(SetupError) as stopped:
            examine(world)
        assert wanted["stops"] in str(stopped.value)
        return
    evidence = examine(world, wanted.get("deadline_s", 20))
    os = operating_system(evidence)
    findings = {name: run(check, evidence, os) for name, check in load().items()}
    verdicts = {name: str(finding.verdict) for name, finding in findings.items() if finding.reason != "other_os"}
    assert verdicts == wanted["verdicts"]
    walked = walk(wanted["section"], evidence)
    probable = walked.probable.cause if walked.probable else None
    assert (str(walked.outcome), probable) == (wanted["outcome"], wanted["probable_cause"])


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
