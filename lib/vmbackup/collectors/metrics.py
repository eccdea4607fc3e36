"""Platform metrics over the time in which the failed job took its snapshot. They need no agent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from vmbackup import clock
from vmbackup.arm.call import gather
from vmbackup.arm.connection import Azure
from vmbackup.arm.errors import RequestRefused
from vmbackup.arm.paging import Listing
from vmbackup.arm.wire import entries, inside, listed, number, resource, text
from vmbackup.collectors.base import Answers, Ask, collector
from vmbackup.facts.backup import FailedJob
from vmbackup.facts.vm import Metrics, Series, VmModel

NAMES = (
    "Percentage CPU",
    "Available Memory Bytes",
    "Available Memory Percentage",
    "OS Disk IOPS Consumed Percentage",
    "Data Disk IOPS Consumed Percentage",
    "VM Uncached IOPS Consumed Percentage",
    "VmAvailabilityMetric",
)
BURSTABLE = "CPU Credits Remaining"
MOST_AT_ONCE = 50
"""How many VMs Azure Monitor answers for in one request."""
_SNAPSHOT = "take snapshot"
_SUCCESS = "success"
_SHORT = timedelta(minutes=5)


@collector("vm.metrics", optional=("vm.model", "backup.failed_job"), actions=("Microsoft.Insights/metrics/read",))
def metrics(ask: Ask, model: VmModel | None, job: FailedJob | None) -> Answers:
    """All metrics in one call; where the VM's size lacks one of them, each by itself. Where they are known of a longer
    time, those of the snapshot."""
    names = names_for(model)
    for known in ask.known_rows("_metrics") or []:
        start, end, window = snapshot_window(job, clock.parse(known["end"]) or ask.now)
        if (series := within(known, names, start, end)) is not None:
            return {"vm.metrics": _found(start, end, window, series)}
    start, end, window = snapshot_window(job, ask.now)
    try:
        wires = [_metrics(ask, ",".join(names), start, end)]
    except RequestRefused as error:
        if error.status != 400:
            raise
        each_alone = gather([partial(_metrics_or_none, ask, name, start, end) for name in names])
        wires = [wire for wire in each_alone if wire is not None]
        if not wires:
            # Azure refuses the request itself, not one metric that this VM size lacks.
            raise
    series = {name: each for wire in wires for name, each in read_series(wire).items()}
    return {"vm.metrics": _found(start, end, window, series)}


def _found(start: datetime, end: datetime, window: str, series: dict[str, Series]) -> Metrics:
    return {"start": clock.stamp(start) or "", "end": clock.stamp(end) or "", "window": window, "series": series}


def names_for(model: VmModel | None) -> tuple[str, ...]:
    """The metrics that a VM of this size has."""
    burstable = ((model["size"] if model else None) or "").lower().startswith("standard_b")
    return (*NAMES, BURSTABLE) if burstable else NAMES


def snapshot_window(job: FailedJob | None, now: datetime) -> tuple[datetime, datetime, str]:
    """When the snapshot was taken: the job's first task, else the whole job, else (no job) the last hour."""
    begun = clock.parse(job["start"]) if job else None
    if job is None or begun is None:
        return now - timedelta(hours=1), now, "last_hour"
    for task in job["tasks"]:
        if task["name"].lower() == _SNAPSHOT and task["duration_s"]:
            return *_whole_minutes(begun, begun + timedelta(seconds=task["duration_s"])), "snapshot_task"
    end = clock.parse(job["end"]) or begun + timedelta(seconds=job["duration_s"] or 3600)
    return *_whole_minutes(begun, max(end, begun)), "job"


def _whole_minutes(start: datetime, end: datetime) -> tuple[datetime, datetime]:
    """A snapshot may take seconds, but Azure has values per minute: take whole minutes."""
    if end - start >= _SHORT:
        return start, end
    first = start.replace(second=0, microsecond=0)
    last = end.replace(second=0, microsecond=0)
    return first, last + timedelta(minutes=1)


def metrics_of_many(
    azure: Azure, region: str, vm_ids: Sequence[str], names: Sequence[str], start: datetime, end: datetime
) -> Listing:
    """The metrics of up to MOST_AT_ONCE VMs of one subscription and region: a row for each that Azure answered for
    wholly, ``{vm_id, start, end, series}``."""
    pages: list[Any] = []
    azure.metrics(region).query_resources(
        resource_ids=vm_ids,
        metric_namespace="microsoft.compute/virtualmachines",
        metric_names=names,
        timespan=(start, end),
        granularity=timedelta(minutes=1),
        aggregations=["average"],
        # What the SDK makes of the answer has lost what the reader takes.
        raw_response_hook=lambda response: pages.append(response.http_response.json()),
    )
    return Listing([row for wire in listed(pages[-1], "values") if (row := read_metrics_of_one(wire))], False)


def read_metrics_of_one(wire: object) -> dict[str, Any] | None:
    """One VM of the answer; None where Azure could not answer for one of the metrics."""
    answered = (text(metric, "errorCode") or _SUCCESS for metric in listed(wire, "value"))
    if any(code.lower() != _SUCCESS for code in answered):
        return None
    times = {name: clock.stamp(text(wire, f"{name}time")) for name in ("start", "end")}
    return {"vm_id": text(wire, "resourceid") or "", **times, "series": read_series(wire)}


def within(known: Mapping[str, Any], names: Sequence[str], start: datetime, end: datetime) -> dict[str, Series] | None:
    """The minutes of such a row from ``start`` to ``end``; None where it does not hold all of them, or a metric."""
    first = clock.stamp(start.replace(second=0, microsecond=0)) or ""
    last, until = clock.stamp(end - timedelta(minutes=1)) or "", clock.stamp(end) or ""
    if not (known["start"] or "?") <= first or not until <= (known["end"] or "") or set(names) - set(known["series"]):
        return None
    return {name: _between(known["series"][name], first, last) for name in names}


def _between(series: Series, first: str, last: str) -> Series:
    return {**series, "points": [(time, value) for time, value in series["points"] if first <= time <= last]}


def _metrics_or_none(ask: Ask, name: str, start: datetime, end: datetime) -> Any:
    try:
        return _metrics(ask, name, start, end)
    except RequestRefused as error:
        if error.status != 400:
            raise
        return None


def _metrics(ask: Ask, names: str, start: datetime, end: datetime) -> Any:
    return ask.arm.read(
        f"{ask.target.vm_id}/providers/Microsoft.Insights/metrics",
        timespan=f"{clock.stamp(start)}/{clock.stamp(end)}",
        interval="PT1M",
        metricnames=names,
        aggregation="Average",
    )


def read_series(wire: object) -> dict[str, Series]:
    """``{"value": [{"name": {"value": "Percentage CPU"}, "unit": "Percent", "timeseries": [{"data": […]}]}]}``."""
    found: dict[str, Series] = {}
    for metric in listed(resource(wire), "value"):
        name = text(metric, "name", "value")
        if name is None:
            continue
        data = [each for line in entries(metric, "timeseries") for each in entries(line, "data")]
        points = [(clock.stamp(text(each, "timeStamp")), number(inside(each, "average"))) for each in data]
        known = sorted((time, value) for time, value in points if time is not None and value is not None)
        found[name] = {"unit": text(metric, "unit") or "", "aggregation": "Average", "points": known}
    return found
