"""The causes in order, each a button with sign, word and title; under the open one there is room for its panel."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from vmbackup import catalog
from vmbackup.catalog.words import cause_title
from vmbackup.model import Step, Verdict
from vmbackup.pages.blocks import SIGNS, Heading, Page
from vmbackup.pages.step import step_word
from vmbackup.runs.state import Skip
from vmbackup.sanitize import text
from vmbackup.widgets import controls


class Stepper:
    """Buttons, one per cause. ``on_open`` is told which was pressed."""

    def __init__(self, steps: Sequence[Step], panel: Any, on_open: Callable[[str], object]) -> None:
        self._panel = panel
        self._buttons: dict[str, Any] = {}
        self._slots: dict[str, Any] = {}
        self._heading = controls.view()
        children: list[Any] = []
        for step in steps:
            if step.addition and self._heading not in children:
                children.append(self._heading)
            self._buttons[step.cause] = controls.button(partial(on_open, step.cause), "vmbackup-step")
            self._slots[step.cause] = controls.rows()
            children += [self._buttons[step.cause], self._slots[step.cause]]
        self.box = controls.rows(*children)
        self._open: str | None = None

    def show(self, steps: Sequence[Step], skipped: Mapping[str, Skip], opened: str | None, language: str) -> None:
        """Bring verdicts, words and the open step up to date; a button that is there keeps the keyboard's focus."""
        controls.put(self._heading, Page([Heading(catalog.text("guide.additions", language))]))
        for step in steps:
            button = self._buttons[step.cause]
            controls.word(button, text(_words(step, step.cause in skipped, step.cause == opened, language)))
            wanted = {f"vmbackup-{step.verdict}"} | ({"vmbackup-open"} if step.cause == opened else set())
            for name in (*(f"vmbackup-{verdict}" for verdict in Verdict), "vmbackup-open"):
                (button.add_class if name in wanted else button.remove_class)(name)
        if opened != self._open:
            if self._open in self._slots:
                self._slots[self._open].children = ()
            if opened is not None:
                self._slots[opened].children = (self._panel,)
            self._open = opened


def _words(step: Step, skipped: bool, opened: bool, language: str) -> str:
    arrow = "▾" if opened else "▸"
    left = f" ({catalog.text('guide.skipped', language)})" if skipped else ""
    verdict = f"{SIGNS[step.verdict]} {step_word(step, language)}{left}"
    return f"{arrow} {step.number}. {verdict} · {cause_title(step.cause, language)}"
