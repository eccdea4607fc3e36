"""What an error says: its sentence, which it has in both languages."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from vmbackup.catalog.words import explain
from vmbackup.model import RunbookError, SetupError


def sentence(error: BaseException | None) -> str:
    """The error in English; in German it says something else."""
    assert isinstance(error, RunbookError)
    english = explain(error, "en")
    assert error.key == english or explain(error, "de") != english
    return english


@contextmanager
def refused(words: str, kind: type[RunbookError] = SetupError) -> Iterator[None]:
    """The block ends with an error of this kind, whose sentence has these words (a pattern) in it."""
    with pytest.raises(kind) as caught:
        yield
    assert re.search(words, sentence(caught.value))
