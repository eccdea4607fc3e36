"""What the failed backup says about itself."""

from __future__ import annotations

from typing import Any

import pytest

from judging import failed_job, job
from vmbackup.failures.jobs import backup_failed, is_over


@pytest.mark.parametrize(
    ("failed", "jobs", "expected"),
    [
        (failed_job(), None, True),
        (None, [job("Failed")], True),
        (None, [job("CompletedWithWarnings")], True),
        (None, [job("Completed")], False),
        (None, [job("Failed", "2026-11-20T22:00:00Z"), job("Completed", "2026-11-21T22:00:00Z")], False),
        (None, [job("Completed", "2026-11-20T22:00:00Z"), job("Failed", "2026-11-21T22:00:00Z")], True),
        (None, [job("InProgress", "2026-11-22T22:00:00Z"), job("Completed", "2026-11-21T22:00:00Z")], False),
        (None, [job("Paused", "2026-11-22T22:00:00Z"), job("Completed", "2026-11-21T22:00:00Z")], None),
        (None, [job("Completed", operation="Restore")], None),
        (None, [], None),
        (None, None, None),
    ],
)
def test_the_newest_finished_backup_counts(failed: Any, jobs: Any, expected: bool | None) -> None:
    assert backup_failed(failed, jobs) is expected


GOOD_THEN_FAILED = [job("Completed", "2026-11-20T22:00:00.12Z"), job("Failed", "2026-11-21T22:00:00Z")]


@pytest.mark.parametrize(
    ("last", "jobs", "expected"),
    [
        ("2018-03-05T14:31:57Z", GOOD_THEN_FAILED, True),
        ("2026-11-20T22:01:00Z", GOOD_THEN_FAILED, False),
        ("2026-11-20T22:30:00+01:00", GOOD_THEN_FAILED, True),
        ("2018-03-05T14:31:57Z", [job("Failed"), job("CompletedWithWarnings"), job(operation="Restore")], False),
        ("2018-03-05T14:31:57Z", None, False),
        (None, GOOD_THEN_FAILED, False),
    ],
)
def test_what_was_before_a_good_backup_is_over(last: Any, jobs: Any, expected: bool) -> None:
    assert is_over(last, jobs) is expected
