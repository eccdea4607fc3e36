from __future__ import annotations

import re

import pytest

from vmbackup import catalog
from vmbackup.model import CatalogError


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("a: 1\na: 2\n", "file.yaml: line 2: a is there twice"),
        ("a: {b: 1, b: 2}\n", "b is there twice"),
        ("1: x\n", "must be quoted"),
        ("yes: x\n", "must be quoted"),
        ("- a\n", "expected a mapping"),
        ("", "expected a mapping"),
        ("a: [\n", "file.yaml: "),
    ],
)
def test_unclear_yaml_is_refused(content: str, complaint: str) -> None:
    with pytest.raises(CatalogError, match=re.escape(complaint)):
        catalog.parse(content, "file.yaml")
