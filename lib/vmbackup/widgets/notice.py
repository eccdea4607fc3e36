"""What the tool says last, and what it asks first: message, error, how long work goes on, an earlier run to resume."""

from __future__ import annotations

from collections.abc import Callable

from vmbackup import catalog, clock, sanitize
from vmbackup.pages.blocks import Block, Page, Paragraph
from vmbackup.runs.earlier import Earlier
from vmbackup.widgets import controls


class Notice:
    """Message, error, progress and the button that ends the work; stays in view wherever the operator is.
    ``on_cancel`` is called at once."""

    def __init__(self, on_cancel: Callable[[], object]) -> None:
        self.status = controls.Frontend(kind="status")
        self._cancel = controls.button(on_cancel)
        self._error, self._progress = controls.view("vmbackup-error"), controls.view("vmbackup-progress")
        parts = (controls.row(self.status, self._cancel), self._error, self._progress)
        self.box = controls.rows(*parts, classes=("vmbackup-notice",))
        self.clear()

    def show(self, cancellable: bool, language: str) -> None:
        """Bring the words up to date; offer to end the work where it can be ended."""
        status = self.status
        status.label = catalog.text("guide.title", language)
        status.dead, status.note = (catalog.text(f"start.{name}", language) for name in ("dead", "note"))
        controls.word(self._cancel, catalog.text("guide.cancel", language))
        controls.visible(self._cancel, cancellable)

    def say(self, words: str) -> None:
        """A message, read out by a screen reader."""
        self.status.text = sanitize.text(words)

    def fail(self, words: str) -> None:
        """An error, until something else is done."""
        controls.put(self._error, Page([Paragraph(words)]))
        self.say(words)

    def save_notebook(self) -> None:
        """Ask the frontend to save the notebook; whether it did, the file shows."""
        self.status.send({"save": True})

    def clear(self) -> None:
        """No error."""
        controls.put(self._error, None)

    def progress(self, page: Page | None) -> None:
        """How the work under way goes on; None at its end."""
        controls.put(self._progress, page)


class Offer:
    """The offer to go on with an earlier run of this VM, found in the run folder, or to start over."""

    def __init__(self, on_resume: Callable[[], object], on_anew: Callable[[], object]) -> None:
        self._page = controls.view()
        self._resume, self._anew = (controls.button(do, "vmbackup-commits") for do in (on_resume, on_anew))
        self.box = controls.rows(self._page, controls.row(self._resume, self._anew), classes=("vmbackup-part",))

    def show(self, earlier: Earlier | None, busy: bool, language: str) -> None:
        """Bring it up to date; nothing is offered where there is no earlier run."""
        controls.visible(self.box, earlier is not None)
        for button, key in ((self._resume, "resume"), (self._anew, "anew")):
            controls.word(button, catalog.text(f"guide.{key}", language))
            button.disabled = busy
        if earlier is not None:
            controls.put(self._page, _described(earlier, language))


def _described(earlier: Earlier, language: str) -> Page:
    saved = earlier.saved
    values = {"when": clock.local(saved.saved_at), "skipped": len(saved.skipped), "applied": len(earlier.receipts)}
    blocks: list[Block] = [Paragraph(catalog.text("guide.earlier", language, **values))]
    if saved.pasted_at:
        pasted = catalog.text("guide.was_pasted", language, when=clock.local(saved.pasted_at))
        blocks.append(Paragraph(pasted))
    return Page(blocks)
