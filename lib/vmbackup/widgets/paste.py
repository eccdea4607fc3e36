"""The guest script to copy or download, and the field for its output: the way into a VM whose agent is dead."""

from __future__ import annotations

from collections.abc import Callable

from vmbackup import catalog
from vmbackup.collectors.guest import SCRIPTS, script
from vmbackup.guest.short import has_short_form, short
from vmbackup.pages.blocks import Page, Paragraph
from vmbackup.widgets import controls


class Paste:
    """Script and field. ``on_paste`` is told the pasted text."""

    def __init__(self, on_paste: Callable[[str], object], on_copied: Callable[[], object]) -> None:
        self._copy, self._copy_short = (controls.Frontend(kind="copy") for _ in range(2))
        for each in (self._copy, self._copy_short):
            each.on_msg(lambda *_: on_copied())
        self._about, self._script, self._file = controls.view(), controls.field(9), controls.view()
        self._output, self._learned = controls.field(9), controls.view()
        self._read = controls.button(self._pasted, "vmbackup-main")
        self._on_paste = on_paste
        self._page: Callable[[str], Page] | None = None
        buttons = controls.row(self._copy, self._copy_short, self._file)
        self.script = controls.rows(self._about, buttons, self._script, classes=("vmbackup-part",))
        self.paste = controls.rows(self._output, self._read, self._learned, classes=("vmbackup-part",))

    def show(self, os: str | None, busy: bool, language: str) -> None:
        """Bring the words and the script up to date; without a known system there is no script to offer."""
        known = os in ("windows", "linux")
        content = script(str(os)) if known else ""
        is_short = has_short_form(content)
        about = [f"about_{os if known else 'none'}", *(["about_short"] if is_short else [])]
        controls.put(self._about, Page([Paragraph(catalog.text(f"paste.{key}", language)) for key in about]))
        if self._script.value != content:
            self._script.value = self._copy.content = content
            self._copy_short.content = short(content) if is_short else ""
        done = catalog.text("paste.copied", language)
        self._copy.text, self._copy.done = catalog.text("paste.copy", language), done
        self._copy_short.text, self._copy_short.done = catalog.text("paste.copy_short", language), done
        if known:
            controls.download(self._file, SCRIPTS[str(os)], content.encode(), language)
        controls.word(self._script, catalog.text("paste.script", language))
        controls.word(self._output, catalog.text("paste.output", language))
        controls.word(self._read, catalog.text("paste.read", language))
        self._read.disabled = busy
        for part in (self._copy, self._script, self._file):
            controls.visible(part, known)
        controls.visible(self._copy_short, is_short)
        controls.put(self._learned, self._page(language) if self._page else None)

    def understood(self, learned: Callable[[str], Page]) -> None:
        """Empty the field: its content was read, and this is what it decided, in the language given."""
        self._output.value = ""
        self._page = learned

    def _pasted(self) -> None:
        self._on_paste(self._output.value)
