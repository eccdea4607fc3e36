"""Places in a notebook's cells whose content follows the run, also in the saved notebook."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any

from IPython.core.getipython import get_ipython
from IPython.display import display

from vmbackup.pages.blocks import Page

_WIDGET = "application/vnd.jupyter.widget-view+json"


class Place:
    """A page in the cell that shows it first; later it is updated there, from any cell or thread."""

    def __init__(self) -> None:
        self._id = f"vmbackup-{id(self)}"
        self._shown: Page | None = None

    @property
    def shown(self) -> bool:
        """Whether a cell shows it."""
        return self._shown is not None

    def show(self, page: Page) -> None:
        """Show this page in the running cell, or in place of the one before. Outside a notebook nothing is shown."""
        if get_ipython() is not None and page != self._shown:
            display(page, display_id=self._id, update=self.shown)  # type: ignore[no-untyped-call]
            self._shown = page


class Followed:
    """The pages of cells that follow the run; a cell that runs again takes the place of its earlier page."""

    def __init__(self) -> None:
        self._pages: dict[Hashable, tuple[Place, Callable[[], Page]]] = {}

    def show(self, cell: Hashable, page: Callable[[], Page]) -> None:
        """Show it in the running cell."""
        self._pages[cell] = (Place(), page)
        self._pages[cell][0].show(page())

    def update(self) -> None:
        """Bring all of them up to date."""
        for place, page in self._pages.values():
            place.show(page())


class _TwinPage(Page):
    """A page that the style sheet hides while the tool above it works."""

    def html(self) -> str:
        return f'<div class="vmbackup-twin">{super().html()}</div>'


class Twin:
    """What a saved notebook keeps of the tool: the page that says the same, for whoever has no kernel."""

    def __init__(self) -> None:
        self._place = Place()

    def display(self, box: Any, page: Page, note: str) -> None:
        """Show the tool in the running cell, and its page below; the note is for frontends that can show neither."""
        view = box._repr_mimebundle_()[_WIDGET]
        display({_WIDGET: view, "text/plain": note}, raw=True)  # type: ignore[no-untyped-call]
        self._place = Place()
        self._place.show(_TwinPage(page.blocks))

    def update(self, page: Page) -> None:
        """Bring the page up to date, once it is shown."""
        if self._place.shown:
            self._place.show(_TwinPage(page.blocks))
