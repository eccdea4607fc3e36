"""Reads JSON without trusting it: keys in any case, values of any type, nothing guessed."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

from vmbackup.arm.errors import Unreadable

_SPAN = re.compile(r"(?:(?P<days>\d+)\.)?(?P<hours>\d{1,2}):(?P<minutes>\d{2}):(?P<seconds>\d{2}(?:\.\d+)?)")
_ISO_SPAN = re.compile(
    r"P(?:(?P<days>\d+)D)?(?:T(?:(?P<hours>\d+)H)?(?:(?P<minutes>\d+)M)?(?:(?P<seconds>\d+(?:\.\d+)?)S)?)?"
)


def resource(wire: object) -> Mapping[str, Any]:
    """The answer as a JSON object. Raises Unreadable for anything else."""
    if not isinstance(wire, Mapping):
        raise Unreadable(f"expected a JSON object, found {type(wire).__name__}")
    return wire


def inside(wire: object, *path: str) -> Any:
    """The value at this path, keys compared without case; None where there is nothing.

    >>> inside({"Properties": {"vmId": 1}}, "properties", "vmid")
    1
    """
    for name in path:
        if not isinstance(wire, Mapping):
            return None
        if name in wire:
            wire = wire[name]
        else:
            lowered = name.lower()
            wire = next((value for key, value in wire.items() if str(key).lower() == lowered), None)
    return wire


def text(wire: object, *path: str) -> str | None:
    """The text at this path; numbers become text, anything else and the empty text None."""
    value = inside(wire, *path)
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        return None
    return str(value) or None


def flag(wire: object, *path: str) -> bool | None:
    """True or False, also when written as text; None for anything else."""
    value = inside(wire, *path)
    if isinstance(value, str) and value.lower() in ("true", "false"):
        return value.lower() == "true"
    return value if isinstance(value, bool) else None


def whole(wire: object, *path: str) -> int | None:
    """A whole number, also when written as text; None for anything else."""
    value = inside(wire, *path)
    if isinstance(value, str) and re.fullmatch(r"-?\d+", value.strip()):
        return int(value)
    if isinstance(value, float) and math.isfinite(value) and value == int(value):
        return int(value)
    return value if type(value) is int else None


def number(value: object) -> float | None:
    """A finite number; None for anything else."""
    return float(value) if type(value) in (int, float) and math.isfinite(value) else None  # type: ignore[arg-type]


def entries(wire: object, *path: str) -> list[Any]:
    """The list at this path; empty for anything else."""
    value = inside(wire, *path)
    return value if isinstance(value, list) else []


def listed(wire: object, *path: str) -> list[Any]:
    """The list at this path. Raises Unreadable where there is none: a missing list is not an empty one."""
    value = inside(wire, *path)
    if not isinstance(value, list):
        raise Unreadable(f"expected a list at {'/'.join(path)}, found {type(value).__name__}")
    return value


def whole_pages(response: Any) -> None:
    """A hook for the SDK's lists, which treat a page without ``value`` as empty. Raises Unreadable for one."""
    if response.http_response.status_code == 200:
        listed(response.http_response.json(), "value")


def texts(wire: object, *path: str) -> list[str]:
    """The texts in the list at this path."""
    return [value for value in entries(wire, *path) if isinstance(value, str) and value]


def span_s(words: str | None) -> float | None:
    """A duration in seconds, from .NET's ``00:20:23.08`` or from ISO 8601's ``PT8M6.5S``.

    >>> span_s("1.00:20:23"), span_s("PT8M6.5S"), span_s("soon")
    (87623.0, 486.5, None)
    """
    found = _SPAN.fullmatch(words or "") or (_ISO_SPAN.fullmatch(words or "") if words else None)
    if not found or not any(found.groups()):
        return None
    parts = {name: float(value or 0) for name, value in found.groupdict().items()}
    return parts["days"] * 86400 + parts["hours"] * 3600 + parts["minutes"] * 60 + parts["seconds"]
