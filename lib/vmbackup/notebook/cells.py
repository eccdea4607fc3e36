"""What every cell of a runbook has in common: its heading, its language, and that it follows the run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import wraps
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

from IPython.core.getipython import get_ipython
from IPython.display import display

from vmbackup import catalog
from vmbackup.catalog.words import explain, put_into_words
from vmbackup.model import Language, RunbookError
from vmbackup.notebook import frontend
from vmbackup.pages.blocks import Block, Page, Paragraph
from vmbackup.runs.result import MIME_TYPE
from vmbackup.runs.run import Run
from vmbackup.widgets.display import Followed

_CHANGING = ("remedies", "retry")


class Book(Protocol):
    """What the cells of a runbook share."""

    refusal: str
    cells: Followed

    @property
    def run(self) -> Run:
        """The run."""

    @property
    def language(self) -> Language:
        """The language of all that is shown."""

    @property
    def consents(self) -> bool:
        """Whether the parameters agree to changes."""

    def refused(self) -> Page:
        """Why there is no run."""

    def _heading(self, cell: str, *given: Any) -> list[Block]: ...


_Book = TypeVar("_Book", bound=Book)
_Given = ParamSpec("_Given")
_Shown = TypeVar("_Shown")


@dataclass(frozen=True, slots=True)
class ResultPage(Page):
    """The last page of a run; it carries the machine-readable result beside the readable one."""

    content: dict[str, Any]

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, Any]:
        return {**Page(self.blocks)._repr_mimebundle_(), MIME_TYPE: self.content}


def cell(
    page: Callable[Concatenate[_Book, _Given], _Shown],
) -> Callable[Concatenate[_Book, _Given], _Shown | Page]:
    """What a cell shows: the page under its heading, or why there is none. What goes wrong speaks the operator's
    language."""

    @wraps(page)
    def shown(book: _Book, /, *args: _Given.args, **kwargs: _Given.kwargs) -> _Shown | Page:
        if book.refusal:
            return book.refused()
        try:
            result = page(book, *args, **kwargs)
        except RunbookError as error:
            raise put_into_words(error, book.language) from None
        return result if book.refusal else _headed(result, book._heading(page.__name__, *args))

    return shown


def followed(
    page: Callable[Concatenate[_Book, _Given], _Shown],
) -> Callable[Concatenate[_Book, _Given], _Shown | None]:
    """A cell whose page follows the run after it ran, where a frontend can do that. What changes something does not."""

    @wraps(page)
    def shown(book: _Book, /, *args: _Given.args, **kwargs: _Given.kwargs) -> _Shown | None:
        if not frontend.follows() or (page.__name__ in _CHANGING and book.consents):
            return page(book, *args, **kwargs)
        book.cells.show((page.__name__, args), lambda: _now(book, page, *args, **kwargs))
        return None

    return shown


def _headed(result: _Shown, heading: list[Block]) -> _Shown | Page:
    """The page under this heading; what is not a page but a tool gets it as an output of its own, just before."""
    if isinstance(result, Page):
        return replace(result, blocks=[*heading, *result.blocks])
    if get_ipython() is not None:
        display(Page(heading))  # type: ignore[no-untyped-call]
    return result


def _now(book: Book, page: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """What a cell shows as the run stands; no verdict before all answers are in."""
    if not book.refusal and frontend.collecting(book.run):
        waits = Paragraph(catalog.text("guide.waits", book.language))
        return Page([*book._heading(page.__name__, *args), waits])
    try:
        return page(book, *args, **kwargs)
    except RunbookError as error:
        return Page([Paragraph(explain(error, book.language))])
