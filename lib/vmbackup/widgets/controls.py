"""The controls of the guided walk: buttons, fields and pages, labelled for keyboard and screen reader."""

from __future__ import annotations

import base64
import html
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import anywidget
import ipywidgets
import traitlets

from vmbackup import catalog
from vmbackup.pages.blocks import Page

_HERE = Path(__file__).parent


def asset(*names: str) -> str:
    """Files of this folder for the frontend, one after the other."""
    return "".join((_HERE / name).read_text("utf-8") for name in names)


class InNotebook(anywidget.AnyWidget):
    """What says ``dead`` when the kernel is gone, and leaves ``note`` for readers of the saved notebook in the place of
    the widget ``tool``; see notebook.js."""

    dead = traitlets.Unicode("").tag(sync=True)
    note = traitlets.Unicode("").tag(sync=True)
    tool = traitlets.Unicode("").tag(sync=True)


class Frontend(InNotebook):
    """A live region (``kind`` "status"), a button that copies ``content`` ("copy") or a place that comes into view
    ("here"); see frontend.js."""

    _esm = asset("notebook.js", "frontend.js")
    _css = asset("frontend.css")
    kind = traitlets.Unicode("status").tag(sync=True)
    text = traitlets.Unicode("").tag(sync=True)
    label = traitlets.Unicode("").tag(sync=True)
    content = traitlets.Unicode("").tag(sync=True)
    done = traitlets.Unicode("").tag(sync=True)


@cache
def _style(kind: Callable[[], Any]) -> Any:
    """One for all: each costs a message to the frontend, and the style sheet says how things look."""
    return kind()


def button(on_click: Callable[[], object], *classes: str) -> Any:
    """A button without a label yet; the label follows the language."""
    made = ipywidgets.Button(style=_style(ipywidgets.ButtonStyle))
    for name in ("vmbackup-button", *classes):
        made.add_class(name)
    made.on_click(lambda _: on_click())
    return made


def field(lines: int) -> Any:
    """A field for text: one line, or several. Its content is sent at once, so that no click arrives before it."""
    return (ipywidgets.Textarea if lines > 1 else ipywidgets.Text)(style={"description_width": "initial"})


def view(*classes: str) -> Any:
    """An empty place for a page."""
    made = ipywidgets.HTML(style=_style(ipywidgets.widgets.widget_string.HTMLStyle))
    for name in classes:
        made.add_class(name)
    return made


def put(place: Any, page: Page | None) -> None:
    """Show a page there, escaped by the page itself; None empties and hides the place."""
    words = page.html() if page is not None else ""
    if place.value != words:
        place.value = words
    visible(place, page is not None)


def download(place: Any, name: str, content: bytes, language: str, above: str = "") -> None:
    """Put there a link that saves this as a file, below ``above`` (HTML of a page)."""
    data = base64.b64encode(content).decode()
    words, named = html.escape(catalog.text("guide.download", language, name=name)), html.escape(name, quote=True)
    link = f'<p><a download="{named}" href="data:application/octet-stream;base64,{data}">{words}</a></p>'
    if place.value != above + link:
        place.value = above + link


def visible(widget: Any, shown: bool) -> None:
    """Show or hide a widget; what is hidden is out of the tab order too."""
    display = None if shown else "none"
    if widget.layout.display != display:
        widget.layout.display = display


def mark(widget: Any, classes: Mapping[str, bool]) -> None:
    """Give a widget these classes, or take them from it."""
    kept = [name for name in widget._dom_classes if name not in classes]
    wanted = (*kept, *(name for name, given in classes.items() if given))
    if set(wanted) != set(widget._dom_classes):
        widget._dom_classes = wanted


def rows(*children: Any, classes: tuple[str, ...] = (), layout: Any = None) -> Any:
    """Widgets under each other; with a ``layout`` that many share, none of them can be hidden alone."""
    made = ipywidgets.VBox(list(children), **({"layout": layout} if layout is not None else {}))
    for name in classes:
        made.add_class(name)
    return made


def row(*children: Any) -> Any:
    """Widgets side by side, as far as there is room."""
    return ipywidgets.HBox(list(children))


def word(widget: Any, text: str) -> None:
    """Give a button or field its words."""
    if widget.description != text:
        widget.description = text
