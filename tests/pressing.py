"""The guided tool without a browser: its buttons and fields, and all that it shows."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import ipywidgets

from vmbackup.runs.run import Run
from vmbackup.ticket import bundle
from vmbackup.widgets.ending import SavedTicket
from vmbackup.widgets.guide import Guide
from walking import run_over


def shown_over(run: Run) -> Guide:
    return Guide(run, lambda _: SavedTicket(*bundle.save(run), "none"))


@contextmanager
def tool_over(scenario: str, folder: Path, section: str = "agent_unreachable") -> Iterator[Guide]:
    """The tool over a run that has collected; see :func:`walking.run_over`."""
    with run_over(scenario, folder, section) as run:
        run.collect()
        yield shown_over(run)


def widgets(box: Any) -> Iterator[Any]:
    """Every widget that is not hidden."""
    if box.layout.display == "none":
        return
    yield box
    for child in getattr(box, "children", ()):
        yield from widgets(child)


def shown(tool: Guide) -> str:
    """All that the tool shows."""
    pages = [each.value for each in widgets(tool.box) if isinstance(each, ipywidgets.HTML)]
    buttons = [each.description for each in widgets(tool.box) if isinstance(each, ipywidgets.Button)]
    return " ".join([*pages, *buttons, tool.notice.status.text])


def press(tool: Guide, words: str) -> None:
    """Press the button that begins with these words, and wait for what it starts."""
    found = [each for each in widgets(tool.box) if isinstance(each, ipywidgets.Button)]
    [pressed] = [each for each in found if each.description.startswith(words)]
    assert not pressed.disabled
    pressed.click()
    tool.ongoing.work.wait()


def field(tool: Guide, label: str) -> Any:
    [found] = [
        each
        for each in widgets(tool.box)
        if isinstance(each, ipywidgets.Text | ipywidgets.Textarea) and each.description == label
    ]
    return found
