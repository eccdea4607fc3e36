"""The words of the product, English and German side by side, and how a sentence is filled.

Nothing outside of ``data`` holds a sentence.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Any

from vmbackup import clock
from vmbackup.catalog.entries import checks
from vmbackup.catalog.reading import read
from vmbackup.catalog.rules import LANGUAGES, check_texts, is_text
from vmbackup.model import CatalogError, Finding

_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)")
_TIME_IN_LOG = re.compile(r"\d{4}/\d\d/\d\d \d\d:\d\d:\d\d(\.\d+)?")


_ABOUT = ("", "_errors", "_remedies", "_widgets", "_ticket", "_start", "_fleet", "_fleet_run", "_rollout")
FILES = tuple(f"ui{name}.yaml" for name in _ABOUT)


@cache
def ui() -> Mapping[str, Any]:
    """The words of the product itself, of remedies and of the guided walk, nested, each ending in ``{en, de}``."""
    merged: dict[str, Any] = {}
    for file in FILES:
        words = read(file)
        check_texts(words, file)
        for key in words:
            if key in merged:
                raise CatalogError(f"{file}: {key} is already in ui.yaml")
        merged.update(words)
    return merged


def text(key: str, language: str, **values: Any) -> str:
    """The words of ``ui*.yaml`` under a dotted key such as ``why.missing_action``. Raises CatalogError when missing."""
    entry = _entry(key)
    if entry is None:
        raise CatalogError(f"ui.yaml: {key} is missing (or ui_*.yaml)")
    return fill(entry, language, values, f"ui.yaml: {key}")


def has_text(key: str) -> bool:
    """Whether ``ui*.yaml`` have words under this key."""
    return is_text(_entry(key))


def _entry(key: str) -> Any:
    entry: Any = ui()
    for part in key.split("."):
        entry = entry.get(part) if isinstance(entry, dict) else None
    return entry


def sentence(finding: Finding, language: str) -> str:
    """The finding in words: the check's own sentence, else the engine's (``ui.yaml``, ``finding.…``)."""
    entry = checks()[finding.check]["texts"].get(finding.reason)
    if entry is None:
        values = {"why": "", **finding.values}
        return text(f"finding.{finding.reason}", language, **values).strip()
    values = {"so_far": text("finding.not_checked", language), **finding.values}
    return fill(entry, language, values, f"checks.yaml: {finding.check}.texts.{finding.reason}")


def next_action(finding: Finding, language: str) -> str | None:
    """What to do about this finding: words for its reason, else for its verdict; None where there is nothing to do."""
    actions = checks()[finding.check]["next"]
    entry = actions.get(finding.reason) or actions.get(str(finding.verdict))
    if entry is None:
        return None
    return fill(entry, language, finding.values, f"checks.yaml: {finding.check}.next")


def fill(entry: Any, language: str, values: Mapping[str, Any], where: str) -> str:
    """One text with its values filled in. Raises CatalogError that names ``where`` when a value is missing.

    ``{count:# backup|# backups}`` says the first for one and the second for any other number; # is the number.
    """
    words = entry.get(language) if isinstance(entry, dict) else None
    if not isinstance(words, str):  # what was read is a text in every language or in none
        raise CatalogError(f"{where} is no text in {' and '.join(LANGUAGES)}")
    try:
        return words.format(**{name: _Worded(_worded(value, language)) for name, value in values.items()})
    except (KeyError, IndexError) as error:
        raise CatalogError(f"{where}: no value for {error}") from None


class _Worded(str):
    """A value as text that knows its singular and plural."""

    __slots__ = ()

    def __format__(self, forms: str) -> str:
        if not forms:
            return str(self)
        one, many = forms.split("|")
        return (one if self == "1" else many).replace("#", self)


def _worded(value: Any, language: str) -> str:
    """A value as text: one decimal for a fraction, as the language writes it, a time in UTC and the local zone, and a
    dash for nothing."""
    if value is None or value == "":
        return "–"
    if isinstance(value, float):
        words = f"{value:.1f}".removesuffix(".0")
        return words.replace(".", ",") if language == "de" else words
    if isinstance(value, (list, tuple)):
        return ", ".join(_worded(item, language) for item in value)
    words = str(value)
    if _TIME_IN_LOG.fullmatch(words):
        return clock.local(clock.of_log(words))
    return clock.local(words) if _TIME.fullmatch(words) else words
