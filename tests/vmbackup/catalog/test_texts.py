from __future__ import annotations

import re
from collections.abc import Iterator
from importlib import resources
from typing import Any

import pytest

from vmbackup import catalog
from vmbackup.catalog.reading import read
from vmbackup.catalog.rules import check_texts, is_text
from vmbackup.catalog.texts import fill
from vmbackup.model import CatalogError, Finding, Verdict


def test_values_are_words_of_the_language() -> None:
    finding = Finding("disks_are_managed", "disks", Verdict.OK, "ok", {"count": 2.5})
    assert "2.5" in catalog.sentence(finding, "en")
    assert "2,5" in catalog.sentence(finding, "de")
    braces = Finding("disks_are_managed", "disks", Verdict.PROBLEM, "problem", {"disk": "{x} <script>"})
    assert "{x} <script>" in catalog.sentence(braces, "en")


def test_one_is_singular_and_anything_else_plural_in_both_languages() -> None:
    entry = {"en": "{count:# thread waits|# threads wait}", "de": "{count:Ein Thread wartet|# Threads warten}"}
    said = [[fill(entry, language, {"count": count}, "here") for count in (0, 1, 2)] for language in ("en", "de")]
    assert said == [
        ["0 threads wait", "1 thread waits", "2 threads wait"],
        ["0 Threads warten", "Ein Thread wartet", "2 Threads warten"],
    ]
    with pytest.raises(CatalogError, match="has no singular and plural"):
        check_texts({"key": {"en": "{count:threads}", "de": "{count:Threads}"}}, "file")


@pytest.mark.parametrize("written", ["2026-11-23T02:14:09Z", "2026-11-23T03:14:09.5+01:00", "2026/11/23 02:14:09.25"])
def test_a_time_has_one_form_wherever_it_stands(written: str) -> None:
    entry = dict.fromkeys(("en", "de"), "{start}")
    assert fill(entry, "de", {"start": written}, "here").startswith("2026-11-23 02:14 UTC")
    assert fill(entry, "en", {"start": "2026-11-23"}, "here") == "2026-11-23"


def test_no_text_of_the_catalogue_counts_without_plural() -> None:
    unbent = r"\{(count|restarts|minutes|hours)\} (?!(of|von|in|min|h|more|weitere|different|verschiedenen)\b)\w"
    found = [words for words in every_text() if re.search(unbent, words) and "{answered}" not in words]
    assert found == []


def test_german_texts_are_german() -> None:
    translated = r"virtuelle\w* Computer|Geführter Gang|Run-Befehl|Reparaturcomputer"
    assert [words for words in every_text("de") if re.search(translated, words)] == []


def every_text(*languages: str) -> Iterator[str]:
    """All sentences of the catalogue, but for Azure's own messages."""
    for file in resources.files("vmbackup.catalog").joinpath("data").iterdir():
        yield from _texts(read(file.name), languages or ("en", "de"))


def _texts(tree: Any, languages: tuple[str, ...]) -> Iterator[str]:
    if is_text(tree):
        yield from (tree[language] for language in languages)
    elif isinstance(tree, dict):
        for each in tree.values():
            yield from _texts(each, languages)
    elif isinstance(tree, list):
        for each in tree:
            yield from _texts(each, languages)


def test_a_missing_value_names_the_sentence() -> None:
    with pytest.raises(CatalogError, match="disks_are_managed.texts.ok: no value for 'count'"):
        catalog.sentence(Finding("disks_are_managed", "disks", Verdict.OK, "ok"), "en")


def test_a_missing_word_names_the_key() -> None:
    with pytest.raises(CatalogError, match="ui.yaml: why.no_such_reason is missing"):
        catalog.text("why.no_such_reason", "en")
    with pytest.raises(CatalogError, match="ui.yaml: why is no text"):
        catalog.text("why", "en")
