from __future__ import annotations

import re

import pytest

from vmbackup import catalog
from vmbackup.model import CatalogError


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ({"en": "x"}, "must be a text in en and de"),
        ({"en": "x", "de": "y", "fr": "z"}, "must be a text in en and de"),
        ({"en": "x", "de": ""}, "a text has words"),
        ({"en": "x", "de": 1}, "must be a text"),
        ({"en": "<b>x</b>", "de": "y"}, "neither HTML nor a URL"),
        ({"en": "see https://x", "de": "y"}, "neither HTML nor a URL"),
        ({"en": "{a}", "de": "{b}"}, "differ in placeholders"),
        ({"en": "{a", "de": "{a"}, "where.key: "),
        ("x", "must be a text"),
    ],
)
def test_a_text_needs_both_languages_alike(text: object, complaint: str) -> None:
    with pytest.raises(CatalogError, match=re.escape(complaint)):
        catalog.check_texts({"key": text}, "where")


def test_an_entry_has_exactly_its_keys() -> None:
    with pytest.raises(CatalogError, match="x lacks b"):
        catalog.check_keys({"a": 1}, {"a", "b"}, "x")
    with pytest.raises(CatalogError, match="x has the unknown key c"):
        catalog.check_keys({"a": 1, "c": 1}, {"a"}, "x")
    with pytest.raises(CatalogError, match="x: expected a"):
        catalog.check_keys(None, {"a"}, "x")
