"""A page as plain data, and its three renderings: HTML, Markdown and plain text, all with the same content.

Everything a block carries is text, never markup: rendering escapes it, so that no name, tag or message from Azure or
a guest can act on the page. Verdicts show as sign, word and colour.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from textwrap import indent
from urllib.parse import quote

from vmbackup import sanitize
from vmbackup.pages.bars import Bars
from vmbackup.pages.chart import Chart
from vmbackup.pages.links import Links

SIGNS = {"ok": "✔", "problem": "✖", "unknown": "?", "not_applicable": "–", "pending": "…"}
# Edges only: the text keeps the theme's own colour and contrast, and the verdict's sign and word stand beside it.
_EDGES = {"ok": "#2e8540", "problem": "#d83933", "unknown": "#c07b00"}
# An id or a path may be broken anywhere to fit a column, a word may not.
_NO_WORD = re.compile(r"\S{31}")


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading inside the page; the notebook's own headings are level 1 and 2."""

    text: str
    level: int = 3


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A paragraph, with an optional bold label in front."""

    text: str
    label: str = ""


@dataclass(frozen=True, slots=True)
class VerdictBanner:
    """A verdict with its word and the sentence that belongs to it."""

    verdict: str
    word: str
    text: str


@dataclass(frozen=True, slots=True)
class Cell:
    """A table's cell with a verdict of its own, or a relative path that it leads to."""

    text: str
    verdict: str = ""
    path: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of text under a header; ``verdicts`` gives each row a verdict sign in its first cell (None: no sign)."""

    header: Sequence[str]
    rows: Sequence[Sequence[str | Cell]]
    verdicts: Sequence[str] | None = None


@dataclass(frozen=True, slots=True)
class Code:
    """Commands or a parameters block, shown literally."""

    text: str


@dataclass(frozen=True, slots=True)
class Details:
    """Blocks that open on a click; static renderings that cannot fold show them open."""

    summary: str
    blocks: Sequence[Block]


Block = Heading | Paragraph | VerdictBanner | Table | Code | Details | Chart | Bars | Links


@dataclass(frozen=True, slots=True)
class Page:
    """A view: what a notebook cell shows. Jupyter picks HTML where it can, else Markdown, else text."""

    blocks: Sequence[Block]

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        return {"text/html": self.html(), "text/markdown": self.markdown(), "text/plain": self.text()}

    def html(self) -> str:
        """The page as one HTML fragment without scripts or style sheets. A dollar sign in it is no formula."""
        inside = "".join(_HTML[type(block)](block) for block in self.blocks)
        return f'<div class="vmbackup mathjax_ignore">{inside}</div>'

    def markdown(self) -> str:
        """The page as GitHub-flavoured Markdown."""
        return "\n\n".join(_MARKDOWN[type(block)](block) for block in self.blocks) + "\n"

    def text(self) -> str:
        """The page as plain text for a terminal or a log."""
        return "\n".join(_TEXT[type(block)](block) for block in self.blocks) + "\n"


# --- HTML ----------------------------------------------------------------------------------------------------------


# Texts stand in <bdi>, so that right-to-left words in one name cannot reorder their neighbours.
def _escape(words: str) -> str:
    return sanitize.escaped(words).replace("\n", "<br>")


def _html_heading(block: Heading) -> str:
    return f"<h{block.level}>{_escape(block.text)}</h{block.level}>"


def _html_paragraph(block: Paragraph) -> str:
    label = f"<strong>{_escape(block.label)}</strong> " if block.label else ""
    return f"<p>{label}<bdi>{_escape(block.text)}</bdi></p>"


def _html_banner(block: VerdictBanner) -> str:
    edge = _EDGES.get(block.verdict, "#8d8d8d")
    return (
        f'<p style="border-left:6px solid {edge};padding:4px 10px;margin:8px 0">'
        f"<strong>{SIGNS[block.verdict]} {_escape(block.word)}</strong> · <bdi>{_escape(block.text)}</bdi></p>"
    )


def _html_table(block: Table) -> str:
    head = "".join(f'<th scope="col" style="text-align:left">{_escape(cell)}</th>' for cell in block.header)
    rows = "".join(f"<tr>{''.join(map(_html_cell, row))}</tr>" for row in _cells(block))
    return f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"


def _cells(block: Table) -> list[list[Cell]]:
    """All rows, each row's verdict in its first cell."""
    rows = [[cell if isinstance(cell, Cell) else Cell(cell) for cell in row] for row in block.rows]
    verdicts = block.verdicts or [""] * len(rows)
    return [
        [replace(row[0], verdict=verdict), *row[1:]] if verdict else row
        for row, verdict in zip(rows, verdicts, strict=True)
    ]


def _signed(cell: Cell) -> str:
    return f"{SIGNS[cell.verdict]} " if cell.verdict else ""


def _html_cell(cell: Cell) -> str:
    edge = f";border-left:6px solid {_EDGES.get(cell.verdict, '#8d8d8d')}" if cell.verdict else ""
    edge += ";overflow-wrap:anywhere" if _NO_WORD.search(cell.text) else ""
    words = f"<bdi>{_escape(cell.text)}</bdi>"
    # A quoted path has no scheme: it leads nowhere but to a file beside the page.
    inside = f'<a href="{quote(cell.path)}">{words}</a>' if cell.path else words
    return f'<td style="text-align:left;vertical-align:top{edge}">{_signed(cell)}{inside}</td>'


def _html_code(block: Code) -> str:
    return f"<pre><code>{sanitize.escaped(block.text)}</code></pre>"


def _html_details(block: Details) -> str:
    inside = "".join(_HTML[type(inner)](inner) for inner in block.blocks)
    return f"<details><summary>{_escape(block.summary)}</summary>{inside}</details>"


# --- Markdown ------------------------------------------------------------------------------------------------------

_MARKUP = re.compile(r"([\\`*_{}\[\]<>#|~$&])")


def _plain(words: str) -> str:
    return _MARKUP.sub(_literal, sanitize.text(words))


def _literal(mark: re.Match[str]) -> str:
    # Two backslashes before a bracket would begin a formula in Jupyter's Markdown.
    return "&#92;" if mark.group() == "\\" else f"\\{mark.group()}"


def _inline(words: str) -> str:
    return _plain(words).replace("\n", " ")


def _markdown_heading(block: Heading) -> str:
    return f"{'#' * block.level} {_inline(block.text)}"


def _markdown_paragraph(block: Paragraph) -> str:
    label = f"**{_inline(block.label)}** " if block.label else ""
    return label + _plain(block.text).replace("\n", "  \n")


def _markdown_banner(block: VerdictBanner) -> str:
    return f"> **{SIGNS[block.verdict]} {_inline(block.word)}** · {_inline(block.text)}"


def _markdown_table(block: Table) -> str:
    rows = [[_markdown_cell(cell) for cell in row] for row in _cells(block)]
    lines = [[_inline(cell) for cell in block.header], ["---"] * len(block.header), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _markdown_cell(cell: Cell) -> str:
    words = _inline(cell.text)
    return _signed(cell) + (f"[{words}]({quote(cell.path)})" if cell.path else words)


def _markdown_code(block: Code) -> str:
    words = sanitize.text(block.text)
    fence = "`" * max(3, 1 + max((len(run) for run in re.findall(r"`+", words)), default=0))
    return f"{fence}\n{words}\n{fence}"


def _markdown_details(block: Details) -> str:
    inside = "\n\n".join(_MARKDOWN[type(inner)](inner) for inner in block.blocks)
    return f"**{_inline(block.summary)}**\n\n{inside}"


# --- plain text ----------------------------------------------------------------------------------------------------


def _text_heading(block: Heading) -> str:
    return f"\n{sanitize.text(block.text)}\n{'-' * len(block.text)}"


def _text_paragraph(block: Paragraph) -> str:
    return sanitize.text(f"{block.label} {block.text}".strip())


def _text_banner(block: VerdictBanner) -> str:
    return sanitize.text(f"[{SIGNS[block.verdict]} {block.word}] {block.text}")


def _text_table(block: Table) -> str:
    rows = [[_signed(cell) + sanitize.text(cell.text).replace("\n", " ") for cell in row] for row in _cells(block)]
    table = [[sanitize.text(cell) for cell in block.header], *rows]
    widths = [max(len(row[column]) for row in table) for column in range(len(block.header))]
    padded = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in table]
    return "\n".join([padded[0], "  ".join("-" * width for width in widths), *padded[1:]])


def _text_code(block: Code) -> str:
    return indent(sanitize.text(block.text), "    ")


def _text_details(block: Details) -> str:
    inside = "\n".join(_TEXT[type(inner)](inner) for inner in block.blocks)
    return f"{sanitize.text(block.summary)}\n{indent(inside, '  ')}"


_Render = dict[type, Callable[..., str]]
_HTML: _Render = {
    Heading: _html_heading,
    Paragraph: _html_paragraph,
    VerdictBanner: _html_banner,
    Table: _html_table,
    Code: _html_code,
    Details: _html_details,
    Chart: Chart.svg,
    Bars: Bars.svg,
    Links: Links.html,
}
_MARKDOWN: _Render = {
    Heading: _markdown_heading,
    Paragraph: _markdown_paragraph,
    VerdictBanner: _markdown_banner,
    Table: _markdown_table,
    Code: _markdown_code,
    Details: _markdown_details,
    Chart: lambda block: _inline(block.summary),
    Bars: lambda block: _inline(block.summary),
    Links: lambda block: _inline(block.summary),
}
_TEXT: _Render = {
    Heading: _text_heading,
    Paragraph: _text_paragraph,
    VerdictBanner: _text_banner,
    Table: _text_table,
    Code: _text_code,
    Details: _text_details,
    Chart: lambda block: sanitize.text(block.summary),
    Bars: lambda block: sanitize.text(block.summary),
    Links: lambda block: sanitize.text(block.summary),
}
