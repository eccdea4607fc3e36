"""Reads the pages of a list to the end, or to a bound: a list whose pages never end must not be followed."""

from __future__ import annotations

from itertools import islice
from typing import Any, NamedTuple

MOST_PAGES = 100


class Listing(NamedTuple):
    """The entries of a list, and whether there are more."""

    entries: list[Any]
    is_cut: bool


def read_pages(paged: Any, most_entries: int | None = None) -> Listing:
    """The entries of one of the SDK's lists, at most ``most_entries`` of them and of at most MOST_PAGES pages."""
    pages = paged.by_page()
    entries: list[Any] = []
    for page in islice(pages, MOST_PAGES):
        entries += page
        if most_entries is not None and len(entries) > most_entries:
            return Listing(entries[:most_entries], True)
    return Listing(entries, bool(pages.continuation_token))
