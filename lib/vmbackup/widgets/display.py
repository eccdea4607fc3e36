"""The tool in a notebook's cell, and below it the page that says the same, for viewers without buttons."""

from __future__ import annotations

from typing import Any

from vmbackup import catalog
from vmbackup.pages.blocks import Details, Page

_WIDGET = "application/vnd.jupyter.widget-view+json"


class Twin:
    """What a saved notebook keeps of the tool."""

    def __init__(self) -> None:
        self._id = f"vmbackup-{id(self)}"
        self._shown = False

    def display(self, box: Any, page: Page, language: str) -> None:
        """Show the tool in the running cell, and its page folded below."""
        from IPython.display import display

        view = box._repr_mimebundle_()[_WIDGET]
        said = catalog.text("guide.needs_kernel", language)
        display({_WIDGET: view, "text/plain": said}, raw=True)  # type: ignore[no-untyped-call]
        display(_as_page(page, language), display_id=self._id)  # type: ignore[no-untyped-call]
        self._shown = True

    def update(self, page: Page, language: str) -> None:
        """Bring the page up to date, once it is shown."""
        if self._shown:
            from IPython.display import display

            display(_as_page(page, language), display_id=self._id, update=True)  # type: ignore[no-untyped-call]


def _as_page(page: Page, language: str) -> Page:
    return Page([Details(catalog.text("guide.as_page", language), page.blocks)])
