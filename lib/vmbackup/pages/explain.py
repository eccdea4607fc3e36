"""A check or a cause in words: what it reads, its possible results, its sources. Pure."""

from __future__ import annotations

from vmbackup import catalog
from vmbackup.catalog.words import cause_title
from vmbackup.checks.base import load
from vmbackup.pages.blocks import Heading, Page, Paragraph, Table
from vmbackup.parameters import no_such


def explained(name: str, language: str) -> Page:
    """A check or a cause in words. Raises SetupError for a name that is neither."""
    causes, checks = catalog.causes(), catalog.checks()
    if name in causes:
        rows = [[check, checks[check]["title"][language]] for check in causes[name]["checks"]]
        table = Table([catalog.text(f"label.{label}", language) for label in ("check", "finding")], rows)
        return Page([Heading(cause_title(name, language)), Paragraph(causes[name]["what"][language]), table])
    if name not in checks:
        raise no_such("unknown_check", name, [*causes, *checks])
    entry = checks[name]
    rows = [[reason, words[language]] for reason, words in entry["texts"].items()]
    rows += [
        [f"{catalog.text('label.next', language)} {when}", words[language]] for when, words in entry["next"].items()
    ]
    titles = " · ".join(catalog.sources()[key]["title"] for key in entry["sources"])
    return Page(
        [
            Heading(entry["title"][language]),
            Paragraph(", ".join(load()[name].evidence), catalog.text("label.reads", language)),
            Table([catalog.text(f"label.{label}", language) for label in ("verdict", "finding")], rows),
            Paragraph(titles, catalog.text("label.sources", language)),
        ]
    )
