"""Everything about a run in one file for the ticket: a page that opens anywhere, the result and the evidence."""

from __future__ import annotations

import html
import io
import zipfile
from pathlib import Path

from vmbackup import clock, sanitize
from vmbackup.arm.audit import rows
from vmbackup.catalog.words import cause_title, section_title
from vmbackup.pages import load, outcome, overview, remedies, step, timeline
from vmbackup.pages.blocks import Block, Heading, Page
from vmbackup.remedies.executor import AUDIT_FILE
from vmbackup.runs.run import Run
from vmbackup.runs.state import State

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


def page(state: State) -> Page:
    """The whole run: VM, causes with their evidence, what changed, load, what was done, every changing request."""
    known, language = state.evidence, state.language
    blocks: list[Block] = [
        Heading(section_title(state.section, language), 2),
        *overview.page(state.target, known, language).blocks,
        *outcome.summary(state).blocks,
    ]
    for judged in state.diagnosis().steps:
        blocks.append(Heading(f"{judged.number}. {cause_title(judged.cause, language)}"))
        blocks += step.page(state, judged.cause).blocks
    blocks += timeline.page(known, language).blocks
    blocks += load.page(known, language).blocks
    blocks += remedies.audit(rows(state.folder / AUDIT_FILE), language).blocks
    return Page(blocks)


def document(state: State) -> str:
    """The page as an HTML document that needs nothing else."""
    title = html.escape(sanitize.text(f"{state.target.vm_name} · {clock.local(clock.azure_now(state.evidence))}"))
    return (
        f'<!doctype html><html lang="{state.language}"><head><meta charset="utf-8"><title>{title}</title>'
        f"<style>{_STYLE}</style></head><body><main><h1>{title}</h1>{page(state).html()}</main></body></html>\n"
    )


def save(run: Run) -> tuple[Path, bytes]:
    """Write result.json, evidence.json, the page and, with all that was changed, ``ticket.zip`` into the run folder."""
    run.save()
    folder = run.folder
    folder.joinpath(PAGE).write_text(document(run), "utf-8")
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in (PAGE, "result.json", "evidence.json", "walk.json", "audit.jsonl", "receipts.jsonl"):
            path = folder / name
            if path.exists():
                archive.write(path, name)
    content = packed.getvalue()
    folder.joinpath(NAME).write_bytes(content)
    return folder / NAME, content
