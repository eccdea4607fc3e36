"""Metrics are taken over the minutes of the snapshot, and one unknown metric does not lose the others."""

from __future__ import annotations

from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest

from vmbackup.arm.errors import Unreadable
from vmbackup.collectors import collect
from vmbackup.collectors.metrics import read_metrics_of_one, read_series, snapshot_window, within
from vmbackup.facts.backup import FailedJob
from worlds import world

NOW = datetime(2026, 11, 23, 3, tzinfo=timezone.utc)


def job(task_s: float | None, start: str | None = "2026-11-22T23:01:30Z", end: str | None = None) -> FailedJob:
    return {
        "name": "j",
        "status": "Failed",
        "start": start,
        "end": end,
        "duration_s": None,
        "errors": [],
        "dynamic_message": None,
        "tasks": [{"name": "Take Snapshot", "status": "Failed", "duration_s": task_s}],
        "first_failure": start,
    }


@pytest.mark.parametrize(
    ("failed", "start", "end", "window"),
    [
        (None, "02:00:00", "03:00:00", "last_hour"),
        (job(None, start=None), "02:00:00", "03:00:00", "last_hour"),
        (job(1200), "23:01:30", "23:21:30", "snapshot_task"),
        (job(20), "23:01:00", "23:02:00", "snapshot_task"),
        (job(None, end="2026-11-22T23:45:00Z"), "23:01:30", "23:45:00", "job"),
        (job(None, end="2026-11-22T23:00:00Z"), "23:01:00", "23:02:00", "job"),
        (job(None), "23:01:30", "00:01:30", "job"),
    ],
)
def test_the_window_is_that_of_the_snapshot_and_never_shorter_than_a_minute(
    failed: FailedJob | None, start: str, end: str, window: str
) -> None:
    found = snapshot_window(failed, NOW)
    assert (f"{found[0]:%H:%M:%S}", f"{found[1]:%H:%M:%S}", found[2]) == (start, end, window)


def test_a_metric_that_the_size_lacks_does_not_lose_the_others(tmp_path: Path) -> None:
    lacking = tmp_path / "lacking.yaml"
    lacking.write_text("os: linux\nmetrics: {VmAvailabilityMetric: null}", "utf-8")
    with world(str(lacking)) as (_, azure, target):
        series = collect(azure, target, deadline_s=20, only=["vm.metrics"])["vm.metrics"].data["series"]
    assert series["Percentage CPU"]["points"]


def test_only_burstable_sizes_are_asked_for_their_credits(tmp_path: Path) -> None:
    burstable = tmp_path / "burstable.yaml"
    burstable.write_text("os: linux\nvm: {size: Standard_B2ms}", "utf-8")
    for name, asked in ((str(burstable), True), ("healthy_linux", False)):
        with world(name) as (_, azure, target):
            how = collect(azure, target, deadline_s=20, only=["vm.metrics"])["vm.metrics"].how
        assert ("CPU Credits Remaining" in how[0]) is asked


def metric(*minutes: Any) -> Any:
    return {"value": [{"name": {"value": "m"}, "unit": "Percent", "timeseries": [{"data": list(minutes)}]}]}


@pytest.mark.parametrize(
    ("wire", "points"),
    [
        (metric(), []),
        (metric({"timeStamp": "2026-11-22T23:01:00Z"}), []),
        (metric({"timeStamp": "2026-11-22T23:01:00Z", "average": None}), []),
        (metric({"timeStamp": "2026-11-22T23:01:00Z", "average": "NaN"}), []),
        (metric({"timeStamp": "2026-11-22T23:01:00Z", "average": 0}), [("2026-11-22T23:01:00Z", 0.0)]),
    ],
)
def test_a_minute_without_a_value_is_no_zero(wire: Any, points: list[Any]) -> None:
    assert read_series(wire)["m"]["points"] == points


def test_metrics_that_were_left_out_are_not_none() -> None:
    assert read_series({"value": []}) == {}
    with pytest.raises(Unreadable):
        read_series({"value": None})


# --- out of an answer for many VMs ---------------------------------------------------------------------------------

HOUR = [(f"2026-11-22T23:{minute:02}:00Z", float(minute)) for minute in range(60)]
KNOWN = {
    "start": "2026-11-22T23:00:00Z",
    "end": "2026-11-23T00:00:00Z",
    "series": {"m": {"unit": "Percent", "aggregation": "Average", "points": HOUR}},
}


def at(minute: int, second: int = 0) -> datetime:
    return datetime(2026, 11, 22, 23, minute, second, tzinfo=timezone.utc)


@pytest.mark.parametrize(
    ("start", "end", "values"),
    [
        (at(0), at(3), [0, 1, 2]),
        (at(1, 30), at(4, 20), [1, 2, 3]),
        (at(58), datetime(2026, 11, 23, tzinfo=timezone.utc), [58, 59]),
        (at(58), datetime(2026, 11, 23, 0, 1, tzinfo=timezone.utc), None),
        (datetime(2026, 11, 22, 22, 59, tzinfo=timezone.utc), at(10), None),
    ],
)
def test_of_a_longer_time_those_minutes_are_taken_that_it_holds_wholly(
    start: datetime, end: datetime, values: list[float] | None
) -> None:
    found = within(KNOWN, ["m"], start, end)
    assert (found and [value for _, value in found["m"]["points"]]) == values
    assert within(KNOWN, ["m", "lacking"], start, end) is None


def test_a_vm_that_azure_could_not_answer_for_is_left_out() -> None:
    wire = {**metric({"timeStamp": "2026-11-22T23:01:00Z", "average": 1}), "resourceid": "/vm"}
    wire |= {"starttime": "2026-11-22T23:00:00Z", "endtime": "2026-11-23T00:00:00Z"}
    assert read_metrics_of_one(wire)["series"]["m"]["points"] == [("2026-11-22T23:01:00Z", 1.0)]
    wire["value"][0]["errorCode"] = "InternalServerError"
    assert read_metrics_of_one(wire) is None
