"""An Azure Policy denies the resources that hold restore points."""

from __future__ import annotations

from typing import Any

import pytest

from judging import DENIED, failed_job, job, outcome

NOTHING_FAILED = {"backup__failed_job": None, "backup__jobs": [job()]}


KEPT = {"vm__restore_points": [{"id": "/c", "name": "c", "resource_group": "AzureBackupRG_x_1",
                                "provisioning_state": "Succeeded", "restore_points": 2}]}  # fmt: skip


def failed(title: str | None = "BackUpOperationFailed") -> dict[str, Any]:
    return {"backup__failed_job": failed_job(None, title), "backup__jobs": [job("Failed")], **KEPT}


def event(operation: str, code: str | None, message: str | None = None) -> dict[str, Any]:
    return {
        "time": "2026-11-22T22:00:00Z",
        "operation": operation,
        "status": "Failed",
        "caller": None,
        "resource_id": None,
        "code": code,
        "message": message,
    }


COLLECTION = "Microsoft.Compute/restorePointCollections/write"


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        (failed() | {"vm__activity": []}, ("ok", "ok")),
        (failed() | {"vm__activity": [], "vm__restore_points": []}, ("unknown", "group_not_known")),
        (failed() | {"vm__activity": [], "vm__restore_points": DENIED}, ("unknown", "group_not_known")),
        (failed() | {"vm__activity": [event(COLLECTION, "RequestDisallowedByPolicy")]}, ("problem", "denied")),
        (
            failed()
            | {"vm__activity": [event("Microsoft.Authorization/policies/deny/action", None, "AzureBackupRG_x")]},
            ("problem", "denied"),
        ),
        (
            failed()
            | {"vm__activity": [event("Microsoft.Network/publicIPAddresses/write", "RequestDisallowedByPolicy")]},
            ("ok", "ok"),
        ),
        (failed() | {"vm__activity": [event(COLLECTION, "Conflict")]}, ("ok", "ok")),
        (failed() | {"vm__activity": DENIED}, ("unknown", "unknown")),
        (NOTHING_FAILED | {"vm__activity": DENIED}, ("unknown", "unknown")),
        ({"backup__jobs": DENIED, "vm__activity": []}, ("unknown", "group_not_known")),
        ({}, ("unknown", "unknown")),
    ],
)
def test_no_policy_denies(facts: dict[str, Any], expected: tuple[str, str]) -> None:
    assert outcome("no_policy_denies_restore_points", **facts) == expected
