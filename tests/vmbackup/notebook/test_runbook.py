"""After refused parameters no cell acts on, or shows, the VM before; each says what was refused and what to do."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
from IPython.core.displaypub import CapturingDisplayPublisher
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

from pressing import press, shown
from saying import sentence
from vmbackup import catalog
from vmbackup.catalog.words import cause_title
from vmbackup.model import Language, SetupError
from vmbackup.notebook import frontend
from vmbackup.notebook.runbook import Runbook, open_run
from vmbackup.pages.blocks import Page
from vmbackup.runs.result import MIME_TYPE
from vmbackup.widgets.guide import Guide
from walking import opened, run_over

CELLS: dict[str, tuple[str, ...]] = {
    "collect": (), "guide": (), "failure": (), "step": ("agent_linux",), "additions": (), "remedies": (), "retry": (),
    "result": (),
}  # fmt: skip
WRONG = {"scenario": "agent_old_linux", "vm_name": "other", "language": "de"}


@pytest.fixture
def watched(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VMBACKUP_WIDGETS", "1")


def pages(book: Runbook) -> list[str]:
    shown = [getattr(book, cell)(*given) for cell, given in CELLS.items()]
    assert all(isinstance(page, Page) for page in shown)
    return [page.text() for page in shown]


def test_every_cell_is_here() -> None:
    public = {name for name, value in vars(Runbook).items() if not name.startswith("_") and callable(value)}
    assert public - set(CELLS) == {"open", "refuse", "refused", "show_incident"}


@pytest.mark.parametrize("language", list(Language))
def test_each_cell_shows_its_heading_in_the_language_of_the_run(language: Language, tmp_path: Path) -> None:
    with run_over("agent_old_linux", tmp_path, language=language) as run:
        found = [getattr(Runbook(run), cell)(*given).blocks[:2] for cell, given in CELLS.items()]
    titles = [heading.text for heading, _ in found]
    expected = [catalog.text(f"heading.{cell}.title", language) for cell in CELLS if cell != "step"]
    assert [each for each in titles if each in expected] == expected
    assert f": {cause_title('agent_linux', language)}" in titles[3]
    assert all(heading.level == 2 and about.text for heading, about in found)


@pytest.mark.usefixtures("watched")
def test_where_somebody_looks_on_each_cell_says_what_was_refused_and_nothing_of_the_vm_before(tmp_path: Path) -> None:
    with run_over("agent_old_linux", tmp_path) as run:
        run.collect()
        namespace: dict[str, Any] = {"run": Runbook(run), "kept": Runbook(run), **WRONG}
        book = open_run(namespace, "agent_unreachable")
        assert namespace["run"] is namespace["kept"] is book
        for text in pages(book):
            assert "widerspricht vm_name" in text
            assert "Run All Cells" in text
            assert run.target.vm_name not in text


@pytest.mark.usefixtures("watched")
def test_the_tool_of_the_vm_before_is_retired(tmp_path: Path) -> None:
    with run_over("agent_old_linux", tmp_path) as run:
        run.collect()
        tool = frontend.guide(run)
        assert "Probable cause found" in shown(tool)
        open_run(dict(WRONG), "agent_unreachable")
        assert "Es wurde nichts geöffnet" in shown(tool)
        assert run.target.vm_name not in shown(tool)
        before = dict(run.skipped)
        tool.panel._on["skip"]("pressed in a page that is gone")
        assert run.skipped == before


@pytest.mark.parametrize(
    ("given", "names"),
    [
        ({"failure": "UserErrorX: password=Zq7hunter"}, "failure seems to hold a secret"),
        ({"failure": "UserErrorX", "run_folder": ""}, ""),
        ({"guest_output": "https://x.blob.core.windows.net/y?sig=Zq7hunterZq7hunter"}, "guest_output seems"),
        ({"sas_token": "Zq7hunter"}, "sas_token seems"),
    ],
)
@pytest.mark.usefixtures("watched")
def test_a_secret_in_a_parameter_is_warned_of_before_anything_else(
    given: dict[str, str], names: str, tmp_path: Path
) -> None:
    namespace = {"scenario": "agent_old_linux", "run_folder": str(tmp_path), **given}
    text = open_run(namespace, "agent_unreachable").collect().text()
    assert names in text
    assert ("secret" in text) is bool(names)
    assert "hunter" not in text


def _notebook(path: Path, words: str) -> None:
    output = nbformat.v4.new_output("stream", text=f"{words} password=Zq7hunter")
    nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(outputs=[output])]), path)


@pytest.mark.parametrize(("saves", "state"), [(True, "saved"), (False, "older")])
def test_the_ticket_holds_the_notebook_as_the_frontend_saves_it_and_says_where_it_does_not(
    saves: bool, state: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    notebook, place = tmp_path / "book.ipynb", tmp_path / "run"
    _notebook(notebook, "before")
    monkeypatch.setenv("JPY_SESSION_NAME", str(notebook))
    with run_over("agent_old_linux", place) as run:
        run.collect()
        ticket = frontend._save_ticket(run, lambda: _notebook(notebook, "now") if saves else None, wait_s=0.2)
    assert ticket.notebook == state
    for kept in (place / "runbook.ipynb", place / "ticket" / "notebook.html"):
        words = kept.read_text("utf-8")
        assert ("now" if saves else "before") in words
        assert "hunter" not in words


@pytest.mark.usefixtures("watched")
def test_a_vm_that_azure_does_not_know_is_said_by_every_cell_too(tmp_path: Path) -> None:
    book = open_run({"scenario": "error_404_vm", "run_folder": str(tmp_path), "deadline_s": 20}, "agent_unreachable")
    assert all("Azure does not know the VM" in text for text in pages(book))


def test_headless_the_reason_is_raised_at_once_in_the_language_of_the_run() -> None:
    namespace: dict[str, Any] = dict(WRONG)
    with pytest.raises(SetupError) as refused:
        open_run(namespace, "agent_unreachable")
    assert str(refused.value) == sentence(refused.value)
    assert "widerspricht vm_name" in str(refused.value)
    assert all("widerspricht vm_name" in text for text in pages(namespace["run"]))


@pytest.mark.parametrize(("language", "words"), [("en", "az login"), ("de", "Nicht bei Azure angemeldet")])
def test_what_ends_a_cell_speaks_the_language_of_the_run(tmp_path: Path, language: str, words: str) -> None:
    with run_over("error_401", tmp_path, language=language) as run, pytest.raises(SetupError) as refused:
        Runbook(run).collect()
    assert words in str(refused.value)


def test_a_cell_before_its_time_says_which_comes_first(tmp_path: Path) -> None:
    with run_over("agent_old_linux", tmp_path) as run, pytest.raises(SetupError, match=r"run\.collect\(\) first"):
        Runbook(run).failure()


def test_additions_are_shown_by_what_they_mean(tmp_path: Path) -> None:
    with run_over("guest_disk_full_linux", tmp_path) as run:
        run.collect()
        page = Runbook(run).additions().text()
    assert "Agent or extension cannot write to" in page
    assert "Does not apply:" in page
    assert "Cause 1 of" not in page


@pytest.fixture
def outputs(watched: None) -> Iterator[list[dict[str, Any]]]:
    """What a frontend is sent by cells that run in a shell of IPython."""
    config = Config()
    config.HistoryManager.enabled = False
    shell = InteractiveShell.instance(config=config)
    shell.display_pub = CapturingDisplayPublisher()
    yield shell.display_pub.outputs
    InteractiveShell.clear_instance()


def now(outputs: list[dict[str, Any]]) -> list[str]:
    """Each output that was shown, as it is now."""
    latest = {each["transient"]["display_id"]: each for each in outputs if each["transient"]}
    return [each["data"]["text/plain"] for each in latest.values()]


def run_all(book: Runbook) -> Guide:
    """Run the cells that follow the run, and give the tool."""
    for cell in ("collect", "failure", "additions", "remedies", "retry", "result"):
        assert getattr(book, cell)() is None
    assert book.step("agent_linux") is None
    tool = book.guide()
    assert isinstance(tool, Guide)
    return tool


def test_the_tool_collects_and_the_cells_say_nothing_before_it_has_ended(
    outputs: list[dict[str, Any]], tmp_path: Path
) -> None:
    with opened("agent_old_linux", tmp_path) as (run, simulator):
        simulator.latency_ms = 100
        tool = run_all(Runbook(run))
        first, *cells = now(outputs)
        assert tool.first_collection
        assert "Asking Azure" in first
        assert all("fills in by itself" in words for words in cells)
        tool.ongoing.work.wait()
        first, *cells = now(outputs)
        assert "Probable cause found" in first
        words = "\n".join(cells)
        assert "fills in by itself" not in words
        for part in ("queries answered", "Saved in", "✖ Found", "Signs of the failure", "Plan: "):
            assert part in words
        assert any(MIME_TYPE in each["data"] for each in outputs)
        press(tool, "Deutsch")
        assert "Gespeichert in" in "\n".join(now(outputs)), "the cells follow the tool"


def test_what_keeps_the_tool_from_collecting_is_said_by_every_cell(
    outputs: list[dict[str, Any]], tmp_path: Path
) -> None:
    book = open_run({"scenario": "error_404_vm", "run_folder": str(tmp_path), "deadline_s": 20}, "agent_unreachable")
    run = book.run
    tool = run_all(book)
    tool.ongoing.work.wait()
    assert not run.evidence
    assert all("Azure does not know the VM" in words for words in now(outputs))
    assert "Azure does not know the VM" in shown(tool)


def test_where_changes_are_agreed_to_each_cell_waits_for_the_one_before(
    outputs: list[dict[str, Any]], tmp_path: Path
) -> None:
    with run_over("agent_old_linux", tmp_path, remedies="restart_vm") as run:
        book = Runbook(run)
        book.collect()
        assert run.evidence
        assert isinstance(book.remedies(), Page)
