"""Versions are compared number by number, and what is no version is none."""

from __future__ import annotations

import pytest

from vmbackup.versions import compare, parse


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("2.7.41491.1010", (2, 7, 41491, 1010)),
        ("WALinuxAgent-2.2.18", (2, 2, 18)),
        ("2.2.46-0ubuntu5", (2, 2, 46)),
        ("1.0", (1, 0)),
        ("Unknown", None),
        ("7", None),
        ("", None),
        (None, None),
    ],
)
def test_the_first_dotted_number_counts(text: str | None, numbers: tuple[int, ...] | None) -> None:
    assert parse(text) == numbers


@pytest.mark.parametrize(
    ("version", "other", "order"),
    [
        ("2.2.53", "2.2.53.1", -1),
        ("2.10.0", "2.9.9", 1),
        ("2.2.53.1", "2.2.53.1", 0),
        ("2.2.53.0", "2.2.53", 0),
        ("Unknown", "2.2.53", None),
    ],
)
def test_missing_numbers_count_as_zero(version: str, other: str, order: int | None) -> None:
    assert compare(version, other) == order
