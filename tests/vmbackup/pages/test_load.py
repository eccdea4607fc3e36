"""The load while the snapshot was taken: drawn, and the same figures as a table."""

from __future__ import annotations

import pytest

from vmbackup.model import Fact, FactStatus
from vmbackup.pages import load as plot
from worlds import examine


@pytest.mark.parametrize("language", ["en", "de"])
def test_the_chart_has_a_table_that_says_the_same(language: str) -> None:
    page = plot.page(examine("snapshot_high_cpu_linux"), language)
    assert "<svg" in page.html()
    for twin in (page.text(), page.markdown()):
        assert "CPU" in twin
        assert "9" in twin
        assert "%" in twin


@pytest.mark.parametrize(
    ("fact", "says"),
    [
        (Fact(FactStatus.FAILED, why="timeout", details={"seconds": "30"}), "30"),
        (Fact(FactStatus.OK, {"window": "job", "start": None, "end": None, "series": {}}), "no metrics"),
    ],
)
def test_without_figures_there_is_a_reason_and_no_chart(fact: Fact, says: str) -> None:
    page = plot.page({"vm.metrics": fact}, "en")
    assert says in page.text()
    assert "<svg" not in page.html()
