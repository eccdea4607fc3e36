"""Secrets in every spelling in every place that a bundle is made from: `make canaries` says which came through.

The PDF is Chromium's print of the document, and compressed: what it says is counted there.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from spellings import SPELLINGS
from vmbackup.model import Fact, FactStatus
from vmbackup.parameters import Parameters
from vmbackup.runs.folder import RunFolder
from vmbackup.runs.run import Run
from vmbackup.runs.state import Skip
from vmbackup.ticket import bundle
from vmbackup.ticket.aliases import Level
from worlds import examine, world

STEM = "Zq7hunterGEHEIM"


def canary(number: int) -> str:
    """The secret of one spelling."""
    return f"{STEM}{number:03}x"


def planted() -> list[str]:
    """Every spelling with its canary."""
    return [spelling.format(canary(number)) for number, spelling in enumerate(SPELLINGS)]


def plant(folder: Path, scenario: str = "agent_old_linux") -> None:
    """A run folder whose evidence, decisions, audit and executed notebook hold every spelling."""
    evidence, said = examine(scenario), planted()
    with world(scenario) as (_, _, target):
        run = Run(Parameters(azure="live", run_folder=str(folder)), "agent_unreachable", target, evidence)
    job = evidence["backup.failed_job"].data
    errors = [{"code": 1, "title": None, "text": words, "recommendations": [words]} for words in said]
    run.evidence["backup.failed_job"] = Fact(FactStatus.OK, data={**job, "errors": errors})
    event = {"operation": "x", "status": "Failed", "caller": None, "resource_id": None, "code": None}
    events = [{**event, "time": "2026-11-22T22:00:00Z", "message": words} for words in said]
    run.evidence["vm.activity"] = Fact(FactStatus.OK, data=events, how=tuple(said))
    run.skipped = {f"{cause}": Skip(words, None) for cause, words in zip(("disks", "snapshot"), said, strict=False)}
    run.save()
    files = RunFolder(str(folder))
    # As somebody else's program may have written them: not through our own redaction.
    files.write("evidence.json", json.dumps(bundle.evidence_json(target, run.evidence)).encode())
    files.write("run.evidence.json", json.dumps(bundle.evidence_json(target, run.evidence)).encode())
    files.write("runbook.ipynb", json.dumps(_notebook(said)).encode())


def _notebook(said: list[str]) -> dict[str, Any]:
    """As plain papermill leaves it: parameters in the metadata and in an injected cell."""
    cells = [
        {
            "cell_type": "code",
            "metadata": {"tags": ["injected-parameters"]},
            "execution_count": 1,
            "source": [f"failure = {words!r}\n", *words.splitlines(True)],
            "outputs": [{"output_type": "stream", "name": "stdout", "text": words.splitlines(True)}],
        }
        for words in said
    ]
    metadata = {"papermill": {"parameters": {f"p{number}": words for number, words in enumerate(said)}}}
    return {"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 4}


def leaks(files: Mapping[str, bytes]) -> list[tuple[str, str]]:
    """Each spelling and the artefact in which its canary is still to be read."""
    return [
        (spelling, name)
        for number, spelling in enumerate(SPELLINGS)
        for name, content in files.items()
        if canary(number).encode() in content
    ]


def main() -> int:
    """Print spelling by artefact; 1 where anything came through."""
    with tempfile.TemporaryDirectory() as folder:
        plant(Path(folder))
        found, names = {}, ()
        for level in Level:
            files = bundle.bundle(folder, level, with_pdf=False).files
            names = tuple(files)
            for spelling, name in leaks(files):
                found.setdefault((spelling, name), []).append(str(level))
    table = Table("spelling", *names)
    for spelling in SPELLINGS:
        table.add_row(spelling.replace("\n", "⏎")[:60], *(", ".join(found.get((spelling, name), [])) for name in names))
    Console(width=200, highlight=False, markup=False).print(table)
    print(f"{len(SPELLINGS)} spellings, {len(names)} artefacts, {len(Level)} levels: {len(found)} came through")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
