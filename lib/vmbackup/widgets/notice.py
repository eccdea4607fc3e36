"""What the tool says last: its message, an error, how long work goes on. Stays in view wherever the operator is."""

from __future__ import annotations

from collections.abc import Callable

from vmbackup import catalog, sanitize
from vmbackup.pages.blocks import Page, Paragraph
from vmbackup.widgets import controls


class Notice:
    """Message, error, progress and the button that ends the work. ``on_cancel`` is told at once."""

    def __init__(self, on_cancel: Callable[[], object]) -> None:
        self.status = controls.Frontend(kind="status")
        self._cancel = controls.button(on_cancel)
        self._error, self._progress = controls.view("vmbackup-error"), controls.view("vmbackup-progress")
        parts = (controls.row(self.status, self._cancel), self._error, self._progress)
        self.box = controls.rows(*parts, classes=("vmbackup-notice",))
        self.clear()

    def show(self, cancellable: bool, language: str) -> None:
        """Bring the words up to date; offer to end the work where it can be ended."""
        self.status.label = catalog.text("guide.title", language)
        controls.word(self._cancel, catalog.text("guide.cancel", language))
        controls.visible(self._cancel, cancellable)

    def say(self, words: str) -> None:
        """A message, read out by a screen reader."""
        self.status.text = sanitize.text(words)

    def fail(self, words: str) -> None:
        """An error, until something else is done."""
        controls.put(self._error, Page([Paragraph(words)]))
        self.say(words)

    def clear(self) -> None:
        """No error."""
        controls.put(self._error, None)

    def progress(self, page: Page | None) -> None:
        """How the work under way goes on; None at its end."""
        controls.put(self._progress, page)
