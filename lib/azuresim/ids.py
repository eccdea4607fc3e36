"""Names, ids and times: everything that must be the same in every run with the same seed."""

from __future__ import annotations

import base64
import hashlib
from collections import Counter
from datetime import datetime, timedelta, timezone
from functools import lru_cache
from threading import Lock
from typing import Any
from uuid import UUID, uuid5

_ROOT = UUID("6f6e0c0a-2c5b-5b0e-9d2e-a2b1a5e0c001")


def guid(*parts: object) -> str:
    """A GUID that depends on ``parts`` alone."""
    return str(uuid5(_ROOT, "\x1f".join(str(part) for part in parts)))


def number(limit: int, *parts: object) -> int:
    """A whole number in ``range(limit)`` that depends on ``parts`` alone."""
    digest = hashlib.sha256("\x1f".join(str(part) for part in parts).encode()).digest()
    return int.from_bytes(digest[:8], "big") % limit


def is_guid(text: str) -> bool:
    """Whether this is a GUID and no other word."""
    try:
        return str(UUID(text)) == text.lower()
    except ValueError:
        return False


# Every request asks it of every world.
@lru_cache(maxsize=1_000)
def subscription_id(seed: int | str) -> str:
    """All worlds with the same seed share one subscription."""
    return guid("subscription", seed)


def tenant_id(seed: int) -> str:
    """The tenant all tokens and subscriptions of a seed belong to."""
    return guid("tenant", seed)


def client_id(seed: int) -> str:
    """The managed identity that every caller has."""
    return guid("client", seed)


def short(name: str, longest: int) -> str:
    """``name`` cut to ``longest`` characters; what is cut off lives on as a hash, so that names stay different."""
    if len(name) <= longest:
        return name
    return f"{name[: longest - 7].rstrip('-')}-{hashlib.sha256(name.encode()).hexdigest()[:6]}"


def opaque(text: str) -> str:
    """A page token as Azure would show it."""
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


class Occurrences:
    """Numbers the repetitions of each key, so that ids do not depend on the order of *different* requests."""

    def __init__(self) -> None:
        self._seen: Counter[str] = Counter()
        self._lock = Lock()

    def next(self, key: str) -> int:
        """1 for the first time ``key`` is seen, then 2, …"""
        with self._lock:
            self._seen[key] += 1
            return self._seen[key]


# --- times ---------------------------------------------------------------------------------------------------------


def parse_time(text: str) -> datetime:
    """An ISO 8601 time; one without a zone is UTC. Fractions may have more digits than Python knows."""
    text = text.strip().replace("Z", "+00:00")
    if "." in text:
        head, tail = text.split(".", 1)
        digits = tail[: next((i for i, c in enumerate(tail) if not c.isdigit()), len(tail))]
        text = f"{head}.{digits[:6].ljust(6, '0')}{tail[len(digits) :]}"
    parsed = datetime.fromisoformat(text)
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=timezone.utc)


def stamp(moment: datetime) -> str:
    """The form of the backup service: seven digits of fraction and ``Z``."""
    return moment.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%f") + "0Z"


def offset_stamp(moment: datetime) -> str:
    """The form of the compute service: seven digits of fraction and ``+00:00``."""
    return stamp(moment)[:-1] + "+00:00"


def seconds_stamp(moment: datetime) -> str:
    """Whole seconds and ``Z``, the form of metrics and schedules."""
    return moment.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def span(length: timedelta) -> str:
    """An ISO 8601 duration as the backup service writes it: ``PT1H3M7.5S``."""
    seconds = length.total_seconds()
    hours, rest = divmod(seconds, 3600)
    minutes, seconds = divmod(rest, 60)
    parts = [f"{int(hours)}H" if hours else "", f"{int(minutes)}M" if minutes else ""]
    if seconds or not any(parts):
        parts.append(f"{round(seconds, 7):g}S")
    return "PT" + "".join(parts)


def dotted(tree: dict[str, Any], path: str) -> Any:
    """``tree["a"]["b"]`` for ``a.b``; None where a step is missing."""
    node: Any = tree
    for step in path.split("."):
        if not isinstance(node, dict):
            return None
        node = node.get(step)
    return node
