"""The end of a walk: the summary, the backup as proof, and everything saved for the ticket."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from vmbackup import catalog
from vmbackup.diagnosis import Outcome
from vmbackup.pages import outcome
from vmbackup.pages.blocks import Page, Paragraph
from vmbackup.runs.folder import TICKET
from vmbackup.runs.run import Run
from vmbackup.widgets import controls


@dataclass(frozen=True, slots=True)
class SavedTicket:
    """Where the ticket's file is, its content, and how current the notebook in it is: ``saved``, ``older`` or
    ``none``."""

    path: str
    content: bytes
    notebook: str


class Ending:
    """Summary, retry and ticket. ``on_retry`` is told only after the operator confirmed; ``on_save`` at once."""

    def __init__(self, run: Run, on_retry: Callable[[], object], on_save: Callable[[], object]) -> None:
        self._run, self._on_retry = run, on_retry
        self._summary = controls.view()
        self._retry = controls.button(lambda: self._ask(True), "vmbackup-main")
        self._save = controls.button(on_save)
        self._question = controls.view("vmbackup-question")
        self._yes = controls.button(self._confirmed, "vmbackup-main", "vmbackup-commits")
        self._no = controls.button(lambda: self._ask(False))
        self._confirm = controls.rows(
            self._question, controls.row(self._yes, self._no), classes=("vmbackup-part", "vmbackup-error")
        )
        self._file: SavedTicket | None = None
        self._saved = controls.view()
        self.box = controls.rows(self._summary, controls.row(self._retry, self._save), self._confirm, self._saved)
        self._ask(False)

    def show(self, busy: bool, language: str) -> None:
        """Bring summary and words up to date."""
        summary = outcome.summary(self._run)
        controls.put(self._summary, summary if summary.blocks else None)
        for button, key in (
            (self._retry, "retry"),
            (self._save, "save"),
            (self._yes, "yes_retry"),
            (self._no, "keep"),
        ):
            controls.word(button, catalog.text(f"guide.{key}", language))
        is_proved = self._run.proof is not None and self._run.proof.fixed
        asked = [*(["proved_already"] if is_proved else []), "confirm_retry"]
        controls.put(self._question, Page([Paragraph(catalog.text(f"guide.{key}", language)) for key in asked]))
        # While the cause stands, or once it is proved gone, a backup is not what to do next.
        quiet = is_proved or self._run.diagnosis().outcome is Outcome.CAUSE_FOUND
        (self._retry.remove_class if quiet else self._retry.add_class)("vmbackup-main")
        controls.visible(self._retry, self._run.live)
        self._retry.disabled = self._save.disabled = self._yes.disabled = busy
        self._show_file(language)

    def saved(self, ticket: SavedTicket, language: str) -> None:
        """Where the ticket was written, and the same file to download."""
        self._file = ticket
        self._show_file(language)

    def _show_file(self, language: str) -> None:
        if self._file is None:
            return
        paragraphs = [Paragraph(self._file.path, catalog.text("label.saved", language) + ":")]
        if self._file.notebook != "saved":
            paragraphs.append(Paragraph(catalog.text(f"guide.notebook_{self._file.notebook}", language)))
        controls.download(self._saved, TICKET, self._file.content, language, above=Page(paragraphs).html())

    def _ask(self, asked: bool) -> None:
        controls.visible(self._confirm, asked)

    def _confirmed(self) -> Any:
        self._ask(False)
        return self._on_retry()
