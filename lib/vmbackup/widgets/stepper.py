"""The causes: those found, open or awaited in order, each a button, and all others behind one. Under the open one there
is room for its panel."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import ipywidgets

from vmbackup import catalog
from vmbackup.catalog.words import cause_title, cause_word
from vmbackup.model import Step, Verdict
from vmbackup.pages.blocks import SIGNS, Heading, Page
from vmbackup.pages.step import standing
from vmbackup.runs.state import State
from vmbackup.sanitize import text
from vmbackup.widgets import controls

_OTHERS = (Verdict.OK, Verdict.NOT_APPLICABLE)


class Stepper:
    """Buttons, one per cause. ``on_open`` is told which was pressed, ``on_fold`` that the others are to be shown or
    hidden."""

    def __init__(
        self, steps: Sequence[Step], panel: Any, on_open: Callable[[str], object], on_fold: Callable[[], object]
    ) -> None:
        self._panel = panel
        self._buttons: dict[str, Any] = {}
        self._slots: dict[str, Any] = {}
        self._heading = controls.view()
        self._others = controls.button(on_fold, "vmbackup-fold", "vmbackup-others")
        self._unfolded = False
        children: list[Any] = []
        shared = ipywidgets.Layout()
        for step in steps:
            if step.addition and self._heading not in children:
                children.append(self._heading)
            self._buttons[step.cause] = controls.button(partial(on_open, step.cause), "vmbackup-step")
            self._slots[step.cause] = controls.rows(layout=shared)
            children += [self._buttons[step.cause], self._slots[step.cause]]
        self.box = controls.rows(*children, self._others)
        self._open: str | None = None

    def fold(self) -> None:
        """Show the other causes, or hide them again."""
        self._unfolded = not self._unfolded

    def show(self, state: State, steps: Sequence[Step], opened: str | None) -> None:
        """Bring verdicts, words and the open step up to date; a button that is there keeps the keyboard's focus. While
        facts are awaited every cause stays in its place."""
        others = [] if state.awaited else [step for step in steps if step.verdict in _OTHERS]
        # The one that closes comes first: two are never open at once.
        for step in sorted(steps, key=lambda step: step.cause != self._open):
            self._show_step(state, step, opened, is_other=step in others)
        listed = any(step.addition and step not in others for step in steps)
        controls.put(
            self._heading, Page([Heading(catalog.text("guide.additions", state.language))]) if listed else None
        )
        self._show_others(others, state.language)
        if opened != self._open:
            if self._open in self._slots:
                self._slots[self._open].children = ()
            if opened is not None:
                self._slots[opened].children = (self._panel,)
            self._open = opened

    def _show_step(self, state: State, step: Step, opened: str | None, *, is_other: bool) -> None:
        button, (kind, word) = self._buttons[step.cause], standing(state, step)
        left = f" ({catalog.text('guide.skipped', state.language)})" if step.cause in state.skipped else ""
        verdict = f"{SIGNS[kind]} {word}{left}"
        arrow = "▾" if step.cause == opened else "▸"
        controls.word(button, text(f"{arrow} {step.number}. {verdict} · {cause_title(step.cause, state.language)}"))
        classes = {f"vmbackup-{sign}": sign == kind for sign in SIGNS}
        controls.mark(button, {**classes, "vmbackup-open": step.cause == opened, "vmbackup-other": is_other})
        controls.mark(self._slots[step.cause], {"vmbackup-other": is_other})
        controls.visible(button, not is_other or self._unfolded or step.cause == opened)

    def _show_others(self, others: Sequence[Step], language: str) -> None:
        counts = Counter(step.verdict for step in others)
        parts = [f"{SIGNS[each]} {cause_word(each, language)}: {counts[each]}" for each in _OTHERS if counts[each]]
        arrow = "▾" if self._unfolded else "▸"
        controls.word(self._others, f"{arrow} {catalog.text('guide.others', language, parts=' · '.join(parts))}")
        controls.mark(self._others, {"vmbackup-open": self._unfolded})
        controls.visible(self._others, bool(others))
