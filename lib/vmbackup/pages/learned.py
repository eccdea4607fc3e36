"""What the output of the guest script decided. Pure."""

from __future__ import annotations

from vmbackup import catalog
from vmbackup.catalog.words import sentence, word
from vmbackup.model import Evidence, Verdict
from vmbackup.pages.blocks import Block, Page, Paragraph, Table
from vmbackup.runs.state import Learned


def page(learned: Learned, evidence: Evidence, language: str) -> Page:
    """Each check that was unknown before and is decided now, problems first, and how many are still open."""
    said = catalog.text("paste.learned", language, count=len(learned.decided))
    left = catalog.text("paste.still_open", language, count=learned.still_open)
    blocks: list[Block] = [Paragraph(f"{said} {left}")]
    if learned.decided:
        header = [catalog.text(f"label.{label}", language) for label in ("check", "verdict", "finding")]
        ranked = sorted(learned.decided, key=lambda pair: pair[1].verdict is not Verdict.PROBLEM)
        rows = [
            [
                catalog.checks()[now.check]["title"][language],
                f"{word(was.verdict, language)} → {word(now.verdict, language)}",
                sentence(now, evidence, language),
            ]
            for was, now in ranked
        ]
        blocks.append(Table(header, rows, [now.verdict for _, now in ranked]))
    return Page(blocks)
