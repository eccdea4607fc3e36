"""``vmbackup knowledge``: what is known of Azure, its sources, and what is due for review."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date, datetime, timezone
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from vmbackup import catalog
from vmbackup.catalog.knowledge import Knowledge, knowledge
from vmbackup.catalog.signatures import signatures
from vmbackup.cli.options import LanguageOption
from vmbackup.model import Language

app = typer.Typer()


@app.command("knowledge")
def show(
    stale: Annotated[bool, typer.Option("--stale", help="Only what is due for review.")] = False,
    language: LanguageOption = Language.EN,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for machines instead of a table.")] = False,
) -> None:
    """List every limit, version, rule and code that verdicts depend on, with source and date."""
    rows = [row for row in _rows(language) if row["due"] or not stale]
    if as_json:
        typer.echo(json.dumps(rows, ensure_ascii=False, indent=1))
        return
    table = Table(*(catalog.text(f"knowledge.{key}", language) for key in ("id", "says", "sources", "review")))
    for row in rows:
        also = f" ({row['disputed']})" if row["disputed"] else ""
        table.add_row(row["id"], f"{row['says']}{also}", f"{', '.join(row['sources'])}, {row['as_of']}", row["review"])
    Console(highlight=False).print(table)


def _rows(language: str) -> Iterator[dict[str, Any]]:
    today = datetime.now(timezone.utc).date()
    for entry in knowledge().values():
        yield _row(entry, today, language)
    for signature in signatures().values():
        says, review = signature.means[language], signature.review
        yield {
            "id": signature.id,
            "says": says,
            "value": None,
            "disputed": None,
            "sources": list(signature.sources),
            "as_of": signature.as_of,
            "review": review.isoformat(),
            "due": review < today,
        }


def _row(entry: Knowledge, today: date, language: str) -> dict[str, Any]:
    return {
        "id": entry.id,
        "says": entry.says[language],
        "value": entry.value,
        "disputed": entry.disputed.says[language] if entry.disputed else None,
        "sources": list(entry.sources),
        "as_of": entry.as_of,
        "review": entry.review,
        "due": entry.is_due(today),
    }
