"""Platform metrics over the time in which the failed job took its snapshot. They need no agent."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial
from typing import Any

from vmbackup import clock
from vmbackup.arm.call import gather
from vmbackup.arm.errors import RequestRefused
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
_SNAPSHOT = "take snapshot"
_SHORT = timedelta(minutes=5)


@collector("vm.metrics", optional=("vm.model", "backup.failed_job"), actions=("Microsoft.Insights/metrics/read",))
def metrics(ask: Ask, model: VmModel | None, job: FailedJob | None) -> Answers:
    """All metrics in one call; where the VM's size lacks one of them, each by itself."""
    start, end, window = snapshot_window(job, ask.now)
    burstable = ((model["size"] if model else None) or "").lower().startswith("standard_b")
    names = (*NAMES, BURSTABLE) if burstable else NAMES
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
    begin, finish = clock.stamp(start) or "", clock.stamp(end) or ""
    found: Metrics = {"start": begin, "end": finish, "window": window, "series": series}
    return {"vm.metrics": found}


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
