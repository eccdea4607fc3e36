"""Another backup of the VM is running."""

from __future__ import annotations

from typing import Any

import pytest

from judging import DENIED, failed_job, job, outcome

NOW = "2026-11-23T02:48:00Z"
NAMED = {"backup__failed_job": failed_job(None, "UserErrorBackupOperationInProgress")}


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({"backup__jobs": []}, ("ok", "ok")),
        ({"backup__jobs": [job(), job("Failed")]}, ("ok", "ok")),
        ({"backup__jobs": [job("InProgress")]}, ("problem", "problem")),
        ({"backup__jobs": [job("Cancelling")]}, ("problem", "problem")),
        ({"backup__jobs": [job("InProgress", NOW), job("Completed")]}, ("ok", "runs_nothing_failed")),
        ({"backup__jobs": [job("InProgress", NOW), job("Failed")]}, ("problem", "problem")),
        ({"backup__jobs": [job("InProgress", operation="Restore")]}, ("ok", "ok")),
        ({"backup__jobs": [job("Failed")]} | NAMED, ("unknown", "unknown")),
        ({"backup__jobs": [job("InProgress"), job("Failed")]} | NAMED, ("problem", "problem")),
        ({"backup__jobs": DENIED}, ("unknown", "unanswered")),
        ({}, ("unknown", "not_collected")),
    ],
)
def test_no_other_backup_runs(facts: dict[str, Any], expected: tuple[str, str]) -> None:
    assert outcome("no_other_backup_runs", **facts) == expected
