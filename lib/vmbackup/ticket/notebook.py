"""The executed notebook as a page: the incident first, each heading's outputs folded, code and parameters left out.

A notebook may come from anywhere: nbconvert renders it, and of its HTML only what the product's own pages are made of
stays markup.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

_WIDGET = "application/vnd.jupyter.widget-view+json"
_READABLE = {"text/html", "text/plain", "image/png", "image/jpeg"}
# What a page with a heading of its own begins with.
_HEADED = re.compile(r'<div class="vmbackup mathjax_ignore">(?P<element><h2>(?P<heading>[^<]*)</h2>)')
_TAGS = (
    "a abbr b bdi blockquote br code details div em h1 h2 h3 h4 h5 h6 hr i li ol p pre span strong summary table tbody "
    "td th thead tr ul svg line polyline rect text"
)
_ATTRIBUTES = (
    "style scope role aria-label viewBox font-family font-size fill fill-opacity stroke stroke-opacity stroke-width "
    "stroke-dasharray points text-anchor x y x1 x2 y1 y2 width height"
)
_STYLES = "border-left padding margin width max-width height overflow-wrap"


@dataclass(frozen=True, slots=True)
class NotebookPage:
    """The notebook's title, its first output, and what else it shows under each heading."""

    title: str
    first: Markup
    parts: Sequence[tuple[str, Markup]]


def shown(content: Mapping[str, Any], language: str) -> NotebookPage:
    """What an executed notebook, as its JSON, shows."""
    import nbformat

    groups = list(_groups(nbformat.from_dict(content), language))  # type: ignore[no-untyped-call]
    first = next((outputs.pop(0) for _, outputs in groups if outputs), None)
    render = _renderer()
    parts = [(heading, render(outputs)) for heading, outputs in groups if outputs]
    return NotebookPage(groups[0][0], render([first] if first else []), parts)


def _groups(book: Any, language: str) -> Iterator[tuple[str, list[Any]]]:
    """Each heading and the outputs below it. The title is a cell's, in both languages; the others begin an output, but
    not the first one, which is the incident."""
    heading, outputs, is_first = "", list[Any](), True
    for cell in book.cells:
        if cell.cell_type == "markdown" and cell.source.startswith("#"):
            if heading or outputs:
                yield heading, outputs
            heading, outputs = _heading(cell.source, language), []
        for output in filter(_readable, cell.get("outputs", ())):
            shown = output.get("data", {}).get("text/html", "")
            begins = None if is_first else _HEADED.match(shown)
            is_first = False
            if begins:
                yield heading, outputs
                heading, outputs = html.unescape(begins["heading"]), []
                output["data"]["text/html"] = shown.replace(begins["element"], "", 1)
            outputs.append(output)
    yield heading, outputs


def _readable(output: Any) -> bool:
    """Whether a reader can use it; a widget needs its kernel."""
    return "data" not in output or bool(_READABLE & set(output.data)) and _WIDGET not in output.data


def _heading(source: str, language: str) -> str:
    """The heading of a cell: its first line, or in German the line in italics below it."""
    first, *rest = source.splitlines()
    german = next((line.strip("*") for line in rest if re.fullmatch(r"\*[^*].*\*", line)), "")
    return german if german and language == "de" else first.lstrip("# ")


def _renderer() -> Any:
    """What renders outputs as HTML. nbconvert is slow to load, so it is loaded only here."""
    import nbformat
    from nbconvert.exporters import HTMLExporter
    from nbconvert.preprocessors.sanitize import SanitizeHTML

    harmless = SanitizeHTML(
        tags=_TAGS.split(),
        attributes={"*": _ATTRIBUTES.split()},
        styles=_STYLES.split(),
        sanitized_output_types={"text/html"},  # what stands in Markdown alone would lead a click elsewhere
    )
    exporter = HTMLExporter(template_name="basic", exclude_input=True, exclude_output_prompt=True)
    exporter.register_preprocessor(harmless, enabled=True)

    def render(outputs: Sequence[Any]) -> Markup:
        cell = nbformat.v4.new_code_cell(outputs=list(outputs))  # type: ignore[no-untyped-call]
        return Markup(exporter.from_notebook_node(nbformat.v4.new_notebook(cells=[cell]))[0])  # type: ignore[no-untyped-call]

    return render
