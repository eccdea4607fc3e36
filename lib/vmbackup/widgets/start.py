"""The start page with buttons: where to look, and the VMs whose backup failed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import traitlets

from vmbackup import catalog, sanitize
from vmbackup.pages.blocks import Page
from vmbackup.widgets import controls
from vmbackup.widgets.display import Twin


class StartTool(controls.InNotebook):
    """Shows ``view`` (see start.js) and tells ``on_choice`` what the operator chose: ``{"open": key}``,
    ``{"subscription": id}``, ``{"vault": id}``, ``{"own": True}`` or ``{"again": True}``."""

    _esm = controls.asset("notebook.js", "start.js")
    _css = controls.asset("start.css")
    view = traitlets.Dict().tag(sync=True)
    status = traitlets.Unicode("").tag(sync=True)
    asking = traitlets.Unicode("").tag(sync=True)
    opening = traitlets.Unicode("").tag(sync=True)

    def __init__(self, on_choice: Callable[[Mapping[str, Any]], object], language: str) -> None:
        words = {name: catalog.text(f"start.{name}", language) for name in ("asking", "opening", "dead", "note")}
        super().__init__(**words)
        self._box, self._twin, self._page = controls.rows(self), Twin(), Page([])
        self.tool = self._box.model_id
        self.on_msg(lambda _, choice, __: on_choice(choice))

    def show(self, view: Mapping[str, Any], page: Page) -> None:
        """Show this, and keep ``page``, which says the same, in the saved notebook."""
        self.view, self._page = dict(view), page
        self._twin.update(page)

    def say(self, words: str) -> None:
        """A message, read out by a screen reader; also when it is the same as before."""
        self.status = ""
        self.status = sanitize.text(words)

    def _ipython_display_(self) -> None:
        self._twin.display(self._box, self._page, self.note)
