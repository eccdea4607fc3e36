"""What ages: every limit and rule has a source, a date and a day to look again, and is read by some check."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from typer.testing import CliRunner

from vmbackup.catalog.knowledge import knowledge, load, number, version
from vmbackup.checks import base
from vmbackup.cli.main import app
from vmbackup.model import CatalogError

GOOD: dict[str, Any] = {
    "value": 64,
    "says": {"en": "a", "de": "b"},
    "sources": ["SM26"],
    "as_of": "2026-03-26",
    "review": "2027-06-30",
}


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"sources": []}, "sources"),
        ({"sources": ["NOWHERE"]}, "NOWHERE is not known"),
        ({"as_of": None}, "as_of"),
        ({"review": "next year"}, "review must be a day"),
        ({"says": {"en": "a"}}, "must be a text"),
        ({"more": 1}, "unknown key"),
        ({"disputed": {"value": 1, "says": {"en": "a", "de": "b"}}}, "disputed lacks sources"),
    ],
)
def test_an_entry_without_source_or_date_is_refused(change: dict[str, Any], complaint: str) -> None:
    with pytest.raises(CatalogError, match=complaint):
        load({"limit": GOOD | change})


def test_a_missing_key_is_refused() -> None:
    for key in GOOD:
        with pytest.raises(CatalogError, match=f"limit lacks {key}"):
            load({"limit": {name: value for name, value in GOOD.items() if name != key}})


def test_an_entry_is_due_after_its_day() -> None:
    entry = load({"limit": GOOD})["limit"]
    assert not entry.is_due(date(2027, 6, 30))
    assert entry.is_due(date(2027, 7, 1))


@pytest.mark.parametrize(("amount", "expected"), [(32, False), (33, None), (64, None), (65, True)])
def test_between_two_sources_that_disagree_nothing_is_said(amount: int, expected: bool | None) -> None:
    other = {"value": 32, "says": {"en": "a", "de": "b"}, "sources": ["IR25"]}
    assert load({"limit": GOOD | {"disputed": other}})["limit"].exceeded_by(amount) is expected


def test_numbers_and_versions_are_told_apart() -> None:
    assert number("disk_largest_gb") == 64 * 1024
    assert version("linux_agent_minimum") == "2.2.53.1"
    for read, id in ((number, "linux_agent_minimum"), (version, "disk_largest_gb"), (number, "host_forced")):
        with pytest.raises(CatalogError):
            read(id)


def test_every_check_names_knowledge_that_is_there() -> None:
    named = {id for check in base.load().values() for id in check.knows}
    assert named <= set(knowledge())


def test_the_command_lists_what_is_known_and_what_is_due() -> None:
    said = CliRunner().invoke(app, ["knowledge", "--json", "--language", "de"])
    assert said.exit_code == 0
    assert '"id": "disk_largest_gb"' in said.stdout
    assert "Die Seite zur sofortigen Wiederherstellung nennt weiterhin 32 TB." in said.stdout
    assert CliRunner().invoke(app, ["knowledge", "--stale"], env={"COLUMNS": "200"}).exit_code == 0
