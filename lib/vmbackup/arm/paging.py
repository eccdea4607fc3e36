"""Reads the pages of a list to the end, or to a bound: a list whose pages never end must not be followed."""

from __future__ import annotations

from itertools import islice
from typing import Any, NamedTuple

from vmbackup.arm.client import Arm
from vmbackup.arm.wire import listed, text

MOST_PAGES = 100


class Listing(NamedTuple):
    """The entries of a list, and whether there are more."""

    entries: list[Any]
    is_cut: bool

    def as_wires(self) -> Listing:
        """The same with the SDK's models as Azure sent them."""
        return Listing([each.as_dict() for each in self.entries], self.is_cut)


def read_pages(paged: Any, most_entries: int | None = None) -> Listing:
    """The entries of one of the SDK's lists, at most ``most_entries`` of them and of at most MOST_PAGES pages."""
    pages = paged.by_page()
    entries: list[Any] = []
    for page in islice(pages, MOST_PAGES):
        entries += page
        if most_entries is not None and len(entries) > most_entries:
            return Listing(entries[:most_entries], True)
    return Listing(entries, bool(pages.continuation_token))


def read_list(arm: Arm, path: str, most_entries: int, into: Any = None, **query: str) -> Listing:
    """The same for a list that is read without the SDK's models, ``into`` this sequence. Raises Unreadable for a page
    that is no list."""
    entries: Any = [] if into is None else into
    following: str | None = path
    for _ in range(MOST_PAGES):
        if following is None or len(entries) > most_entries:
            break
        page = arm.read(following, **query)
        entries.extend(listed(page, "value"))
        # The address of the next page has the query in it.
        following, query = text(page, "nextLink"), {}
    if len(entries) > most_entries:
        return Listing(entries[:most_entries], True)
    return Listing(entries, following is not None)
