"""The headings of a runbook's cells. They are part of what the cells show, and so in the language of the run. Pure."""

from __future__ import annotations

from vmbackup import catalog
from vmbackup.catalog.words import cause_title
from vmbackup.model import Step
from vmbackup.pages.blocks import Block, Heading, Paragraph


def of_cell(cell: str, language: str) -> list[Block]:
    """The heading of one of the runbook's cells, with a sentence about it."""
    title, about = (catalog.text(f"heading.{cell}.{key}", language) for key in ("title", "about"))
    return [Heading(title, level=2), Paragraph(about)]


def of_step(step: Step, language: str) -> list[Block]:
    """The heading of a cause: its number, its title and what it is."""
    title = catalog.text("heading.step", language, number=step.number, title=cause_title(step.cause, language))
    return [Heading(title, level=2), Paragraph(catalog.causes()[step.cause]["what"][language])]
