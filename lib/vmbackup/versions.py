"""Version numbers as Azure and the agents write them, compared number by number. Pure."""

from __future__ import annotations

import re

_NUMBERS = re.compile(r"(?<![\d.])\d+(?:\.\d+)+")


def parse(version: str | None) -> tuple[int, ...] | None:
    """The first dotted number in the text, or None where there is none.

    >>> parse("WALinuxAgent-2.2.18"), parse("2.7.41491.1010"), parse("Unknown"), parse(None)
    ((2, 2, 18), (2, 7, 41491, 1010), None, None)
    """
    found = _NUMBERS.search(version or "")
    return tuple(int(number) for number in found.group().split(".")) if found else None


def compare(version: str | None, other: str) -> int | None:
    """-1, 0 or 1 as ``version`` is older than, equal to or newer than ``other``; None when it cannot be read.

    Missing trailing numbers count as zero.

    >>> compare("2.2.53", "2.2.53.1"), compare("2.15.0.1", "2.2.53.1"), compare("2.2.53.1", "2.2.53.1")
    (-1, 1, 0)
    >>> compare("Unknown", "2.2.53.1") is None
    True
    """
    left, right = parse(version), parse(other)
    if left is None or right is None:
        return None
    length = max(len(left), len(right))
    left, right = (numbers + (0,) * (length - len(numbers)) for numbers in (left, right))
    return (left > right) - (left < right)
