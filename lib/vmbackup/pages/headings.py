"""The headings of a runbook's cells. They are part of what the cells show, and so in the language of the run. Pure."""

from __future__ import annotations

from vmbackup import catalog
from vmbackup.catalog.words import cause_title
from vmbackup.model import Language, Step
from vmbackup.pages.blocks import Block, Heading, Paragraph


def of_cell(cell: str, language: str) -> list[Block]:
    """The heading of one of the runbook's cells, with a sentence about it."""
    title, about = (catalog.text(f"heading.{cell}.{key}", language) for key in ("title", "about"))
    return [Heading(title, level=2), Paragraph(about)]


def of_step(step: Step, language: str) -> list[Block]:
    """The heading of a cause: its number, its title and what it is."""
    entry = catalog.causes()[step.cause]
    title = catalog.text("heading.step", language, number=step.number, title=cause_title(step.cause, language))
    blocks: list[Block] = [Heading(title, level=2), Paragraph(entry["what"][language])]
    if language == Language.DE:
        blocks.append(Paragraph(entry["article_title"], catalog.text("heading.in_article", language)))
    return blocks
