"""The open step as a page: what a remedy changed, why it was skipped, then verdict, findings, evidence. Pure."""

from __future__ import annotations

from vmbackup import catalog, clock
from vmbackup.catalog.words import word
from vmbackup.model import Step
from vmbackup.pages.blocks import SIGNS, Block, Page, Paragraph
from vmbackup.pages.step import step as step_page
from vmbackup.runs.run import Walkthrough


def page(way: Walkthrough, cause: str, language: str) -> Page:
    """The step as everywhere, headed by what the operator did about it."""
    walked = way.walk()
    step = walked.step(cause)
    blocks: list[Block] = []
    if cause in way.skipped:
        skip = way.skipped[cause]
        said = catalog.text("guide.skipped_because", language, when=clock.local(skip.at))
        blocks.append(Paragraph(skip.reason, said))
    if cause in way.changed:
        blocks.append(Paragraph(_word(way.changed[cause], language), catalog.text("guide.before", language)))
        blocks.append(Paragraph(_word(step, language), catalog.text("guide.now", language)))
    return Page([*blocks, *step_page(walked, step, way.run.evidence, language).blocks])


def _word(step: Step, language: str) -> str:
    return f"{SIGNS[step.verdict]} {word(step.verdict, language)}"
