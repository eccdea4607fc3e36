"""What a notebook's frontend shows while cells run, if there is one: progress under a cell that asks, and the tool."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from IPython.core.getipython import get_ipython
from IPython.display import display

from vmbackup.facts.azure import FACTS
from vmbackup.model import Fact, SetupError
from vmbackup.pages import outcome, progress
from vmbackup.pages.blocks import Page
from vmbackup.runs.run import Run
from vmbackup.ticket import bundle
from vmbackup.widgets.controls import Frontend
from vmbackup.widgets.ending import SavedTicket
from vmbackup.widgets.guide import Guide

# Set by Jupyter servers and by VS Code for the kernels of their notebooks, but not in headless runs.
_FRONTENDS = ("JPY_SESSION_NAME", "VSCODE_PID", "VMBACKUP_WIDGETS")
_SECONDS_BETWEEN = 0.2


def watched() -> bool:
    """Whether a notebook's frontend shows what cells do; False under papermill, nbconvert and nbval."""
    return any(name in os.environ for name in _FRONTENDS)


def follows() -> bool:
    """Whether what a cell showed can be brought up to date after it ran."""
    return watched() and get_ipython() is not None


@contextmanager
def asking(language: str) -> Iterator[Callable[[str, Fact], object] | None]:
    """Progress under the running cell, removed at its end; yields the callback for each fact, or None without a
    frontend."""
    if not follows():
        yield None
        return
    begun, came = time.monotonic(), dict[str, Fact]()
    top = display(Frontend(kind="here"), display_id=True)  # type: ignore[no-untyped-call]
    place = display(Page([]), display_id=True)  # type: ignore[no-untyped-call]
    updated = 0.0

    def note(name: str, fact: Fact) -> None:
        nonlocal updated
        came[name] = fact
        if time.monotonic() - updated >= _SECONDS_BETWEEN:
            updated = time.monotonic()
            place.update(progress.facts(came, list(FACTS), updated - begun, language))

    try:
        yield note
    finally:
        for each in (top, place):
            each.update(Page([]))


def _save_ticket(run: Run, save_notebook: Callable[[], object], wait_s: float = 5.0) -> SavedTicket:
    """Everything for the ticket, with the notebook as the frontend saves it now, or else as it was saved last."""
    notebook = _notebook_file()
    if notebook is None:
        return SavedTicket(*bundle.save(run), "none")
    before = notebook.stat().st_mtime_ns
    save_notebook()
    until = time.monotonic() + wait_s
    while (older := notebook.stat().st_mtime_ns == before) and time.monotonic() < until:
        time.sleep(0.1)
    return SavedTicket(*bundle.save(run, str(notebook)), "older" if older else "saved")


def _notebook_file() -> Path | None:
    """The notebook that this kernel runs, where its frontend says so: in the environment, or VS Code in a variable."""
    shell = get_ipython()
    place = os.environ.get("JPY_SESSION_NAME") or (shell.user_ns.get("__vsc_ipynb_file__") if shell else None)
    notebook = Path(str(place))
    return notebook if place and notebook.suffix == ".ipynb" and notebook.is_file() else None


# The last tool of each VM in this kernel.
_tools: dict[str, Guide] = {}


def guide(
    run: Run,
    on_change: Callable[[], object] = lambda: None,
    on_refused: Callable[[SetupError], object] = lambda error: None,
) -> Guide | Page:
    """The tool where a notebook can show it; elsewhere (papermill, nbconvert) the page that says the same.

    A cell that is run again while the tool changes or asks something shows that tool: so its work is not lost.
    """
    if not watched():
        return outcome.whole(run)
    vm = run.target.vm_id.lower()
    before = _tools.get(vm)
    if before is None or not (before.changing or (before.run is run and before.ongoing.busy)):
        _tools[vm] = Guide(run, partial(_save_ticket, run), on_change, on_refused)
    return _tools[vm]


def collect(run: Run, on_change: Callable[[], object], on_refused: Callable[[SetupError], object]) -> None:
    """Have the tool ask for everything; the cell that shows it comes later."""
    tool = guide(run, on_change, on_refused)
    if isinstance(tool, Guide) and not tool.ongoing.busy:
        tool.collect()


def collecting(run: Run) -> bool:
    """Whether a tool collects for this run the first time."""
    tool = _tools.get(run.target.vm_id.lower())
    return tool is not None and tool.run is run and tool.first_collection


def retire_tools(page: Page) -> None:
    """Have every tool show this page instead of its run, except one that is changing something."""
    for vm, tool in list(_tools.items()):
        if not tool.changing:
            _tools.pop(vm).retire(page)
