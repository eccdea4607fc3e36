"""What is known of Azure today and may change: every limit, version and rule that a verdict depends on.

``data/knowledge.yaml`` holds them with source, date and the day of the next review. An entry without one of these
raises CatalogError.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any

from vmbackup.catalog.entries import check_sourced, sources
from vmbackup.catalog.reading import read
from vmbackup.catalog.rules import check_keys, check_known, check_texts
from vmbackup.model import CatalogError

FILE = "knowledge.yaml"
_REQUIRED = {"value", "says", "sources", "as_of", "review"}
_OTHER = {"value", "says", "sources"}
Value = int | str | None


@dataclass(frozen=True, slots=True)
class Other:
    """What another source says instead."""

    value: Value
    says: Mapping[str, str]
    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Knowledge:
    """One limit, version or rule. ``value`` None: a rule without a number; ``disputed``: two sources disagree."""

    id: str
    value: Value
    says: Mapping[str, str]
    sources: tuple[str, ...]
    as_of: str
    review: str
    disputed: Other | None = None

    def is_due(self, day: date) -> bool:
        """Whether its review was due before this day."""
        return date.fromisoformat(self.review) < day

    def exceeded_by(self, amount: float) -> bool | None:
        """Whether this is more than the limit; None where the sources disagree about it."""
        limits = [each.value for each in (self, self.disputed) if each is not None and isinstance(each.value, int)]
        if not limits:
            raise CatalogError(f"{FILE}: {self.id}.value is no number")
        return amount > max(limits) if (amount > min(limits)) is (amount > max(limits)) else None


@cache
def knowledge() -> Mapping[str, Knowledge]:
    """All entries by id, in the file's order."""
    return load(read(FILE))


def load(entries: Mapping[str, Any]) -> Mapping[str, Knowledge]:
    """The knowledge of these entries. Raises CatalogError for one without value, source or date."""
    return {id: _entry(id, entry) for id, entry in entries.items()}


def _entry(id: str, entry: Any) -> Knowledge:
    where = f"{FILE}: {id}"
    check_keys(entry, _REQUIRED | ({"disputed"} & set(entry)), where)
    check_sourced(entry, where)
    check_texts({"says": entry["says"]}, where)
    _check_day(entry["review"], f"{where}.review")
    return Knowledge(
        id,
        entry["value"],
        entry["says"],
        tuple(entry["sources"]),
        entry["as_of"],
        entry["review"],
        _other(entry["disputed"], f"{where}.disputed") if "disputed" in entry else None,
    )


def _other(entry: Any, where: str) -> Other:
    check_keys(entry, _OTHER, where)
    check_known(entry["sources"], sources(), f"{where}.sources")
    check_texts({"says": entry["says"]}, where)
    return Other(entry["value"], entry["says"], tuple(entry["sources"]))


def _check_day(day: Any, where: str) -> None:
    try:
        date.fromisoformat(day)
    except (TypeError, ValueError):
        raise CatalogError(f'{where} must be a day in quotes, like "2026-11-23"') from None


def number(id: str) -> int:
    """The number of an entry. Raises CatalogError where it has none."""
    value = knowledge()[id].value
    if not isinstance(value, int):
        raise CatalogError(f"{FILE}: {id}.value is no number")
    return value


def version(id: str) -> str:
    """The version of an entry. Raises CatalogError where it has none."""
    value = knowledge()[id].value
    if not isinstance(value, str):
        raise CatalogError(f"{FILE}: {id}.value is no version")
    return value
