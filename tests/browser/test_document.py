"""The document in a real browser with the network watched: no request, no error, readable, printable."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest
from axe_playwright_python.sync_playwright import Axe
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from playwright.sync_api import sync_playwright
from tests.browser.conftest import ARGUMENTS, chromium

from vmbackup.model import Fact, FactStatus
from vmbackup.pages import incident as incident_page
from vmbackup.pages import outcome, step
from vmbackup.runs.incident import incident
from vmbackup.runs.run import Run
from vmbackup.ticket import bundle
from vmbackup.ticket.document import pdf
from walking import cure, run_over

HOSTILE = "<img src=http://127.0.0.1:9/x onerror=alert(1)><script>alert(1)</script> $\\alpha$ \u202e {{ 7*7 }}"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that was told hostile words and cured, with an executed notebook; its bundle's pages are beside it."""
    folder = tmp_path_factory.mktemp("document")
    with run_over("agent_old_linux", folder) as run:
        run.collect()
        job = run.evidence["backup.failed_job"].data
        errors = [{**job["errors"][0], "text": HOSTILE}]
        run.evidence["backup.failed_job"] = Fact(FactStatus.OK, data={**job, "errors": errors})
        cure(run)
        run.back_up()
        _execute(run, folder / "runbook.ipynb")
    files = bundle.bundle(str(folder), with_pdf=False).files
    for name in (bundle.PAGE, bundle.NOTEBOOK_PAGE):
        (folder / name).write_bytes(files[name])
    return folder


def _execute(run: Run, path: Path) -> None:
    """What a kernel would leave in the notebook."""
    outputs = [
        new_output("display_data", page._repr_mimebundle_())
        for page in (incident_page.page(incident(run), "en"), step.page(run, "agent_linux"), outcome.whole(run))
    ]
    outputs.append(new_output("display_data", {"text/html": HOSTILE}))
    cells = [
        each for output in outputs for each in (new_markdown_cell("## x"), new_code_cell(HOSTILE, outputs=[output]))
    ]
    nbformat.write(new_notebook(cells=[new_markdown_cell("# A runbook"), *cells]), path)


@pytest.mark.parametrize("name", [bundle.PAGE, bundle.NOTEBOOK_PAGE])
def test_it_asks_no_network_runs_nothing_and_is_accessible(name: str, folder: Path) -> None:
    executable, document = chromium(), folder / name
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=list(ARGUMENTS))
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        asked: list[str] = []
        errors: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.on("console", lambda message: errors.append(message.text))
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("dialog", lambda dialog: (errors.append("dialog"), dialog.dismiss()))
        page.goto(document.as_uri())
        assert (asked, errors) == ([document.as_uri()], [])
        shown = page.inner_text("main")
        assert "<img src=http://127.0.0.1:9/x onerror=alert(1)>" in shown
        assert "$\\alpha$" in shown
        assert "{{ 7*7 }}" in shown
        verdict, first = (page.locator(each).first.bounding_box() for each in ("text=Fixed, proved", "details"))
        assert verdict
        assert verdict["y"] <= 300, "the verdict comes first"
        assert first
        assert first["y"] <= 2 * 900, "two screens before the first fold"
        # axe is a script of the test's own, which the document's policy keeps out: a page without it is looked at.
        page.set_content(document.read_text("utf-8").replace("Content-Security-Policy", "x-was-policy"))
        found = Axe().run(page).response
        browser.close()
    assert [(each["id"], each["nodes"][0]["html"]) for each in found["violations"]] == []


def test_it_prints(folder: Path) -> None:
    chromium()
    printed = pdf((folder / bundle.PAGE).read_text("utf-8"))
    assert printed
    assert printed.startswith(b"%PDF")
