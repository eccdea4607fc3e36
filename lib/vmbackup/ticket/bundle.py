"""Everything about a walk in one file for the ticket: a page that opens anywhere, the result and the evidence."""

from __future__ import annotations

import html
import io
import zipfile
from pathlib import Path

from vmbackup import clock, sanitize
from vmbackup.arm.audit import rows
from vmbackup.catalog.words import cause_title, section_title
from vmbackup.pages import load as plot
from vmbackup.pages import outcome as summary
from vmbackup.pages import overview as card
from vmbackup.pages import timeline
from vmbackup.pages.blocks import Block, Heading, Page
from vmbackup.pages.step import step as step_page
from vmbackup.runs.run import Walkthrough

NAME = "ticket.zip"
PAGE = "runbook.html"
# A page of its own: no script, no style sheet from elsewhere.
_STYLE = """
:root { color-scheme: light dark; }
body { font: 14px/1.5 system-ui, sans-serif; max-width: 70em; margin: 2em auto; padding: 0 1em; }
table { border-collapse: collapse; width: 100%; margin: .5em 0; }
th, td { border: 1px solid #8888; padding: .3em .6em; overflow-wrap: anywhere; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; border: 1px solid #8888; padding: .6em; }
"""


def page(way: Walkthrough, language: str) -> Page:
    """The whole walk: VM, causes with their evidence, what changed, load, what was done, every changing request."""
    from vmbackup.pages import remedies as pages
    from vmbackup.remedies.executor import AUDIT_FILE

    known, walked = way.run.evidence, way.walk()
    blocks: list[Block] = [
        Heading(section_title(way.run.section, language), 2),
        *card.page(way.run.target, known, language).blocks,
        *summary.page(way, language).blocks,
    ]
    for step in walked.steps:
        blocks.append(Heading(f"{step.number}. {cause_title(step.cause, language)}"))
        blocks += step_page(walked, step, known, language).blocks
    blocks += timeline.page(known, language).blocks
    blocks += plot.page(known, language).blocks
    blocks += pages.audit(rows(way.folder / AUDIT_FILE), language).blocks
    return Page(blocks)


def document(way: Walkthrough, language: str) -> str:
    """The page as an HTML document that needs nothing else."""
    title = html.escape(sanitize.text(f"{way.run.target.vm_name} · {clock.local(clock.azure_now(way.run.evidence))}"))
    return (
        f'<!doctype html><html lang="{language}"><head><meta charset="utf-8"><title>{title}</title>'
        f"<style>{_STYLE}</style></head><body><main><h1>{title}</h1>{page(way, language).html()}</main></body></html>\n"
    )


def save(way: Walkthrough, language: str) -> tuple[Path, bytes]:
    """Write result.json, evidence.json, the page and, with all that was changed, ``ticket.zip`` into the run folder."""
    way.run.result()
    folder = way.folder
    folder.joinpath(PAGE).write_text(document(way, language), "utf-8")
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in (PAGE, "result.json", "evidence.json", "walk.json", "audit.jsonl", "receipts.jsonl"):
            path = folder / name
            if path.exists():
                archive.write(path, name)
    content = packed.getvalue()
    folder.joinpath(NAME).write_bytes(content)
    return folder / NAME, content
