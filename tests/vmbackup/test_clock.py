"""Times are shown in UTC, and beside it in the reader's zone where that is another."""

from datetime import datetime, timedelta, timezone

import pytest

from vmbackup import clock
from vmbackup.model import Fact, FactStatus

BERLIN = timezone(timedelta(hours=1), "CET")


@pytest.mark.parametrize(
    ("stamp", "zone", "said"),
    [
        ("2026-11-23T02:14:09.1234567Z", timezone.utc, "2026-11-23 02:14 UTC"),
        ("2026-11-23T02:14:09Z", BERLIN, "2026-11-23 02:14 UTC (03:14 CET)"),
        ("2026-11-23T23:30:00Z", BERLIN, "2026-11-23 23:30 UTC (2026-11-24 00:30 CET)"),
        (None, BERLIN, "–"),
        ("yesterday", BERLIN, "yesterday"),
    ],
)
def test_a_time_is_worded(stamp: str | None, zone: timezone, said: str) -> None:
    assert clock.local(stamp, zone) == said


def test_a_span_needs_both_its_ends() -> None:
    assert clock.seconds_between("2026-11-23T02:00:00Z", "2026-11-23T02:01:30Z") == 90
    assert clock.seconds_between("2026-11-23T02:00:00Z", None) is None


def test_now_is_azures_clock_as_last_heard() -> None:
    known = {
        "early": Fact(FactStatus.OK, taken_at="2026-11-23T02:00:00Z"),
        "late": Fact(FactStatus.OK, taken_at="2026-11-23T03:00:00Z"),
        "skipped": Fact(FactStatus.SKIPPED),
        "guest.clock": Fact(FactStatus.OK, taken_at="2031-01-01T00:00:00Z"),
    }
    assert clock.azure_now(known) == "2026-11-23T03:00:00Z"
    assert clock.now(known) == datetime(2026, 11, 23, 3, tzinfo=timezone.utc)
    assert clock.azure_now({}) is None
