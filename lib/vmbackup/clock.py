"""Times: parses Azure's and the guest's, writes them in one form, and shows them to operators. Pure except for the
local zone and this machine's clock.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, time, timezone, tzinfo
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import Protocol

from dateutil import parser

_DATE = len("2026-11-23")
_IN_LOG = re.compile(r"(?:\[\d{1,10}\] )?\[?(\d{2,4})[-/.](\d\d)[-/.](\d{2,4})[T ](\d\d:\d\d:\d\d)")
_IN_SHELL_LOG = re.compile(
    r"[A-Z][a-z]{2} ([A-Z][a-z]{2}) +(\d+) (\d+):(\d\d):(\d\d)(?: ([AP]M))?(?: [A-Z]+)? (\d{4})- "
)
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


class Taken(Protocol):
    """Anything that says when it was taken, such as a fact."""

    @property
    def taken_at(self) -> str | None:
        """Azure's time then; None where it is not known."""


def parse(words: str | None) -> datetime | None:
    """An ISO 8601 date or time in UTC, to the microsecond; without a zone it is UTC. None where it is none.

    >>> parse("2026-11-23T03:00:00.1234567+01:00").isoformat()
    '2026-11-23T02:00:00.123456+00:00'
    """
    return _parsed(words) if words and len(words) >= _DATE else None


@lru_cache(maxsize=1000)  # a page shows, and a check compares, the same few times again and again
def _parsed(words: str) -> datetime | None:
    try:
        return _utc(parser.isoparse(words))
    except (ValueError, OverflowError):
        return None


def parse_http_date(words: str | None) -> datetime | None:
    """The time in a header such as ``Date``, in UTC; None where it is none."""
    try:
        return _utc(parsedate_to_datetime(words or ""))
    except (TypeError, ValueError, OverflowError):
        return None


def parse_time_of_day(words: str) -> time | None:
    """A time of day such as ``23:00``; None where it is none."""
    try:
        return time.fromisoformat(words)
    except ValueError:
        return None


def _utc(moment: datetime) -> datetime:
    return (moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)).astimezone(timezone.utc)


def stamp(moment: datetime | str | None) -> str | None:
    """The form in which times are kept and compared: ``2026-11-23T03:00:00Z``; None where there is no time."""
    found = parse(moment) if isinstance(moment, str) else moment
    return _utc(found).isoformat(timespec="seconds").replace("+00:00", "Z") if found else None


def local(words: str | None, zone: tzinfo | None = None) -> str:
    """The time in UTC, and in the local zone (or the given one) if that differs; "–" where there is no time. Anything
    else, such as a date alone, is shown as it is.

    >>> local("2026-11-23T02:14:09.123Z", timezone.utc)
    '2026-11-23 02:14 UTC'
    """
    found = parse(words)
    if found is None or words is None or len(words) == _DATE:
        return words or "–"
    utc = f"{found:%Y-%m-%d %H:%M} UTC"
    local = found.astimezone(zone)
    if not local.utcoffset():
        return utc
    day = "" if local.date() == found.date() else f"{local:%Y-%m-%d} "
    return f"{utc} ({day}{local:%H:%M} {local:%Z})"


def seconds_between(start: str | None, end: str | None) -> float | None:
    """Seconds from one time to another; None where one of them is missing."""
    first, last = parse(start), parse(end)
    return None if first is None or last is None else (last - first).total_seconds()


def of_log(line: str | None) -> str | None:
    """The time with which a line of the agent's or extension's logs begins, as ISO 8601 (these logs are in UTC); None
    where it begins with none.

    >>> of_log("2018/06/11 16:06:43.5 WARNING"), of_log("[00000007] [11/22/2026 23:00:00.25] [ERROR]"), of_log("[ 1.2]")
    ('2018-06-11T16:06:43Z', '2026-11-22T23:00:00Z', None)
    >>> of_log("Thu May 21 05:04:31 PM UTC 2026- 1 returned from handle.py")
    '2026-05-21T17:04:31Z'
    """
    found = _IN_LOG.match(line or "")
    if found is not None:
        first, second, third, clock = found.groups()
        if len(first) == 4 and len(third) == 2:
            return f"{first}-{second}-{third}T{clock}Z"
        return f"{third}-{first}-{second}T{clock}Z" if len(first) == 2 and len(third) == 4 else None
    shell = _IN_SHELL_LOG.match(line or "")
    if shell is None or shell.group(1) not in _MONTHS:
        return None
    name, day, hour, minute, second, half, year = shell.groups()
    hour_24 = int(hour) % 12 + 12 * (half == "PM") if half else int(hour)
    return f"{year}-{_MONTHS.index(name) + 1:02}-{int(day):02}T{hour_24:02}:{minute}:{second}Z"


def azure_now(evidence: Mapping[str, Taken]) -> str | None:
    """Azure's clock in its newest response; None before the first. The guest's facts carry the guest's time, which may
    be wrong."""
    azures = (fact for name, fact in evidence.items() if not name.startswith("guest."))
    return max((fact.taken_at for fact in azures if fact.taken_at), default=None)


def now(evidence: Mapping[str, Taken]) -> datetime:
    """Azure's time as last heard, else this machine's."""
    return parse(azure_now(evidence)) or datetime.now(timezone.utc)
