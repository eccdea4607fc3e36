from __future__ import annotations

import pytest

from vmbackup import catalog
from vmbackup.model import CatalogError, Finding, Verdict


def test_values_are_words_of_the_language() -> None:
    finding = Finding("disks_are_managed", "disks", Verdict.OK, "ok", {"count": 2.5})
    assert "2.5" in catalog.sentence(finding, "en")
    assert "2,5" in catalog.sentence(finding, "de")
    braces = Finding("disks_are_managed", "disks", Verdict.PROBLEM, "problem", {"disk": "{x} <script>"})
    assert "{x} <script>" in catalog.sentence(braces, "en")


def test_a_missing_value_names_the_sentence() -> None:
    with pytest.raises(CatalogError, match="disks_are_managed.texts.ok: no value for 'count'"):
        catalog.sentence(Finding("disks_are_managed", "disks", Verdict.OK, "ok"), "en")


def test_a_missing_word_names_the_key() -> None:
    with pytest.raises(CatalogError, match="ui.yaml: why.no_such_reason is missing"):
        catalog.text("why.no_such_reason", "en")
    with pytest.raises(CatalogError, match="ui.yaml: why is no text"):
        catalog.text("why", "en")
