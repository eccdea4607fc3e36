"""When a backup policy runs next. Pure.

Policies carry times of day in a Windows time zone. Azure Backup does not adjust them to daylight saving: they hold in
the zone's standard time all year. A time zone that is not in the table gives no answer rather than a wrong one.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, time, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from vmbackup.facts import Policy

# Windows time zone ids and the places that keep their time (Unicode CLDR, windowsZones, territory 001).
ZONES = {
    "Dateline Standard Time": "Etc/GMT+12",
    "UTC-11": "Etc/GMT+11",
    "Aleutian Standard Time": "America/Adak",
    "Hawaiian Standard Time": "Pacific/Honolulu",
    "Marquesas Standard Time": "Pacific/Marquesas",
    "Alaskan Standard Time": "America/Anchorage",
    "UTC-09": "Etc/GMT+9",
    "Pacific Standard Time": "America/Los_Angeles",
    "Pacific Standard Time (Mexico)": "America/Tijuana",
    "UTC-08": "Etc/GMT+8",
    "Mountain Standard Time": "America/Denver",
    "Mountain Standard Time (Mexico)": "America/Mazatlan",
    "US Mountain Standard Time": "America/Phoenix",
    "Yukon Standard Time": "America/Whitehorse",
    "Canada Central Standard Time": "America/Regina",
    "Central America Standard Time": "America/Guatemala",
    "Central Standard Time": "America/Chicago",
    "Central Standard Time (Mexico)": "America/Mexico_City",
    "Cuba Standard Time": "America/Havana",
    "Easter Island Standard Time": "Pacific/Easter",
    "Eastern Standard Time": "America/New_York",
    "Eastern Standard Time (Mexico)": "America/Cancun",
    "Haiti Standard Time": "America/Port-au-Prince",
    "SA Pacific Standard Time": "America/Bogota",
    "Turks And Caicos Standard Time": "America/Grand_Turk",
    "US Eastern Standard Time": "America/Indianapolis",
    "Atlantic Standard Time": "America/Halifax",
    "Central Brazilian Standard Time": "America/Cuiaba",
    "SA Western Standard Time": "America/La_Paz",
    "Venezuela Standard Time": "America/Caracas",
    "Newfoundland Standard Time": "America/St_Johns",
    "Argentina Standard Time": "America/Buenos_Aires",
    "Bahia Standard Time": "America/Bahia",
    "E. South America Standard Time": "America/Sao_Paulo",
    "Magallanes Standard Time": "America/Punta_Arenas",
    "Montevideo Standard Time": "America/Montevideo",
    "Pacific SA Standard Time": "America/Santiago",
    "Paraguay Standard Time": "America/Asuncion",
    "SA Eastern Standard Time": "America/Cayenne",
    "Saint Pierre Standard Time": "America/Miquelon",
    "Tocantins Standard Time": "America/Araguaina",
    "Greenland Standard Time": "America/Godthab",
    "UTC-02": "Etc/GMT+2",
    "Azores Standard Time": "Atlantic/Azores",
    "Cape Verde Standard Time": "Atlantic/Cape_Verde",
    "GMT Standard Time": "Europe/London",
    "Greenwich Standard Time": "Atlantic/Reykjavik",
    "Sao Tome Standard Time": "Africa/Sao_Tome",
    "UTC": "Etc/UTC",
    "Central Europe Standard Time": "Europe/Budapest",
    "Central European Standard Time": "Europe/Warsaw",
    "Morocco Standard Time": "Africa/Casablanca",
    "Romance Standard Time": "Europe/Paris",
    "W. Central Africa Standard Time": "Africa/Lagos",
    "W. Europe Standard Time": "Europe/Berlin",
    "E. Europe Standard Time": "Europe/Chisinau",
    "Egypt Standard Time": "Africa/Cairo",
    "FLE Standard Time": "Europe/Kiev",
    "GTB Standard Time": "Europe/Bucharest",
    "Israel Standard Time": "Asia/Jerusalem",
    "Kaliningrad Standard Time": "Europe/Kaliningrad",
    "Libya Standard Time": "Africa/Tripoli",
    "Middle East Standard Time": "Asia/Beirut",
    "Namibia Standard Time": "Africa/Windhoek",
    "South Africa Standard Time": "Africa/Johannesburg",
    "South Sudan Standard Time": "Africa/Juba",
    "Sudan Standard Time": "Africa/Khartoum",
    "West Bank Standard Time": "Asia/Hebron",
    "Arab Standard Time": "Asia/Riyadh",
    "Arabic Standard Time": "Asia/Baghdad",
    "Belarus Standard Time": "Europe/Minsk",
    "E. Africa Standard Time": "Africa/Nairobi",
    "Jordan Standard Time": "Asia/Amman",
    "Russian Standard Time": "Europe/Moscow",
    "Syria Standard Time": "Asia/Damascus",
    "Turkey Standard Time": "Europe/Istanbul",
    "Volgograd Standard Time": "Europe/Volgograd",
    "Iran Standard Time": "Asia/Tehran",
    "Arabian Standard Time": "Asia/Dubai",
    "Astrakhan Standard Time": "Europe/Astrakhan",
    "Azerbaijan Standard Time": "Asia/Baku",
    "Caucasus Standard Time": "Asia/Yerevan",
    "Georgian Standard Time": "Asia/Tbilisi",
    "Mauritius Standard Time": "Indian/Mauritius",
    "Russia Time Zone 3": "Europe/Samara",
    "Saratov Standard Time": "Europe/Saratov",
    "Afghanistan Standard Time": "Asia/Kabul",
    "Ekaterinburg Standard Time": "Asia/Yekaterinburg",
    "Pakistan Standard Time": "Asia/Karachi",
    "Qyzylorda Standard Time": "Asia/Qyzylorda",
    "West Asia Standard Time": "Asia/Tashkent",
    "India Standard Time": "Asia/Kolkata",
    "Sri Lanka Standard Time": "Asia/Colombo",
    "Nepal Standard Time": "Asia/Katmandu",
    "Bangladesh Standard Time": "Asia/Dhaka",
    "Central Asia Standard Time": "Asia/Bishkek",
    "Omsk Standard Time": "Asia/Omsk",
    "Myanmar Standard Time": "Asia/Rangoon",
    "Altai Standard Time": "Asia/Barnaul",
    "N. Central Asia Standard Time": "Asia/Novosibirsk",
    "North Asia Standard Time": "Asia/Krasnoyarsk",
    "SE Asia Standard Time": "Asia/Bangkok",
    "Tomsk Standard Time": "Asia/Tomsk",
    "W. Mongolia Standard Time": "Asia/Hovd",
    "China Standard Time": "Asia/Shanghai",
    "North Asia East Standard Time": "Asia/Irkutsk",
    "Singapore Standard Time": "Asia/Singapore",
    "Taipei Standard Time": "Asia/Taipei",
    "Ulaanbaatar Standard Time": "Asia/Ulaanbaatar",
    "W. Australia Standard Time": "Australia/Perth",
    "Aus Central W. Standard Time": "Australia/Eucla",
    "Korea Standard Time": "Asia/Seoul",
    "North Korea Standard Time": "Asia/Pyongyang",
    "Tokyo Standard Time": "Asia/Tokyo",
    "Transbaikal Standard Time": "Asia/Chita",
    "Yakutsk Standard Time": "Asia/Yakutsk",
    "AUS Central Standard Time": "Australia/Darwin",
    "E. Australia Standard Time": "Australia/Brisbane",
    "Vladivostok Standard Time": "Asia/Vladivostok",
    "West Pacific Standard Time": "Pacific/Port_Moresby",
    "Cen. Australia Standard Time": "Australia/Adelaide",
    "AUS Eastern Standard Time": "Australia/Sydney",
    "Bougainville Standard Time": "Pacific/Bougainville",
    "Central Pacific Standard Time": "Pacific/Guadalcanal",
    "Lord Howe Standard Time": "Australia/Lord_Howe",
    "Magadan Standard Time": "Asia/Magadan",
    "Russia Time Zone 10": "Asia/Srednekolymsk",
    "Sakhalin Standard Time": "Asia/Sakhalin",
    "Tasmania Standard Time": "Australia/Hobart",
    "Fiji Standard Time": "Pacific/Fiji",
    "Norfolk Standard Time": "Pacific/Norfolk",
    "Russia Time Zone 11": "Asia/Kamchatka",
    "UTC+12": "Etc/GMT-12",
    "New Zealand Standard Time": "Pacific/Auckland",
    "Samoa Standard Time": "Pacific/Apia",
    "Tonga Standard Time": "Pacific/Tongatapu",
    "UTC+13": "Etc/GMT-13",
    "Chatham Islands Standard Time": "Pacific/Chatham",
    "Line Islands Standard Time": "Pacific/Kiritimati",
}
_PLACES = {name.casefold(): place for name, place in ZONES.items()}
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_LOOK_AHEAD_DAYS = 8


def next_run(policy: Policy | None, now: datetime) -> datetime | None:
    """The policy's next start after ``now`` (aware), in UTC; None when the policy does not tell."""
    if policy is None or not policy["times"]:
        return None
    zone, times = _zone(policy["time_zone"]), [_clock(each) for each in policy["times"]]
    frequency = (policy["frequency"] or "").lower()
    if zone is None or None in times or not _told(frequency, times):
        return None
    days = [day.lower() for day in policy["days"]] if frequency == "weekly" else list(_DAYS)
    if not days or not set(days) <= set(_DAYS):
        return None
    today = now.astimezone(zone).date()
    starts = (
        _utc(datetime.combine(today + timedelta(days=ahead), at, zone))
        for ahead in range(-1, _LOOK_AHEAD_DAYS)
        for at in times
        if at is not None and _DAYS[(today + timedelta(days=ahead)).weekday()] in days
    )
    return min((start for start in starts if start > now), default=None)


def _told(frequency: str, times: Sequence[object]) -> bool:
    """Whether the times are all starts of a day: of an hourly policy not where only its window's beginning is known."""
    return frequency in ("daily", "weekly") or (frequency == "hourly" and len(times) > 1)


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


def _clock(words: str) -> time | None:
    try:
        return time.fromisoformat(words)
    except ValueError:
        return None
