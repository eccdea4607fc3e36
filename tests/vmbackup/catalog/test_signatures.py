"""The table of signatures is whole: every entry has its sources, its date and both languages, or loading fails."""

from __future__ import annotations

from typing import Any

import pytest

from vmbackup import catalog
from vmbackup.catalog.signatures import Strength, load, signatures
from vmbackup.model import CatalogError

GOOD: dict[str, Any] = {
    "in": ["job"],
    "codes": ["UserErrorOne"],
    "causes": ["vss"],
    "strength": "names",
    "means": {"en": "a", "de": "a"},
    "check": {"en": "b", "de": "b"},
    "sources": ["T1"],
    "as_of": "2026-11-28",
}


@pytest.mark.parametrize(
    ("changes", "names"),
    [
        ({"sources": None}, "sources"),
        ({"sources": []}, "sources is empty"),
        ({"sources": ["NOBODY"]}, "NOBODY"),
        ({"as_of": None}, "as_of"),
        ({"as_of": "soon"}, "as_of"),
        ({"in": ["attic"]}, "attic"),
        ({"causes": ["moon"]}, "moon"),
        ({"strength": "loud"}, "loud"),
        ({"causes": [], "strength": "points"}, "has causes"),
        ({"strength": "wrapper"}, "has no causes"),
        ({"check": None}, "check"),
        ({"means": {"en": "a"}}, "means"),
        ({"sections": ["nowhere"]}, "nowhere"),
        ({"colour": "red"}, "colour"),
        ({"messages": {"en": ["a"]}}, "messages"),
        ({"patterns": ["a.*b"]}, "a.*b"),
        ({"patterns": ["(a+)+"]}, "may take long"),
        ({"patterns": ["a/b"]}, "slash"),
        ({"patterns": ["a "]}, "blank"),
        ({"patterns": ["("]}, "is none"),
    ],
)
def test_an_entry_that_is_not_whole_fails_the_load(changes: dict[str, Any], names: str) -> None:
    entry = {key: value for key, value in {**GOOD, **changes}.items() if value is not None}
    with pytest.raises(CatalogError, match=r"signatures\.yaml: one") as refused:
        load({"one": entry})
    assert names in str(refused.value)


def test_nothing_stands_there_twice() -> None:
    with pytest.raises(CatalogError, match="UserErrorone is already in one"):
        load({"one": GOOD, "two": {**GOOD, "codes": ["UserErrorone"]}})


def test_the_part_that_distinguishes() -> None:
    table = load({"one": {**GOOD, "messages": {"en": ["It failed [due to rain]."], "de": ["Es regnet"]}}})
    assert [(each.text, each.distinguishing) for each in table["one"].messages] == [
        ("It failed due to rain.", "due to rain"),
        ("Es regnet", "Es regnet"),
    ]


def test_every_cause_that_azure_names_has_signatures() -> None:
    without = {"consistency", "disk_load"}
    spoken_for = {cause for signature in signatures().values() for cause in signature.causes}
    assert spoken_for == set(catalog.causes()) - without


def test_every_status_of_the_linux_extension_is_in_the_table() -> None:
    """Azure/azure-linux-extensions, VMBackup/main/ExtensionErrorCodeHelper.py, August 2026."""
    known = {status for signature in signatures().values() for status in signature.statuses}
    assert known == {0, 1, 2, 3, 4, *range(11, 18), 76, 85, *range(121, 125), 173, *range(300, 319), 402}.union(
        range(500, 513), {556, 761}
    )


def test_what_names_nothing_says_so() -> None:
    for signature in signatures().values():
        assert bool(signature.causes) or signature.strength in (Strength.WRAPPER, Strength.HARMLESS, Strength.NAMES)
