"""Progress of collecting and backing up: which facts have arrived, which are outstanding, how long it has taken.
Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from vmbackup import catalog
from vmbackup.catalog.words import why
from vmbackup.model import Fact, Verdict
from vmbackup.pages.blocks import Details, Page, Paragraph, Table
from vmbackup.remedies.retry.progress import Progress

_TASK_SIGNS = {"completed": Verdict.OK, "failed": Verdict.PROBLEM}


def facts(came: Mapping[str, Fact], wanted: Sequence[str], seconds: float, language: str) -> Page:
    """Facts that have arrived, with the time they took, and those outstanding."""
    out = [name for name in wanted if name not in came]
    sentence = catalog.text("progress.facts", language, count=len(came), wanted=len(wanted), seconds=round(seconds))
    header = [catalog.text(f"label.{key}", language) for key in ("fact", "status", "took", "why")]
    rows = [
        [name, catalog.text(f"status.{fact.status}", language), f"{fact.took_ms} ms", why(fact, language)]
        for name, fact in came.items()
    ]
    still = catalog.text("progress.out", language)
    return Page(
        [
            Paragraph(sentence),
            Details(
                catalog.text("progress.which", language),
                [Table(header, [*rows, *([name, still, "", ""] for name in out)])],
            ),
        ]
    )


def waited(seconds: float, language: str) -> Page:
    """How long it has taken, where there is nothing else to say."""
    return Page([Paragraph(catalog.text("progress.waited", language, seconds=round(seconds)))])


def backup(progress: Progress | None, seconds: float, language: str) -> Page:
    """The on-demand job: its status, its percentage where Azure says one, and its tasks."""
    so_far = catalog.text("progress.waited", language, seconds=round(seconds))
    if progress is None:
        return Page([Paragraph(so_far, catalog.text("progress.starting", language))])
    percent = f", {progress.percent:.0f} %" if progress.percent is not None else ""
    sentence = catalog.text("progress.job", language, job=progress.job, status=progress.status)
    rows = [[name, status] for name, status in progress.tasks]
    signs = [_TASK_SIGNS.get(status.lower(), "") for _, status in progress.tasks]
    header = [catalog.text("progress.task", language), catalog.text("label.status", language)]
    return Page([Paragraph(f"{sentence}{percent}. {so_far}"), *([Table(header, rows, signs)] if rows else [])])
