"""The small part of OData filters that callers use."""

from __future__ import annotations

import re
from datetime import datetime, timezone

from azuresim.answer import Refused
from azuresim.ids import parse_time

_TERM = re.compile(r"([\w./]+)\s+(eq|ge|le|gt|lt)\s+('(?:[^']|'')*'|[^\s)]+)", re.IGNORECASE)
_FORMATS = ("%Y-%m-%d %I:%M:%S %p", "%Y-%m-%d %H:%M:%S %p", "%Y-%m-%d %H:%M:%S")


def terms(text: str) -> list[tuple[str, str, str]]:
    """(name in lower case, operator, value without quotes) of each comparison. Anything else in the text: 400."""
    found = [
        (name.lower(), operator.lower(), value[1:-1].replace("''", "'") if value.startswith("'") else value)
        for name, operator, value in _TERM.findall(text)
    ]
    rest = _TERM.sub("", text)
    if re.sub(r"\band\b|[()\s]", "", rest, flags=re.IGNORECASE):
        raise Refused(400, "BadRequest", f"Invalid filter clause: {text}.")
    return found


def equals(text: str) -> dict[str, str]:
    """Only the ``eq`` comparisons, by lower-case name."""
    return {name: value for name, operator, value in terms(text) if operator == "eq"}


def moment(text: str) -> datetime:
    """A time of the backup service's filter (``2026-11-22 11:00:00 PM``, UTC) or ISO 8601. Anything else: 400."""
    for form in _FORMATS:
        try:
            return datetime.strptime(text.strip(), form).replace(tzinfo=timezone.utc)
        except ValueError:
            continue
    try:
        return parse_time(text)
    except ValueError:
        raise Refused(
            400,
            "BMSUserErrorInvalidFilter",
            f"Filter is not valid: '{text}' is no time of the form yyyy-MM-dd hh:mm:ss tt.",
        ) from None
