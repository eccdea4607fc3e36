"""When the policy runs next: by its own time zone, and no answer rather than a wrong one."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest

from vmbackup.remedies.retry.schedule import longest_gap_h, next_run

NOW = datetime(2026, 11, 23, 3, 0, tzinfo=timezone.utc)  # a Monday


def policy(**changes):
    base = {"name": "p", "type": "V1", "frequency": "Daily", "days": [], "times": ["23:00"], "interval_h": None,
            "time_zone": "UTC", "consistency": None, "instant_restore_days": 2, "restore_point_group_prefix": None,
            "restore_point_group_suffix": None}  # fmt: skip
    return {**base, **changes}


@pytest.mark.parametrize(
    ("changes", "start"),
    [
        ({}, "2026-11-23T23:00"),
        ({"times": ["02:00"]}, "2026-11-24T02:00"),
        ({"times": ["03:00"]}, "2026-11-24T03:00"),
        ({"times": ["23:00", "05:30"]}, "2026-11-23T05:30"),
        ({"time_zone": "W. Europe Standard Time"}, "2026-11-23T22:00"),
        ({"time_zone": "Pacific Standard Time", "times": ["20:00"]}, "2026-11-23T04:00"),
        ({"time_zone": "Tokyo Standard Time", "times": ["12:30"]}, "2026-11-23T03:30"),
        ({"frequency": "Weekly", "days": ["Sunday"]}, "2026-11-29T23:00"),
        ({"frequency": "Weekly", "days": ["Monday"], "times": ["02:00"]}, "2026-11-30T02:00"),
        ({"time_zone": "Mars Standard Time"}, None),
        ({"time_zone": None}, None),
        ({"times": []}, None),
        ({"times": ["soon"]}, None),
        ({"frequency": "Hourly"}, None),
        ({"frequency": "Hourly", "times": ["08:00", "12:00", "16:00"]}, "2026-11-23T08:00"),
        ({"frequency": "Hourly", "times": ["20:00", "00:00", "04:00"]}, "2026-11-23T04:00"),
        ({"time_zone": "Line Islands Standard Time", "times": ["17:00"]}, "2026-11-24T03:00"),
        ({"time_zone": "Dateline Standard Time", "times": ["15:30"]}, "2026-11-23T03:30"),
        ({"time_zone": "central america standard time", "times": ["00:00"]}, "2026-11-23T06:00"),
        ({"frequency": "Weekly", "days": []}, None),
    ],
)
def test_the_next_start_in_utc(changes, start):
    found = next_run(policy(**changes), NOW)
    assert (found.strftime("%Y-%m-%dT%H:%M") if found else None) == start


def test_no_policy_no_answer():
    assert next_run(None, NOW) is None


@pytest.mark.parametrize(
    ("time_zone", "month", "hour"),
    [
        ("W. Europe Standard Time", 7, 22),
        ("W. Europe Standard Time", 12, 22),
        ("Pacific Standard Time", 7, 7),
        ("AUS Eastern Standard Time", 12, 13),
    ],
)
def test_azure_backup_does_not_adjust_to_daylight_saving(time_zone, month, hour):
    assert next_run(policy(time_zone=time_zone), datetime(2026, month, 1, 3, 0, tzinfo=timezone.utc)).hour == hour


WEEKLY = {"frequency": "Weekly"}


@pytest.mark.parametrize(
    ("changes", "hours"),
    [
        ({}, 24),
        ({"times": ["06:00", "23:30"]}, 17.5),
        ({"frequency": "Hourly", "times": ["08:00", "12:00", "16:00", "20:00"]}, 12),
        ({"frequency": "Hourly", "times": ["00:00", "06:00", "12:00", "18:00"]}, 6),
        ({**WEEKLY, "days": ["Sunday"]}, 168),
        ({**WEEKLY, "days": ["Sunday", "Wednesday"]}, 96),
        ({**WEEKLY, "days": ["Monday", "Wednesday", "Friday"]}, 72),
        ({**WEEKLY, "days": []}, None),
        ({"frequency": "Hourly"}, None),
        ({"frequency": None}, None),
        ({"times": ["soon"]}, None),
    ],
)
def test_the_longest_pause_that_the_policy_plans(changes, hours):
    assert longest_gap_h(policy(**changes)) == hours
    assert longest_gap_h(None) is None
