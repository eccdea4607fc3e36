"""What changed before the first failure, oldest first, from Azure's activity log. Pure."""

from __future__ import annotations

from vmbackup import catalog, clock
from vmbackup.catalog.words import duration, why
from vmbackup.facts.vm import ActivityEvent
from vmbackup.model import Evidence, Verdict, data_of
from vmbackup.pages.blocks import Heading, Page, Paragraph, Table

_MOST = 40


def page(evidence: Evidence, language: str) -> Page:
    """A table of the log's rows with their distance to the first failure, and the failure itself."""
    heading = Heading(catalog.text("timeline.title", language))
    fact = evidence.get("vm.activity")
    if fact is None or not fact.answered:
        reason = why(fact, language) if fact else catalog.text("label.unknown", language)
        return Page([heading, Paragraph(reason or catalog.text("label.unknown", language))])
    first = _first_failure(evidence)
    known = sorted(fact.data or [], key=lambda event: str(event["time"]))
    events = known[-_MOST:]
    rows = [(event["time"], _row(event, first, language), _sign(event)) for event in events]
    if first:
        failed = catalog.text("timeline.first_failure", language)
        rows.append((first, [clock.local(first), "", failed, "", ""], Verdict.PROBLEM))
    if not events:
        return Page([heading, Paragraph(catalog.text("timeline.nothing", language))])
    rows.sort(key=lambda row: str(row[0]))
    header = [catalog.text(f"timeline.{key}", language) for key in ("when", "distance", "what", "status", "who")]
    left_out = len(known) - len(events)
    mark = [Paragraph(catalog.text("timeline.left_out", language, count=left_out))] if left_out else []
    return Page([heading, *mark, Table(header, [row for _, row, _ in rows], [sign for *_, sign in rows])])


def _first_failure(evidence: Evidence) -> str | None:
    job = data_of(evidence, "backup.failed_job")
    return str(job["first_failure"]) if job and job["first_failure"] else None


def _row(event: ActivityEvent, first: str | None, language: str) -> list[str]:
    what = event["operation"] + (f"\n{event['message']}" if event["message"] else "")
    resource = (event["resource_id"] or "").rsplit("/", 1)[-1]
    return [
        clock.local(event["time"]),
        _distance(event["time"], first, language),
        f"{what}\n{resource}" if resource else what,
        event["status"] or "",
        event["caller"] or "",
    ]


def _distance(time: str, first: str | None, language: str) -> str:
    seconds = clock.seconds_between(time, first)
    if seconds is None:
        return ""
    key = "before" if seconds >= 0 else "after"
    return catalog.text(f"timeline.{key}", language, span=duration(abs(seconds)))


def _sign(event: ActivityEvent) -> str:
    return Verdict.PROBLEM if (event["status"] or "").lower() == "failed" else ""
