"""No world is judged wrongly: neither a true cause ruled out, nor an innocent one found, nor a failure passed over."""

from __future__ import annotations

import pytest

from azuresim.loading import scenario_names
from expected_verdicts import written
from truth import WORLDS, Measure, examined, judged, labels, path_of, something_failed
from withholding import breaches

LABELS = labels()
# One stopped agent in each: the worlds in which Azure answers badly are measured by `make truth-all`.
MEASURED = [name for name in LABELS if not name.startswith("error_")]
# Of all ways to withhold something of a world's evidence, here only one in so many; all of them in `make truth-all`.
ONE_IN = 10


def test_every_world_has_its_label_and_no_label_is_left_over() -> None:
    worlds = {name for name in scenario_names() if "stops" not in written(name)}
    assert set(LABELS) == worlds | {path.stem for path in WORLDS.glob("*.yaml")}


@pytest.mark.parametrize(("number", "name"), list(enumerate(MEASURED)), ids=MEASURED)
def test_a_world_is_not_judged_wrongly_and_withheld_evidence_creates_no_verdict(number: int, name: str) -> None:
    label, path = LABELS[name], path_of(name)
    run = examined(path, label.section)
    measured = judged(label, run.diagnosis(), something_failed(path))
    assert measured.measure is not Measure.WRONG, measured.why
    assert list(breaches(run.section, run.evidence, ONE_IN, number % ONE_IN)) == []
