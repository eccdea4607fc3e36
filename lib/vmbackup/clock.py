"""Every time: Azure's and the guest's are read here, written as one form, and shown as an operator reads them.

Pure but for the local zone and this machine's clock.
"""

from __future__ import annotations

from datetime import datetime, time, timezone, tzinfo
from email.utils import parsedate_to_datetime

from dateutil import parser

from vmbackup.model import Evidence

_DATE = len("2026-11-23")


def parse(words: str | None) -> datetime | None:
    """An ISO 8601 date or time in UTC, to the microsecond; without a zone it is UTC. None where it is none.

    >>> parse("2026-11-23T03:00:00.1234567+01:00").isoformat()
    '2026-11-23T02:00:00.123456+00:00'
    """
    if not words or len(words) < _DATE:
        return None
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


def _utc(given: datetime) -> datetime:
    return (given if given.tzinfo else given.replace(tzinfo=timezone.utc)).astimezone(timezone.utc)


def stamp(given: datetime | str | None) -> str | None:
    """The one form in which times are kept and compared: ``2026-11-23T03:00:00Z``; None where there is no time."""
    found = parse(given) if isinstance(given, str) else given
    return _utc(found).isoformat(timespec="seconds").replace("+00:00", "Z") if found else None


def local(words: str | None, zone: tzinfo | None = None) -> str:
    """The time in UTC, and in the local zone (or the given one) where that is another; "–" where there is no time.

    What is no time, or a date alone, is shown as it is.

    >>> local("2026-11-23T02:14:09.123Z", timezone.utc)
    '2026-11-23 02:14 UTC'
    """
    found = parse(words)
    if found is None or words is None or len(words) == _DATE:
        return words or "–"
    said = f"{found:%Y-%m-%d %H:%M} UTC"
    local = found.astimezone(zone)
    if not local.utcoffset():
        return said
    day = "" if local.date() == found.date() else f"{local:%Y-%m-%d} "
    return f"{said} ({day}{local:%H:%M} {local:%Z})"


def seconds_between(start: str | None, end: str | None) -> float | None:
    """Seconds from one time to another; None where one of them is missing."""
    first, last = parse(start), parse(end)
    return None if first is None or last is None else (last - first).total_seconds()


def azure_now(evidence: Evidence) -> str | None:
    """Azure's clock in its newest answer; None while nothing was asked. What the guest says has the guest's own time,
    which may be wrong."""
    azures = (fact for name, fact in evidence.items() if not name.startswith("guest."))
    return max((fact.taken_at for fact in azures if fact.taken_at), default=None)


def now(evidence: Evidence) -> datetime:
    """Azure's time as last heard, else this machine's."""
    return parse(azure_now(evidence)) or datetime.now(timezone.utc)
