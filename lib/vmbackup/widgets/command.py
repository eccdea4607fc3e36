"""The one command to type for an open cause, with a button that copies it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from vmbackup import catalog
from vmbackup.pages.blocks import Code, Page, Paragraph
from vmbackup.widgets import controls

if TYPE_CHECKING:
    from vmbackup.remedies.plan import Command


class CommandView:
    """``on_copied`` is told when the command is on the clipboard."""

    def __init__(self, on_copied: Callable[[], object]) -> None:
        self._text = controls.view("vmbackup-command")
        self._copy = controls.Frontend(kind="copy")
        self._copy.on_msg(lambda *_: on_copied())
        self.box = controls.rows(self._text, self._copy)
        self.is_given = False

    def show(self, command: Command | None, language: str) -> None:
        """Bring it up to date."""
        self.is_given = command is not None
        if command is None:
            return
        from vmbackup.pages.remedies import place

        label = Paragraph("", catalog.text("guide.command", language, where=place(command, language)))
        controls.put(self._text, Page([label, Code(command.text)]))
        self._copy.content = command.text
        self._copy.text, self._copy.done = (catalog.text(f"guide.{key}", language) for key in ("copy", "copied"))
