"""What Azure and the way to it do under load: they refuse, break off, or fall silent.

Which requests a share meets depends on nothing but them: the same requests meet the same storm.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Lock

from azuresim.answer import Answer, Cut, Refused
from azuresim.ids import number


@dataclass(slots=True)
class Bucket:
    """What Azure Resource Manager allows a subscription for each kind of request: so many at once, and so many a second
    from then on. ``refused`` counts the requests beyond it."""

    most: int
    per_s: float
    clock: Callable[[], float] = time.monotonic
    refused: int = 0
    _left: dict[str, tuple[float, float]] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def take(self, kind: str) -> int:
        """Take one; returns how many are left. Raises 429 where there is none."""
        with self._lock:
            now = self.clock()
            had, then = self._left.get(kind, (float(self.most), now))
            left = min(self.most, had + (now - then) * self.per_s)
            self._left[kind] = (left - 1 if left >= 1 else left, now)
            if left < 1:
                self.refused += 1
                raise too_many((1 - left) / self.per_s)
            return int(left - 1)


@dataclass(frozen=True, slots=True)
class Storm:
    """Shares of the requests, 0 to 1: ``throttled`` are answered with 429 and ``retry_after_s``, the answer of those
    that are ``cut`` breaks off in the middle, and that of the ``hung`` comes after ``hang_s``. ``allowed`` is a real
    limit, of which each answer says what is left."""

    throttled: float = 0.0
    cut: float = 0.0
    hung: float = 0.0
    retry_after_s: float = 0.02
    hang_s: float = 3600.0
    allowed: Bucket | None = None

    def let_in(self, key: str, kind: str, left: int) -> int:
        """How many more requests of this kind are allowed, ``left`` where nobody counts. Raises 429 for those that are
        refused."""
        if _hit(self.throttled, "throttle", key):
            raise too_many(self.retry_after_s)
        return self.allowed.take(kind) if self.allowed else left

    def let_out(self, key: str, answer: Answer) -> Answer:
        """The answer as it arrives."""
        delay_s = answer.delay_s + (self.hang_s if _hit(self.hung, "hang", key) else 0)
        body = answer.body
        if body is not None and not isinstance(body, Cut) and _hit(self.cut, "cut", key):
            data = body if isinstance(body, bytes) else json.dumps(body).encode()
            body = Cut(data[: len(data) // 2], len(data))
        return Answer(answer.status, body, answer.headers, delay_s)


def too_many(wait_s: float) -> Refused:
    """429, and how long to wait."""
    wait = {"Retry-After": str(max(1, round(wait_s))), "x-ms-retry-after-ms": str(round(1000 * wait_s))}
    return Refused(429, "TooManyRequests", "The request is being throttled as the limit has been reached.", wait)


def _hit(share: float, what: str, key: str) -> bool:
    return bool(share) and number(1000, key, what) < 1000 * share
