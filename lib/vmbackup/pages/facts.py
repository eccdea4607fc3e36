"""Facts as a table, and the data of one. Pure."""

from __future__ import annotations

import json
from collections.abc import Callable

from vmbackup import catalog, clock
from vmbackup.catalog.words import why
from vmbackup.model import Evidence, Fact, FactStatus
from vmbackup.pages.blocks import Table
from vmbackup.sanitize import shortened

# The whole answer is in evidence.json; a page shows enough to recognise it.
_LONGEST_ANSWER = 300


def table(
    facts: Evidence, language: str, columns: tuple[str, ...] = ("fact", "status", "answer", "how", "when", "took")
) -> Table:
    """One row a fact, with these columns."""
    cells: dict[str, Callable[[str, Fact], str]] = {
        "fact": lambda name, fact: name,
        "status": lambda name, fact: catalog.text(f"status.{fact.status}", language),
        "why": lambda name, fact: why(fact, language),
        "answer": lambda name, fact: _answer(fact, language),
        "how": lambda name, fact: "\n".join(fact.how),
        "when": lambda name, fact: clock.local(fact.taken_at) if fact.taken_at else "",
        # Of one width, so that the tables of two runs are alike.
        "took": lambda name, fact: f"{fact.took_ms:>6} ms",
    }
    header = [catalog.text(f"label.{column}", language) for column in columns]
    return Table(header, [[cells[column](name, fact) for column in columns] for name, fact in facts.items()])


def _answer(fact: Fact, language: str) -> str:
    if fact.status is not FactStatus.OK:
        return why(fact, language)
    return shortened(json.dumps(fact.data, ensure_ascii=False), _LONGEST_ANSWER)
