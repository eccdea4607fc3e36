"""The offer to go on with an earlier walk of this VM, found in the run folder."""

from __future__ import annotations

from collections.abc import Callable

from vmbackup import catalog, clock
from vmbackup.pages.blocks import Block, Page, Paragraph
from vmbackup.runs.run import Walkthrough
from vmbackup.widgets import controls


class Offer:
    """What lies there, and two buttons: take it over, or begin anew."""

    def __init__(self, way: Walkthrough, on_resume: Callable[[], object], on_anew: Callable[[], object]) -> None:
        self._way = way
        self._page = controls.view()
        self._resume, self._anew = controls.button(on_resume), controls.button(on_anew)
        self.box = controls.rows(self._page, controls.row(self._resume, self._anew), classes=("vmbackup-part",))

    def show(self, busy: bool, language: str) -> None:
        """Bring it up to date; nothing is offered where there is no earlier walk."""
        controls.visible(self.box, self._way.earlier is not None)
        for button, key in ((self._resume, "resume"), (self._anew, "anew")):
            controls.word(button, catalog.text(f"guide.{key}", language))
            button.disabled = busy
        if self._way.earlier is not None:
            controls.put(self._page, self._found(language))

    def _found(self, language: str) -> Page | None:
        if self._way.earlier is None:
            return None
        found, _ = self._way.earlier
        when = clock.local(found.saved_at)
        applied = len(self._way.applied_earlier())
        said = catalog.text("guide.earlier", language, when=when, skipped=len(found.skipped), applied=applied)
        blocks: list[Block] = [Paragraph(said)]
        if found.pasted_at:
            pasted = catalog.text("guide.was_pasted", language, when=clock.local(found.pasted_at))
            blocks.append(Paragraph(pasted))
        return Page(blocks)
