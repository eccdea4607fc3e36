"""The VM's disks are throttled while the snapshot is taken."""

from __future__ import annotations

from typing import Any

import pytest

from judging import DENIED, failed_job, job, outcome

FAILED = {"backup__failed_job": failed_job(), "backup__jobs": [job("Failed")]}
GOOD = {"backup__failed_job": None, "backup__jobs": [job()]}


def metrics(values: list[float], window: str = "snapshot_task", name: str = "Data Disk IOPS") -> dict[str, Any]:
    points = [(f"2026-11-22T22:{minute:02}:00Z", value) for minute, value in enumerate(values)]
    series = {f"{name} Consumed Percentage": {"unit": "Percent", "aggregation": "Average", "points": points}}
    return {"vm__metrics": {"start": "", "end": "", "window": window, "series": series}}


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        (metrics([20.0, 30.0]) | FAILED, ("ok", "ok")),
        (metrics([100.0, 99.0, 40.0]) | FAILED, ("problem", "problem")),
        (metrics([100.0, 20.0, 20.0]) | FAILED, ("ok", "ok")),
        (metrics([100.0], name="OS Disk IOPS") | FAILED, ("problem", "problem")),
        (metrics([100.0], name="VM Uncached IOPS") | FAILED, ("problem", "problem")),
        (metrics([100.0], "last_hour") | FAILED, ("unknown", "only_last_hour")),
        (metrics([100.0]) | GOOD, ("ok", "nothing_failed")),
        (metrics([]) | FAILED, ("unknown", "unknown")),
        ({"vm__metrics": DENIED}, ("unknown", "unanswered")),
        ({}, ("unknown", "not_collected")),
    ],
)
def test_disk_load(facts: dict[str, Any], expected: tuple[str, str]) -> None:
    assert outcome("disk_iops_leave_room_during_snapshot", **facts) == expected
