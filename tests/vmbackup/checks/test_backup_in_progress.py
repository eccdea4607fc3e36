"""Another backup of the VM is running."""

from __future__ import annotations

from typing import Any

import pytest

from judging import DENIED, failed_job, job, outcome

NOW = "2026-11-23T02:48:00Z"
FAILED = {"backup__failed_job": failed_job()}
EARLIER = "2026-11-22T21:00:00Z"


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({"backup__jobs": []}, ("ok", "ok")),
        ({"backup__jobs": [job(), job("Failed")]}, ("ok", "ok")),
        ({"backup__jobs": [job("InProgress")]}, ("ok", "runs_nothing_failed")),
        ({"backup__jobs": [job("Cancelling", EARLIER)]} | FAILED, ("problem", "problem")),
        ({"backup__jobs": [job("InProgress", NOW), job("Completed")]}, ("ok", "runs_nothing_failed")),
        ({"backup__jobs": [job("InProgress", NOW), job("Failed")]} | FAILED, ("ok", "runs_since")),
        ({"backup__jobs": [job("InProgress", operation="Restore")]}, ("ok", "ok")),
        ({"backup__jobs": [job("InProgress", EARLIER), job("Failed")]} | FAILED, ("problem", "problem")),
        ({"backup__jobs": [job("InProgress", EARLIER)], "backup__failed_job": DENIED}, ("unknown", "unanswered")),
        ({"backup__jobs": [job() | {"operation": None}]}, ("unknown", "job_unread")),
        ({"backup__jobs": DENIED}, ("unknown", "unanswered")),
        ({}, ("unknown", "not_collected")),
    ],
)
def test_no_other_backup_runs(facts: dict[str, Any], expected: tuple[str, str]) -> None:
    assert outcome("no_other_backup_runs", **({"backup__failed_job": None} | facts)) == expected


def running(hours: float | None, taking_snapshot: bool | None = True) -> dict[str, Any]:
    seconds = None if hours is None else hours * 3600
    fact = {"name": "now", "status": "InProgress", "start": NOW, "running_s": seconds}
    return {"backup__running_job": fact | {"taking_snapshot": taking_snapshot}}


def took(seconds: float | None) -> dict[str, Any]:
    tasks = [{"name": "Take Snapshot", "status": "Failed", "duration_s": seconds}]
    return {"backup__running_job": None, "backup__failed_job": failed_job(tasks=tasks)}


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({"backup__running_job": None}, ("ok", "ok")),
        (running(0.5), ("ok", "runs")),
        (running(9), ("unknown", "hangs")),
        (running(9, None), ("unknown", "hangs")),
        # The copy to the vault takes hours, and that is usual.
        (running(9, False), ("ok", "runs")),
        (running(None), ("unknown", "age_unknown")),
        (took(1200), ("ok", "ok")),
        (took(10800), ("unknown", "hung")),
        (took(None), ("unknown", "snapshot_time_unknown")),
        ({}, ("unknown", "not_collected")),
    ],
)
def test_no_backup_hangs(facts: dict[str, Any], expected: tuple[str, str]) -> None:
    assert outcome("no_backup_hangs", **({"backup__failed_job": None} | facts)) == expected
