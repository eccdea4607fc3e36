"""When a backup policy runs next. Pure.

Policies carry times of day in a Windows time zone; Azure Backup does not move them with daylight saving on its own, but
runs them at that local time. A time zone that is not in the table gives no answer rather than a wrong one.
"""

from __future__ import annotations

from datetime import datetime, time, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from vmbackup.facts import Policy

# Windows time zone ids and the places that keep their time (Unicode CLDR, windowsZones, territory 001).
ZONES = {
    "UTC": "Etc/UTC",
    "GMT Standard Time": "Europe/London",
    "Greenwich Standard Time": "Atlantic/Reykjavik",
    "W. Europe Standard Time": "Europe/Berlin",
    "Central Europe Standard Time": "Europe/Budapest",
    "Romance Standard Time": "Europe/Paris",
    "Central European Standard Time": "Europe/Warsaw",
    "E. Europe Standard Time": "Europe/Chisinau",
    "GTB Standard Time": "Europe/Bucharest",
    "FLE Standard Time": "Europe/Kiev",
    "Turkey Standard Time": "Europe/Istanbul",
    "Russian Standard Time": "Europe/Moscow",
    "Israel Standard Time": "Asia/Jerusalem",
    "Egypt Standard Time": "Africa/Cairo",
    "South Africa Standard Time": "Africa/Johannesburg",
    "Arab Standard Time": "Asia/Riyadh",
    "Arabian Standard Time": "Asia/Dubai",
    "Pakistan Standard Time": "Asia/Karachi",
    "India Standard Time": "Asia/Kolkata",
    "SE Asia Standard Time": "Asia/Bangkok",
    "Singapore Standard Time": "Asia/Singapore",
    "China Standard Time": "Asia/Shanghai",
    "Taipei Standard Time": "Asia/Taipei",
    "Korea Standard Time": "Asia/Seoul",
    "Tokyo Standard Time": "Asia/Tokyo",
    "W. Australia Standard Time": "Australia/Perth",
    "Cen. Australia Standard Time": "Australia/Adelaide",
    "AUS Central Standard Time": "Australia/Darwin",
    "E. Australia Standard Time": "Australia/Brisbane",
    "AUS Eastern Standard Time": "Australia/Sydney",
    "New Zealand Standard Time": "Pacific/Auckland",
    "Hawaiian Standard Time": "Pacific/Honolulu",
    "Alaskan Standard Time": "America/Anchorage",
    "Pacific Standard Time": "America/Los_Angeles",
    "US Mountain Standard Time": "America/Phoenix",
    "Mountain Standard Time": "America/Denver",
    "Central Standard Time": "America/Chicago",
    "Canada Central Standard Time": "America/Regina",
    "Eastern Standard Time": "America/New_York",
    "Atlantic Standard Time": "America/Halifax",
    "Newfoundland Standard Time": "America/St_Johns",
    "SA Pacific Standard Time": "America/Bogota",
    "SA Eastern Standard Time": "America/Cayenne",
    "E. South America Standard Time": "America/Sao_Paulo",
    "Argentina Standard Time": "America/Buenos_Aires",
    "Pacific SA Standard Time": "America/Santiago",
}
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_LOOK_AHEAD_DAYS = 8


def next_run(policy: Policy | None, now: datetime) -> datetime | None:
    """The policy's next start after ``now`` (aware), in UTC; None when the policy does not tell."""
    if policy is None or not policy["times"]:
        return None
    zone, times = _zone(policy["time_zone"]), [_clock(each) for each in policy["times"]]
    frequency = (policy["frequency"] or "").lower()
    if zone is None or None in times or frequency not in ("daily", "weekly"):
        return None
    days = [day.lower() for day in policy["days"]] if frequency == "weekly" else list(_DAYS)
    if not days or not set(days) <= set(_DAYS):
        return None
    today = now.astimezone(zone).date()
    starts = (
        datetime.combine(today + timedelta(days=ahead), at, zone).astimezone(timezone.utc)
        for ahead in range(_LOOK_AHEAD_DAYS)
        for at in times
        if at is not None and _DAYS[(today + timedelta(days=ahead)).weekday()] in days
    )
    return min((start for start in starts if start > now), default=None)


def _zone(name: str | None) -> tzinfo | None:
    place = ZONES.get(name or "")
    if place == "Etc/UTC":
        return timezone.utc
    try:
        return ZoneInfo(place) if place else None
    except (ZoneInfoNotFoundError, OSError):
        return None


def _clock(words: str) -> time | None:
    try:
        return time.fromisoformat(words)
    except ValueError:
        return None
