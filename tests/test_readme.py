"""What README shows exists and is current."""

from __future__ import annotations

import re
from pathlib import Path

from tests.renew_readme import README, renewed

ROOT = Path(__file__).parents[1]


def test_the_table_of_checks_is_current() -> None:
    text = README.read_text("utf-8")
    assert renewed(text) == text, "run `make readme`"


def test_every_file_it_links_to_is_there() -> None:
    links = re.findall(r"\]\(([^):#]+)\)", README.read_text("utf-8"))
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_every_make_target_it_names_is_there() -> None:
    named = set(re.findall(r"`?make ([a-z-]+)", README.read_text("utf-8")))
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    assert named <= targets


def test_every_test_that_the_page_on_security_names_is_there() -> None:
    named = re.findall(r"`(tests/[^`]+)`", (ROOT / "SECURITY.md").read_text("utf-8"))
    assert len(named) > 5
    assert [name for name in named if not (ROOT / name).exists()] == []
