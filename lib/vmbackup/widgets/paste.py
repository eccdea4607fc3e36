"""The guest script to copy, and the field for its output: the way into a VM whose agent is dead."""

from __future__ import annotations

from collections.abc import Callable

from vmbackup import catalog
from vmbackup.collectors.guest import script
from vmbackup.pages.blocks import Page, Paragraph
from vmbackup.widgets import controls


class Paste:
    """Script and field. ``on_paste`` is told the pasted text."""

    def __init__(self, on_paste: Callable[[str], object], on_copied: Callable[[], object]) -> None:
        self._copy = controls.Frontend(kind="copy")
        self._copy.on_msg(lambda *_: on_copied())
        self._about, self._script = controls.view(), controls.field(9)
        self._output = controls.field(9)
        self._read = controls.button(self._pasted, "vmbackup-main")
        self._on_paste = on_paste
        self.script = controls.rows(self._about, self._copy, self._script, classes=("vmbackup-part",))
        self.paste = controls.rows(self._output, self._read, classes=("vmbackup-part",))

    def show(self, os: str | None, busy: bool, language: str) -> None:
        """Bring the words and the script up to date; without a known system there is no script to offer."""
        known = os in ("windows", "linux")
        controls.put(self._about, Page([Paragraph(catalog.text(f"paste.about_{os if known else 'none'}", language))]))
        content = script(str(os)) if known else ""
        if self._script.value != content:
            self._script.value = self._copy.content = content
        self._copy.text, self._copy.done = (catalog.text(f"paste.{key}", language) for key in ("copy", "copied"))
        controls.word(self._script, catalog.text("paste.script", language))
        controls.word(self._output, catalog.text("paste.output", language))
        controls.word(self._read, catalog.text("paste.read", language))
        self._read.disabled = busy
        for part in (self._copy, self._script):
            controls.visible(part, known)

    def clear(self) -> None:
        """Empty the field once its content was understood."""
        self._output.value = ""

    def _pasted(self) -> None:
        self._on_paste(self._output.value)
