"""Keeps all workers of a machine within what Azure allows, so that it need not refuse.

One bucket per subscription and kind of request, in a file that the workers share; a 429 makes all of them wait as long
as Azure asks, no vault gets more than four requests at a time, and no VM more than one Run Command. Azure Resource
Manager counts per region of the caller, which is one for all workers of a machine. A single run needs none of this and
has no such file. Times in it are monotonic: if somebody put the clock back by an hour, all would wait for that hour.
"""

from __future__ import annotations

import os
import re
import sqlite3
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from hashlib import sha256
from typing import Any
from urllib.parse import urlsplit

from azure.core.pipeline import PipelineRequest, PipelineResponse
from azure.core.pipeline.policies import HTTPPolicy
from filelock import FileLock, Timeout
from pyrate_limiter import Rate, RateItem, SQLiteBucket

from vmbackup.arm.call import pause
from vmbackup.arm.pipeline import retry_after_s
from vmbackup.arm.wire import span_s

AT_ONCE_PER_VAULT = 4
_S = 1000
# Azure refills 25 reads, 10 writes and 10 deletes a second into buckets of 250 and 200; lists of Compute are dearer.
_LIMITS = {
    "reads": (250, 10 * _S),
    "writes": (100, 10 * _S),
    "deletes": (100, 10 * _S),
    "compute lists": (50, 10 * _S),
    "network": (300, 10 * _S),
    "graph": (14, 5 * _S),
    # 360,000 an hour, in each region.
    "metrics": (1000, 10 * _S),
}
_HOLD = "INSERT INTO pauses VALUES (?, ?) ON CONFLICT(name) DO UPDATE SET until = max(until, excluded.until)"
_LITTLE_LEFT = 5
_SHORTEST_S = 0.02
_PAUSE_S, _LONGEST_PAUSE_S = 1.0, 60.0
_LEAK_EVERY = 200
# Each has a connection of its own to the database; a company may have hundreds of subscriptions.
_MOST_OPEN = 16
_SUBSCRIPTION = re.compile(r"/subscriptions/([^/]+)", re.IGNORECASE)
_PROVIDER = re.compile(r"/providers/(microsoft\.\w+)(/[^?]*)?", re.IGNORECASE)
_METRICS = "/metrics:getbatch"
_VAULT = re.compile(r"(/.+?/vaults/[^/]+)/", re.IGNORECASE)
# A lock of Microsoft.Network and not a quota, although it comes with 429.
_BUSY = "retryableerrorduetoanotheroperation"


def kinds(method: str, url: str) -> tuple[str, list[str]]:
    """The subscription that a request counts for ("" for none), and the limits that it counts against.

    >>> kinds("GET", "https://x/subscriptions/s/providers/Microsoft.Compute/disks?api-version=1")
    ('s', ['reads', 'compute lists'])
    """
    path = urlsplit(url).path
    owner = _SUBSCRIPTION.search(path)
    provider = _PROVIDER.search(path)
    name = provider.group(1).lower() if provider else ""
    if name == "microsoft.resourcegraph":
        return "", ["graph"]
    subscription = owner.group(1).lower() if owner else ""
    if path.lower().endswith(_METRICS):
        return subscription, ["metrics"]
    found = ["reads" if method in ("GET", "HEAD") else "deletes" if method == "DELETE" else "writes"]
    if name == "microsoft.network":
        found.append("network")
    if name == "microsoft.compute" and "/resourcegroups/" not in path.lower():
        found.append("compute lists")
    return subscription, found


def vault_of(url: str) -> str:
    """The id of the vault that a request asks, in lower case, or "". Vaults of different groups may share a name.

    >>> vault_of("https://x/subscriptions/s/resourceGroups/g/providers/Microsoft.RecoveryServices/vaults/V/backupJobs")
    '/subscriptions/s/resourcegroups/g/providers/microsoft.recoveryservices/vaults/v'
    """
    found = _VAULT.match(urlsplit(url).path)
    return found.group(1).lower() if found else ""


class RateLimiter:
    """The shared limits: ``file`` is a database that it creates, ``share`` the part of them that is this machine's."""

    def __init__(self, file: str, share: float = 1.0) -> None:
        self._file, self._share = file, share
        self._lock = threading.RLock()
        self._buckets: dict[str, SQLiteBucket] = {}
        self._count = 0
        # Open in the process that uses it: a connection must not cross a fork.
        self._pid = os.getpid()
        self._db: sqlite3.Connection | None = None

    def policy(self) -> RateLimitPolicy:
        """A policy for one pipeline: each needs its own, which knows its successor."""
        return RateLimitPolicy(self)

    def wait(self, subscription: str, names: list[str]) -> None:
        """Wait until a request of these kinds may be sent. Waiting here is nobody's fault and costs a call none of its
        time. Raises TimeoutError when the call has none left."""
        for name in names:
            while (seconds := self._paused_s(subscription, name)) > 0 or (
                seconds := self._full_s(subscription, name)
            ) > 0:
                pause(seconds)

    def hold(self, subscription: str, names: list[str], seconds: float) -> None:
        """Let no worker send a request of these kinds for so long."""
        with self._lock:
            rows = [(f"{subscription} {name}", time.monotonic() + seconds) for name in names]
            self._database().executemany(_HOLD, rows)

    def slot(self, vault: str) -> AbstractContextManager[None]:
        """One of the places that a vault has for requests at the same time; ``vault`` is its id, "" for none."""
        places = max(1, int(AT_ONCE_PER_VAULT * self._share))
        return self._place(f"vault {vault}", places) if vault else nullcontext()

    def alone(self, vm_id: str) -> AbstractContextManager[None]:
        """The one place that a VM has for a Run Command: Azure refuses a second one as long as the first one runs."""
        return self._place(f"run command {vm_id}", 1)

    @contextmanager
    def _place(self, name: str, places: int) -> Iterator[None]:
        names = [f"{self._file}.{_digest(name)}.{number}" for number in range(places)]
        locks = [FileLock(name, thread_local=False) for name in names]
        while True:
            for lock in locks:
                try:
                    lock.acquire(blocking=False)
                except Timeout:
                    continue
                try:
                    yield
                    return
                finally:
                    lock.release()
            pause(_SHORTEST_S)

    def _paused_s(self, subscription: str, name: str) -> float:
        with self._lock:
            key = f"{subscription} {name}"
            row = self._database().execute("SELECT until FROM pauses WHERE name = ?", (key,)).fetchone()
        return float(row[0]) - time.monotonic() if row else 0.0

    def _full_s(self, subscription: str, name: str) -> float:
        """0 when the request was counted, else how long to wait before trying again."""
        with self._lock:
            bucket = self._bucket(subscription, name)
            item = RateItem(name, round(time.monotonic() * _S))
            self._count += 1
            if self._count % _LEAK_EVERY == 0:
                bucket.leak(item.timestamp)
            if bucket.put(item):
                return 0.0
            wait = bucket.waiting(item)
        return max(_SHORTEST_S, (wait if isinstance(wait, int) else 0) / _S)

    def _bucket(self, subscription: str, name: str) -> SQLiteBucket:
        self._database()
        key = f"{subscription} {name}"
        bucket = self._buckets.pop(key, None) or self._opened(key, name)
        self._buckets[key] = bucket  # the last one used stands last
        if len(self._buckets) > _MOST_OPEN:
            self._buckets.pop(next(iter(self._buckets))).close()  # type: ignore[no-untyped-call]
        return bucket

    def _opened(self, key: str, name: str) -> SQLiteBucket:
        most, interval = _LIMITS[name]
        rate = Rate(max(1, int(most * self._share)), interval)
        return SQLiteBucket.init_from_file([rate], table=f"rate_{_digest(key)}", db_path=self._file, use_file_lock=True)

    def _database(self) -> sqlite3.Connection:
        if self._pid != os.getpid():
            self._buckets, self._db, self._pid = {}, None, os.getpid()
        if self._db is None:
            self._db = sqlite3.connect(self._file, timeout=30, isolation_level=None, check_same_thread=False)
            self._db.execute("CREATE TABLE IF NOT EXISTS pauses (name TEXT PRIMARY KEY, until REAL)")
        return self._db


class RateLimitPolicy(HTTPPolicy[Any, Any]):
    """Sends each try of a request when the limits allow it, and tells the other workers what Azure says of them."""

    def __init__(self, limiter: RateLimiter) -> None:
        super().__init__()
        self._limiter = limiter

    def send(self, request: PipelineRequest[Any]) -> PipelineResponse[Any, Any]:
        """Wait, send, and learn from the response."""
        wire = request.http_request
        subscription, names = kinds(wire.method, wire.url)
        with self._limiter.slot(vault_of(wire.url)):
            self._limiter.wait(subscription, names)
            response = self.next.send(request)
        headers = response.http_response.headers
        if response.http_response.status_code == 429 and not _is_busy(response):
            wait = min(retry_after_s(headers) or _PAUSE_S, _LONGEST_PAUSE_S)
            self._limiter.hold(subscription, names[-1:], wait)
        for name in names:
            if seconds := _to_rest_s(name, headers):
                self._limiter.hold(subscription, [name], seconds)
        return response


def _is_busy(response: PipelineResponse[Any, Any]) -> bool:
    try:
        return _BUSY in str(response.http_response.text()).lower()
    except Exception:  # a body that cannot be read names no reason
        return False


def _to_rest_s(name: str, headers: Mapping[str, str]) -> float:
    """How long to rest before the next request of this kind: Azure says when little is left."""
    if name == "graph":
        left, rest = headers.get("x-ms-user-quota-remaining"), span_s(headers.get("x-ms-user-quota-resets-after"))
        return min(rest or _PAUSE_S, _LONGEST_PAUSE_S) if left == "0" else 0.0
    left = headers.get(f"x-ms-ratelimit-remaining-subscription-{name}") or ""
    return _PAUSE_S if left.isdecimal() and int(left) <= _LITTLE_LEFT else 0.0


def _digest(words: str) -> str:
    return sha256(words.lower().encode()).hexdigest()[:16]
