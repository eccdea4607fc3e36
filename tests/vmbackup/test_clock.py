"""Times are shown in UTC, and beside it in the reader's zone where that is another."""

from datetime import datetime, time, timedelta, timezone

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
        ("2026-11-23T01:14:09+01:00", timezone.utc, "2026-11-23 00:14 UTC"),
        ("2026-11-23", BERLIN, "2026-11-23"),
        ("yesterday", BERLIN, "yesterday"),
    ],
)
def test_a_time_is_worded(stamp: str | None, zone: timezone, said: str) -> None:
    assert clock.local(stamp, zone) == said


@pytest.mark.parametrize(
    ("words", "stamp"),
    [
        ("2026-11-23T03:00:00Z", "2026-11-23T03:00:00Z"),
        ("2026-11-23T03:00:00.1234567Z", "2026-11-23T03:00:00Z"),
        ("2026-11-23T03:00:00.1234567+01:00", "2026-11-23T02:00:00Z"),
        ("2026-11-22T23:30:00-05:30", "2026-11-23T05:00:00Z"),
        ("2026-11-23T03:00:00", "2026-11-23T03:00:00Z"),
        ("2026-11-23 03:00:00", "2026-11-23T03:00:00Z"),
        ("2026-11-23", "2026-11-23T00:00:00Z"),
        ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z"),
        ("0001-01-01T00:00:00+14:00", None),
        ("2026", None),
        ("2026-W48", None),
        ("2026-11-23T", None),
        ("yesterday", None),
        ("the day before", None),
        ("", None),
        (None, None),
    ],
)
def test_a_time_is_utc_or_none(words: str | None, stamp: str | None) -> None:
    assert clock.stamp(words) == stamp
    parsed = clock.parse(words)
    assert clock.stamp(parsed) == stamp
    assert parsed is None or parsed.utcoffset() == timedelta(0)


@pytest.mark.parametrize("wrong", ["", "soon", "Mon, 99 Nov 2026 03:00:00 GMT", "2026-11-23T03:00:00Z"])
def test_an_http_date_is_utc_or_none(wrong: str) -> None:
    assert clock.stamp(clock.parse_http_date("Mon, 23 Nov 2026 04:00:00 +0100")) == "2026-11-23T03:00:00Z"
    assert clock.stamp(clock.parse_http_date("Mon, 23 Nov 2026 03:00:00 GMT")) == "2026-11-23T03:00:00Z"
    assert clock.parse_http_date(wrong) is None


def test_a_time_of_day_is_read_or_none() -> None:
    assert [clock.parse_time_of_day(words) for words in ("23:00", "25:00", "")] == [time(23), None, None]


def test_a_span_needs_both_its_ends() -> None:
    assert clock.seconds_between("2026-11-23T02:00:00Z", "2026-11-23T02:01:30Z") == 90
    assert clock.seconds_between("2026-11-23T02:00:00Z", "2026-11-23T03:00:30+01:00") == 30
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
