from __future__ import annotations

from typing import Any

import pytest

from vmbackup.collectors.protected_item import read_item


@pytest.mark.parametrize(
    ("said", "read"),
    [
        ({"lastBackupTime": "2001-01-01T00:00:00Z"}, {"last_backup_time": None}),
        ({"lastBackupTime": "2026-11-22T23:00:00.1234567Z"}, {"last_backup_time": "2026-11-22T23:00:00Z"}),
        ({"policyId": "/v/backupPolicies/Daily"}, {"policy_name": "Daily"}),
        ({"isScheduledForDeferredDelete": True}, {"soft_deleted": True}),
        ({"isScheduledForDeferredDelete": None}, {"soft_deleted": False}),
        ({"extendedProperties": {}}, {"disk_luns": None, "disk_luns_included": None}),
        (
            {"extendedProperties": {"diskExclusionProperties": {"diskLunList": [0, 2], "isInclusionList": False}}},
            {"disk_luns": [0, 2], "disk_luns_included": False},
        ),
        (
            {"extendedProperties": {"diskExclusionProperties": {"diskLunList": ["0", 2.0], "isInclusionList": "true"}}},
            {"disk_luns": [0, 2], "disk_luns_included": True},
        ),
        (
            {"healthDetails": [{"code": 400239, "title": "t", "message": None, "recommendations": []}]},
            {"health_details": [{"code": 400239, "title": "t", "message": None, "recommendations": []}]},
        ),
    ],
)
def test_an_item_is_read_as_azure_means_it(said: dict[str, Any], read: dict[str, Any]) -> None:
    item = read_item({"id": "/i", "properties": said})
    assert {name: item[name] for name in read} == read  # type: ignore[literal-required]
