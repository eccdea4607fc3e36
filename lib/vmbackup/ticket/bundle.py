"""Everything about a run in one file for the ticket: a page that opens anywhere, the result and the evidence."""

from __future__ import annotations

import html
import io
import zipfile

from vmbackup import clock, sanitize
from vmbackup.catalog.words import cause_title, section_title
from vmbackup.pages import load, outcome, overview, remedies, step, timeline
from vmbackup.pages.blocks import Block, Heading, Page
from vmbackup.runs.folder import HANDED_OUT, PAGE, TICKET
from vmbackup.runs.run import Run

# A page of its own: no script, no style sheet from elsewhere.
_STYLE = """
:root { color-scheme: light dark; }
body { font: 14px/1.5 system-ui, sans-serif; max-width: 70em; margin: 2em auto; padding: 0 1em; }
table { border-collapse: collapse; width: 100%; margin: .5em 0; }
th, td { border: 1px solid #8888; padding: .3em .6em; overflow-wrap: anywhere; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; border: 1px solid #8888; padding: .6em; }
"""


def page(run: Run) -> Page:
    """The whole run: VM, causes with their evidence, what changed, load, what was done, every changing request."""
    known, language = run.evidence, run.language
    blocks: list[Block] = [
        Heading(section_title(run.section, language), 2),
        *overview.page(run.target, known, language).blocks,
        *outcome.summary(run).blocks,
    ]
    for judged in run.diagnosis().steps:
        blocks.append(Heading(f"{judged.number}. {cause_title(judged.cause, language)}"))
        blocks += step.page(run, judged.cause).blocks
    blocks += timeline.page(known, language).blocks
    blocks += load.page(known, language).blocks
    blocks += remedies.audit(run.audit(), language).blocks
    return Page(blocks)


def document(run: Run) -> str:
    """The page as an HTML document that needs nothing else."""
    title = html.escape(sanitize.text(f"{run.target.vm_name} · {clock.local(clock.azure_now(run.evidence))}"))
    return (
        f'<!doctype html><html lang="{run.language}"><head><meta charset="utf-8"><title>{title}</title>'
        f"<style>{_STYLE}</style></head><body><main><h1>{title}</h1>{page(run).html()}</main></body></html>\n"
    )


def save(run: Run) -> tuple[str, bytes]:
    """Write result.json, evidence.json, the page and, with all that was changed, ``ticket.zip`` into the run folder."""
    run.save()
    run.files.write(PAGE, document(run).encode())
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in HANDED_OUT:
            content = run.files.read(name)
            if content is not None:
                archive.writestr(name, content)
    run.files.write(TICKET, packed.getvalue())
    return f"{run.files}/{TICKET}", packed.getvalue()
