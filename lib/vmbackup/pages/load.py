"""Load while the snapshot was taken: CPU, memory and disk operations, drawn and as a table. Pure."""

from __future__ import annotations

from datetime import datetime

from vmbackup import catalog, clock
from vmbackup.catalog.words import why
from vmbackup.facts.vm import Metrics
from vmbackup.model import Evidence
from vmbackup.pages.blocks import Block, Details, Heading, Page, Paragraph, Table
from vmbackup.pages.chart import Chart, Line

# The metrics in percent, in the order in which they are shown.
_SHOWN = {
    "Percentage CPU": "cpu",
    "Available Memory Percentage": "memory",
    "OS Disk IOPS Consumed Percentage": "os_disk",
    "Data Disk IOPS Consumed Percentage": "data_disk",
    "VM Uncached IOPS Consumed Percentage": "vm_iops",
}


def page(evidence: Evidence, language: str) -> Page:
    """The chart with the snapshot window shaded, the least, mean and most of each line, and every minute folded."""
    heading = Heading(catalog.text("plot.title", language))
    fact = evidence.get("vm.metrics")
    if fact is None or not fact.answered or not fact.data:
        reason = why(fact, language) if fact else ""
        return Page([heading, Paragraph(reason or catalog.text("label.unknown", language))])
    metrics: Metrics = fact.data
    lines = _lines(metrics, language)
    window = (clock.parse(metrics["start"]), clock.parse(metrics["end"]))
    start, end = window
    if start is None or end is None or not any(line.points for line in lines):
        return Page([heading, Paragraph(catalog.text("plot.nothing", language))])
    named = catalog.text(f"plot.{metrics['window']}", language)
    told = " · ".join(_told(line, language) for line in lines if line.points)
    summary = catalog.text("plot.summary", language, window=named, lines=told)
    blocks: list[Block] = [heading, Chart(summary, lines, (start, end), named), _extremes(lines, language)]
    span = f"{clock.local(metrics['start'])} – {clock.local(metrics['end'])}"
    blocks.append(Paragraph(span, f"{named}:"))
    blocks.append(Details(catalog.text("plot.minutes", language), [_minutes(lines, language)]))
    return Page(blocks)


def _lines(metrics: Metrics, language: str) -> list[Line]:
    found = []
    for name, key in _SHOWN.items():
        series = metrics["series"].get(name)
        if series is not None:
            points = [(time, value) for stamp, value in series["points"] if (time := clock.parse(stamp)) is not None]
            found.append(Line(catalog.text(f"plot.{key}", language), points))
    return found


def _told(line: Line, language: str) -> str:
    values = [value for _, value in line.points]
    least, mean, most = (round(each) for each in (min(values), sum(values) / len(values), max(values)))
    return catalog.text("plot.told", language, name=line.name, least=least, mean=mean, most=most)


def _extremes(lines: list[Line], language: str) -> Table:
    header = [catalog.text(f"plot.{key}", language) for key in ("metric", "least", "mean", "most")]
    rows = []
    for line in lines:
        values = [value for _, value in line.points]
        extremes = (min(values), sum(values) / len(values), max(values)) if values else ()
        figures = [f"{each:.0f} %" for each in extremes]
        rows.append([line.name, *(figures or ["–", "–", "–"])])
    return Table(header, rows)


def _minutes(lines: list[Line], language: str) -> Table:
    by_time: dict[datetime, dict[str, float]] = {}
    for line in lines:
        for time, value in line.points:
            by_time.setdefault(time, {})[line.name] = value
    header = [catalog.text("plot.time", language), *(line.name for line in lines)]
    rows = [
        [f"{time:%H:%M}", *(f"{values[line.name]:.0f} %" if line.name in values else "–" for line in lines)]
        for time, values in sorted(by_time.items())
    ]
    return Table(header, rows)
