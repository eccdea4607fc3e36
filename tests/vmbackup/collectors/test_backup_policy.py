"""Standard and Enhanced policies write their schedule in different places."""

from __future__ import annotations

from typing import Any

import pytest

from vmbackup.collectors.backup_policy import read_policy

TIMES = ["2017-01-01T23:30:00Z", "2017-01-01T05:00:00"]


@pytest.mark.parametrize(
    ("properties", "read"),
    [
        (
            {
                "schedulePolicy": {
                    "schedulePolicyType": "SimpleSchedulePolicy",
                    "scheduleRunFrequency": "Daily",
                    "scheduleRunTimes": TIMES,
                }
            },
            {"type": "V1", "frequency": "Daily", "times": ["23:30", "05:00"], "days": []},
        ),
        (
            {
                "policyType": "V2",
                "schedulePolicy": {
                    "scheduleRunFrequency": "Weekly",
                    "weeklySchedule": {"scheduleRunDays": ["Sunday"], "scheduleRunTimes": TIMES[:1]},
                },
            },
            {"type": "V2", "days": ["Sunday"], "times": ["23:30"]},
        ),
        (
            {
                "schedulePolicy": {
                    "schedulePolicyType": "SimpleSchedulePolicyV2",
                    "scheduleRunFrequency": "Hourly",
                    "hourlySchedule": {"interval": 4, "scheduleWindowStartTime": TIMES[0]},
                }
            },
            {"type": "V2", "interval_h": 4, "times": ["23:30"]},
        ),
        (
            {
                "schedulePolicy": {
                    "scheduleRunFrequency": "Hourly",
                    "hourlySchedule": {
                        "interval": 4,
                        "scheduleWindowStartTime": TIMES[0],
                        "scheduleWindowDuration": 12,
                    },
                }
            },
            {"interval_h": 4, "times": ["23:30", "03:30", "07:30", "11:30"]},
        ),
        (
            {"policyType": "V2", "snapshotConsistencyType": "OnlyCrashConsistent"},
            {"consistency": "OnlyCrashConsistent"},
        ),
        ({"instantRPDetails": {"azureBackupRGNamePrefix": "rp-"}}, {"restore_point_group_prefix": "rp-"}),
        (
            {"instantRPDetails": None, "schedulePolicy": None},
            {"type": None, "times": [], "restore_point_group_prefix": None},
        ),
    ],
)
def test_a_policy_keeps_type_times_and_days(properties: dict[str, Any], read: dict[str, Any]) -> None:
    policy = read_policy({"name": "p", "properties": properties})
    assert {name: policy[name] for name in read} == read  # type: ignore[literal-required]
