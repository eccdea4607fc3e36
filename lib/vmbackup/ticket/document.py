"""A run, or its executed notebook, as one HTML file (see :mod:`vmbackup.pages.document`), and the same as PDF."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from markupsafe import Markup

from vmbackup import catalog, clock
from vmbackup.catalog.words import cause_title
from vmbackup.model import Step, Verdict
from vmbackup.pages import incident as incident_page
from vmbackup.pages import load, overview, remedies, step, timeline
from vmbackup.pages.blocks import Heading, Page, Paragraph
from vmbackup.pages.document import document
from vmbackup.pages.outcome import causes
from vmbackup.runs.incident import incident
from vmbackup.runs.state import State
from vmbackup.ticket import notebook

_BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome", "msedge")
_OPEN = (Verdict.PROBLEM, Verdict.UNKNOWN)
_PDF_S = 60


def run_page(state: State, audit: Sequence[Mapping[str, Any]] = ()) -> str:
    """The whole run: the incident, what was found or is open, the rest folded."""
    language, steps = state.language, state.diagnosis().steps
    open_steps = [each for each in steps if each.verdict in _OPEN]
    lead = incident_page.page(incident(state), language).blocks[1:]
    if open_steps:
        lead = [*lead, Heading(catalog.text("document.causes", language), 2), causes(state, open_steps)]
    ruled_out = catalog.text("document.ruled_out", language, count=len(steps) - len(open_steps))
    title = catalog.text("incident.title", language, vm=state.target.vm_name)
    return _filled(state, title, _markup(Page([*lead, Paragraph(ruled_out)])), [
        (summary, _markup(page)) for summary, page in _folded(state, open_steps, audit)
    ])  # fmt: skip


def notebook_page(state: State, book: Mapping[str, Any]) -> str:
    """What the executed notebook of the run shows: its first output, which is the incident, and the rest folded."""
    page = notebook.shown(book, state.language)
    return _filled(state, page.title, page.first, page.parts)


def _filled(state: State, title: str, lead: Markup, folded: Sequence[tuple[str, Markup]]) -> str:
    return document(title, lead, folded, clock.azure_now(state.evidence), state.language)


def pdf(html: str) -> bytes | None:
    """The document as Chromium prints it; None where there is no Chromium, or it fails."""
    browser = next(filter(None, map(shutil.which, _BROWSERS)), None)
    if browser is None:
        return None
    with tempfile.TemporaryDirectory(prefix="vmbackup-pdf-") as folder:
        source, made = Path(folder) / "document.html", Path(folder) / "document.pdf"
        source.write_text(html, "utf-8")
        command = [browser, "--headless", "--disable-gpu", "--no-sandbox", "--disable-javascript", "--no-first-run",
                   "--disable-background-networking", "--host-resolver-rules=MAP * ~NOTFOUND",
                   f"--user-data-dir={folder}/profile", "--no-pdf-header-footer",
                   f"--print-to-pdf={made}", source.as_uri()]  # fmt: skip
        try:
            subprocess.run(command, capture_output=True, timeout=_PDF_S, check=True)
            return made.read_bytes()
        except (OSError, subprocess.SubprocessError):
            return None


def _markup(page: Page) -> Markup:
    return Markup(page.html())


def _folded(state: State, open_steps: Sequence[Step], audit: Sequence[Mapping[str, Any]]) -> list[tuple[str, Page]]:
    language = state.language
    found = [
        (
            catalog.text("document.details", language, number=each.number, cause=cause_title(each.cause, language)),
            step.page(state, each.cause),
        )
        for each in open_steps
    ]
    done = [block for each in state.receipts for block in remedies.receipt(each, language).blocks]
    proof = list(remedies.proof(state.proof, language).blocks) if state.proof else []
    changes = Page([*done, *proof, *remedies.audit(audit, language).blocks])
    happened = [*timeline.page(state.evidence, language).blocks, *load.page(state.evidence, language).blocks]
    return [
        *found,
        (catalog.text("document.changes", language), changes),
        (catalog.text("document.timeline", language), Page(happened)),
        (catalog.text("document.machine", language), overview.collected(state.target, state.evidence, language)),
    ]
