"""Under ``de`` nothing of the English catalogue is left: what is English there, Azure, the guest or a source said."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

from vmbackup import catalog
from vmbackup.catalog.reading import read
from vmbackup.catalog.rules import is_text
from vmbackup.model import Language
from vmbackup.notebook.runbook import Runbook
from vmbackup.pages import incident as incident_page
from vmbackup.pages import remedies
from vmbackup.pages.blocks import Page
from vmbackup.runs.incident import incident
from vmbackup.runs.run import Run
from walking import cure, run_over

CELLS = ("collect", "guide", "failure", "additions", "remedies", "retry", "result")
WORLDS = {"agent_stopped_linux": "agent_linux", "fs_freeze_linux": "", "extension_failed_windows": "extension"}


def texts(tree: Any) -> Iterator[tuple[str, str]]:
    """Every text of the catalogue, English and German."""
    if is_text(tree):
        yield tree["en"], tree["de"]
    elif isinstance(tree, (dict, list)):
        for each in tree.values() if isinstance(tree, dict) else tree:
            yield from texts(each)


def fragments(words: str) -> list[str]:
    """What stays of a sentence whatever its values are, where it is more than two words."""
    return [part for each in re.split(r"\{[^}]*\}", words) if (part := each.strip()).count(" ") > 1]


def pages(run: Run, cause: str) -> Iterator[Page]:
    book = Runbook(run)
    yield from (getattr(book, cell)() for cell in CELLS)
    yield from (book.step(step.cause) for step in run.diagnosis().steps if not step.addition)
    if cause:
        yield remedies.change(cure(run, cause), "de")
    run.back_up()
    yield incident_page.page(incident(run), "de")
    yield remedies.audit(run.audit(), "de")
    yield book.result()


@pytest.mark.parametrize("world", WORLDS)
def test_no_page_mixes_languages(world: str, tmp_path: Path) -> None:
    data = resources.files("vmbackup.catalog").joinpath("data")
    pairs = [pair for file in data.iterdir() for pair in texts(read(file.name))]
    quoted = [source["title"] for source in catalog.sources().values()]
    quoted += [section["title"]["en"] for section in catalog.sections().values()]
    allowed = "\n".join([*(de for _, de in pairs), *quoted])
    english = {part for en, _ in pairs for part in fragments(en) if part not in allowed}
    assert len(english) > 1500
    with run_over(world, tmp_path, section="internal_error", language=Language.DE) as run:
        shown = "\n".join(page.text() for page in pages(run, WORLDS[world]))
    assert [part for part in english if part in shown] == []
