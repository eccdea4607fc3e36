"""When a backup policy runs next. Pure.

Policies carry times of day in a Windows time zone. Azure Backup does not adjust them to daylight saving: they hold in
the zone's standard time all year. A time zone that is not in the table gives no answer rather than a wrong one.
"""

from __future__ import annotations

from datetime import datetime, time, timedelta, timezone, tzinfo
from itertools import pairwise
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from tzlocal.windows_tz import win_tz

from vmbackup import clock
from vmbackup.catalog.knowledge import number
from vmbackup.facts.backup import Policy

# Windows time zone ids and the places that keep their time (Unicode CLDR).
_PLACES = {name.casefold(): place for name, place in win_tz.items()}

_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_LOOK_AHEAD_DAYS = 8


def next_run(policy: Policy | None, now: datetime) -> datetime | None:
    """The policy's next start after ``now`` (aware), in UTC; None when the policy does not say."""
    zone = _zone(policy["time_zone"]) if policy else None
    if policy is None or zone is None:
        return None
    times, days = _week(policy)
    today = now.astimezone(zone).date()
    starts = (
        _utc(datetime.combine(today + timedelta(days=ahead), at, zone))
        for ahead in range(-1, _LOOK_AHEAD_DAYS)
        for at in times
        if (today + timedelta(days=ahead)).weekday() in days
    )
    return min((start for start in starts if start > now), default=None)


def longest_gap_h(policy: Policy | None) -> float | None:
    """Hours of the longest pause between two starts of a week, which the policy plans; None when it does not tell.

    An hourly policy pauses from the end of its window to its beginning.
    """
    times, days = _week(policy) if policy else ([], [])
    starts = sorted(day * 24 + at.hour + at.minute / 60 for day in days for at in times)
    if not starts:
        return None
    return max(later - earlier for earlier, later in pairwise([*starts, starts[0] + 7 * 24]))


def late_after_h(longest_h: float) -> float:
    """Hours after its start when the last good backup is overdue, under a policy with this longest pause: where none
    failed, the backup that is due may still be running."""
    return longest_h + number("backup_runs_long_s") / 3600


def _week(policy: Policy) -> tuple[list[time], list[int]]:
    """The starts of a day, and the days (0 is Monday) that have them; nothing where the policy does not tell."""
    times = [clock.parse_time_of_day(each) for each in policy["times"]]
    known = [at for at in times if at is not None]
    frequency = (policy["frequency"] or "").lower()
    # Of an hourly policy a single time is only the beginning of its window.
    is_known = frequency in ("daily", "weekly") or (frequency == "hourly" and len(times) > 1)
    named = [day.lower() for day in policy["days"]] if frequency == "weekly" else list(_DAYS)
    if not is_known or known != times or not set(named) <= set(_DAYS):
        return [], []
    return known, [_DAYS.index(day) for day in named]


def _utc(local: datetime) -> datetime:
    standard = (local.utcoffset() or timedelta()) - (local.dst() or timedelta())
    return local.replace(tzinfo=timezone(standard)).astimezone(timezone.utc)


def _zone(name: str | None) -> tzinfo | None:
    place = _PLACES.get((name or "").casefold())
    if place == "Etc/UTC":
        return timezone.utc
    try:
        return ZoneInfo(place) if place else None
    except (ZoneInfoNotFoundError, OSError):
        return None
