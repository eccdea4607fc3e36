"""Resource Graph: a query over everything that may be read, page by page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from vmbackup.arm.connection import Azure
from vmbackup.arm.errors import Unreadable
from vmbackup.arm.loading import loading
from vmbackup.arm.paging import MOST_PAGES, Listing


def query(azure: Azure, words: str, subscriptions: Sequence[str] | None = None) -> Listing:
    """The rows that answer a query in Kusto, in these subscriptions or in all. Raises Unreadable for an answer without
    rows."""
    with loading:
        from azure.mgmt.resourcegraph.models import QueryRequest, QueryRequestOptions

    rows: list[Any] = []
    following: str | None = None
    for _ in range(MOST_PAGES):
        options = QueryRequestOptions(skip_token=following)
        answer = azure.graph.resources(QueryRequest(subscriptions=subscriptions, query=words, options=options))
        if not isinstance(answer.data, list):
            raise Unreadable(f"expected rows of Resource Graph, found {type(answer.data).__name__}")
        rows += answer.data
        following = answer.skip_token
        if not following:
            break
    return Listing(rows, bool(following))


def quoted(words: str) -> str:
    """Words escaped for single quotes in a query."""
    return words.replace("\\", "\\\\").replace("'", "\\'")
