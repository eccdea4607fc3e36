"""From the failed job to the verdict, and what is left of it when the kernel is gone or the parameters are wrong."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import BrowserContext, Page, expect
from tests.browser.conftest import NOTEBOOKS, Book, Lab, execute, lab_page, serious

from vmbackup.runs.notebooks import START, filled, text

# Two of them with the same error; each with what its tool says.
WORLDS = {
    "agent_stopped_linux": "Undecided",
    "no_internet_linux": "Probable cause found",
    "extension_failed_windows": "Probable cause found",
    "snapshot_rdp_shutdown_windows": "Probable cause found",
    "disk_too_large_windows": "Probable cause found",
    "agent_old_linux": "Probable cause found",
}
_CELL = (
    "jupyterapp.shell.currentWidget.content.widgets"
    ".find((each) => each.model.getMetadata('tags')?.includes('parameters'))"
)
PARAMETERS = f"{_CELL}.model.sharedModel.getSource()"
SET_PARAMETERS = f"(source) => {_CELL}.model.sharedModel.setSource(source)"
CLICKS = "window.clicks = 0; addEventListener('pointerdown', () => { window.clicks += 1 }, true)"


@pytest.fixture(scope="module")
def page(lab: Lab, browser: BrowserContext) -> Iterator[Page]:
    """The start notebook, which is told nothing but to ask the live Azure."""
    (lab.folder / f"{START}.ipynb").write_text(text(filled(NOTEBOOKS / f"{START}.ipynb", {"azure": "live"})), "utf-8")
    with lab_page(lab.url, browser) as opened:
        opened.evaluate(CLICKS)
        execute(opened, "docmanager:open", {"path": f"{START}.ipynb", "factory": "Notebook"})
        Book(opened, lab, START).finished()
        yield opened
        lab.shut_down_kernels()


def opened_from_the_start_page(page: Page, lab: Lab, scenario: str, says: str, key: str = "") -> Book:
    """The notebook that the button of this world's VM opens, clicked or by this key, once it says this."""
    execute(page, "docmanager:open", {"path": f"{START}.ipynb"})
    start, vm = page.locator(".vmbackup-start"), lab.machine(scenario)["name"]
    if start.count() == 0:
        Book(page, lab, START).run_all(wait=False)
    button = start.get_by_role("button", name=f" for {vm}")
    button.press(key) if key else button.click()
    book = Book(page, lab, "")
    expect(book.notebook).to_contain_text(vm)
    expect(book.notebook).to_contain_text(says)
    book.name = page.evaluate("jupyterapp.shell.currentWidget.context.path")
    return book


def test_from_the_failed_job_to_the_verdict_in_three_clicks(page: Page, lab: Lab) -> None:
    Book(page, lab, START).run_all(wait=False)
    start = page.locator(".vmbackup-start")
    expect(start.get_by_role("status")).to_contain_text("Done.")
    expect(start).to_be_in_viewport()
    to_start_with, names = page.evaluate("window.clicks"), set()
    assert to_start_with == 2
    assert serious(page, ".vmbackup-start") == []
    for number, (scenario, verdict) in enumerate(WORLDS.items(), 1):
        book = opened_from_the_start_page(page, lab, scenario, verdict)
        expect(book.tool).to_contain_text(verdict)
        expect(book.tool).to_be_in_viewport()
        assert page.evaluate("window.clicks") - to_start_with == number
        names.add(book.name)
    assert len(names) == len(WORLDS)


def test_nothing_is_left_of_a_vm_whose_parameters_became_wrong_and_its_page_when_the_kernel_is_gone(
    page: Page, lab: Lab
) -> None:
    scenario = "snapshot_high_cpu_linux"
    vm = lab.machine(scenario)["name"]
    book = opened_from_the_start_page(page, lab, scenario, "Ruled out", "Enter")
    book.finished()
    right = page.evaluate(PARAMETERS)
    wrongs = {
        right.replace(f'{vm}"', "other", 1): "unterminated string literal",
        right.replace(vm, ""): "is not the resource id of a VM",
    }
    for wrong, says in wrongs.items():
        page.evaluate(SET_PARAMETERS, wrong)
        book.run_all(wait=False)
        expect(book.notebook.locator(".jp-OutputArea-output").last).to_contain_text(says)
        book.finished()
        outputs = book.notebook.locator(".jp-OutputArea-output").all_inner_texts()
        assert not [each for each in outputs if vm in each]
        assert book.tool.count() == 0
        if says.startswith("unterminated"):
            expect(book.notebook.get_by_text("SyntaxError").first).to_be_in_viewport()
    page.evaluate(SET_PARAMETERS, right)
    book.run_all()
    book.finished()
    book.restart_kernel()
    expect(book.status).to_contain_text("The kernel behind these buttons is gone")
    expect(book.button("Ask everything again")).to_be_disabled()
    execute(page, "docmanager:save", {})
    lab.shut_down_kernels()
    execute(page, "application:close", {})
    execute(page, "docmanager:open", {"path": book.name, "factory": "Notebook"})
    expect(book.notebook).to_contain_text("These buttons need a running kernel")
    expect(book.notebook.locator(".vmbackup-twin")).to_be_visible()
    expect(book.notebook).not_to_contain_text("model not found")
    exported = page.request.get(f"{lab.url}/nbconvert/html/{book.name}").text()
    assert "<table" in exported.partition("vmbackup-twin")[2].partition("<details")[0]
