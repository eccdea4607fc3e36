"""What the failed backup says about itself."""

from __future__ import annotations

from typing import Any

import pytest

from judging import NO_NETWORK, failed_job, item, job
from vmbackup.failures.jobs import backup_failed, is_over, names_no_network


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


def health(code: int | None, title: str | None) -> dict[str, Any]:
    return item(health_details=[{"code": code, "title": title, "message": None}])


def status(code: int, word: str = "error") -> dict[str, Any]:
    return {
        "name": "VMSnapshotLinux",
        "versions": [],
        "newest": None,
        "status": word,
        "code": code,
        "message": None,
        "operation": None,
        "seq": 1,
    }


@pytest.mark.parametrize(
    ("failed", "vault_item", "extension", "expected"),
    [
        (NO_NETWORK, None, None, True),
        (failed_job(None, "ExtensionSnapshotFailedNoNetwork"), None, None, True),
        (
            failed_job(None, None, dynamic_message="StatusCode.FailedRetryableSnapshotFailedRestrictedNetwork,"),
            None,
            None,
            True,
        ),
        (failed_job(), None, None, False),
        (failed_job(None, None), None, None, None),
        (failed_job(errors=[]), None, None, None),
        (None, health(400206, None), None, True),
        (None, health(None, "ExtensionSnapshotFailedNoNetwork"), None, True),
        (None, health(400239, "IaasVmHealthGreenDefault"), None, None),
        (None, None, status(76), True),
        (None, None, status(761), True),
        (None, None, status(76, "success"), True),
        (None, None, status(1, "success"), None),
        (None, None, None, None),
    ],
)
def test_a_failure_names_the_network_or_does_not(
    failed: Any, vault_item: Any, extension: Any, expected: bool | None
) -> None:
    assert names_no_network(failed, vault_item, extension) is expected
