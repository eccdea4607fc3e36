"""A page says the same in HTML, Markdown and plain text, and nothing in it acts."""

from html.parser import HTMLParser

import pytest

from vmbackup.pages.blocks import Code, Details, Heading, Page, Paragraph, Table, VerdictBanner

HOSTILE = "<script>alert('x')</script> **bold** | [link](javascript:1) `code` \u202eevil\x1b[31m & \"quoted\""


def every_block(words: str) -> Page:
    return Page(
        [
            Heading(words),
            Paragraph(words, words),
            VerdictBanner("problem", words, words),
            Table([words, "b"], [[words, words]], ["unknown"]),
            Details(words, [Paragraph(words), Code(words)]),
        ]
    )


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.seen: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)


def test_html_holds_no_element_that_the_text_brought() -> None:
    tags = Tags()
    tags.feed(every_block(HOSTILE).html())
    known = {"div", "h3", "p", "strong", "bdi", "table", "thead", "tbody", "tr", "th", "td", "details", "summary"}
    assert tags.seen <= known | {"pre", "code"}


def test_markdown_escapes_markup_outside_code() -> None:
    markdown = Page([Paragraph(HOSTILE)]).markdown()
    assert "\\<script\\>" in markdown
    assert "\\*\\*bold\\*\\*" in markdown
    assert "\\[link\\]" in markdown


def test_an_id_may_be_broken_anywhere_but_no_word() -> None:
    words = "Wiederherstellungspunktsammlung"[1:]
    page = Page([Table(["a", "b"], [[words, "/subscriptions/1/resourceGroups/group"]])]).html()
    assert page.count("overflow-wrap:anywhere") == 1
    assert 'overflow-wrap:anywhere"><bdi>/subscriptions' in page


def test_a_pipe_or_newline_cannot_break_a_markdown_table() -> None:
    markdown = Page([Table(["a"], [["x|y\nz"]])]).markdown()
    assert markdown.splitlines()[2] == "| x\\|y z |"


def test_code_with_backticks_gets_a_longer_fence() -> None:
    assert Page([Code("a ``` b")]).markdown().startswith("````\n")


@pytest.mark.parametrize("render", ["html", "markdown", "text"])
def test_no_rendering_lets_control_characters_through(render: str) -> None:
    shown = getattr(every_block(HOSTILE), render)()
    assert "\x1b" not in shown
    assert "\u202e" not in shown


@pytest.mark.parametrize("render", ["html", "markdown", "text"])
@pytest.mark.parametrize("words", ["Verdict", "finding", "folded", "inside"])
def test_every_rendering_carries_the_same_content(render: str, words: str) -> None:
    page = Page([VerdictBanner("ok", "Verdict", "finding"), Details("folded", [Paragraph("inside")])])
    assert words in getattr(page, render)()


@pytest.mark.parametrize(
    ("verdict", "sign"), [("ok", "✔"), ("problem", "✖"), ("unknown", "?"), ("not_applicable", "–")]
)
def test_a_verdict_shows_as_sign_and_word_not_by_colour_alone(verdict: str, sign: str) -> None:
    page = Page([VerdictBanner(verdict, "Word", "text")])
    assert all(f"{sign} Word" in shown for shown in (page.html(), page.markdown(), page.text()))


def test_jupyter_gets_all_three() -> None:
    bundle = Page([Paragraph("x")])._repr_mimebundle_()
    assert set(bundle) == {"text/html", "text/markdown", "text/plain"}
