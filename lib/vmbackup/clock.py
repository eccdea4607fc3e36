"""Times as an operator reads them: UTC, and beside it the local time where that differs. Pure but for the zone."""

from __future__ import annotations

from datetime import datetime, timezone, tzinfo

from vmbackup.model import Evidence


def parse(stamp: str | None) -> datetime | None:
    """An ISO 8601 time as Azure writes it (up to seven digits of a second); None where it is none."""
    if not stamp:
        return None
    try:
        found = datetime.fromisoformat(f"{stamp[:19]}+00:00")
    except ValueError:
        return None
    return found


def local(stamp: str | None, zone: tzinfo | None = None) -> str:
    """The time in UTC, and in the local zone (or the given one) where that is another; "–" where there is no time.

    >>> local("2026-11-23T02:14:09.123Z", timezone.utc)
    '2026-11-23 02:14 UTC'
    """
    found = parse(stamp)
    if found is None:
        return stamp or "–"
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
