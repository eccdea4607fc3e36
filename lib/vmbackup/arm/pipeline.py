"""What every request to Azure passes through: it is noted, its answer is measured, and no wait outlives a deadline.

Every request of a collector's thread is noted as ``METHOD path?query``; Azure's ``Date`` header is the clock.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote, urlsplit

import requests
from azure.core.pipeline import PipelineRequest, PipelineResponse
from azure.core.pipeline.policies import SansIOHTTPPolicy
from azure.core.pipeline.transport import RequestsTransport
from requests.adapters import HTTPAdapter

from vmbackup.model import RunbookError

if TYPE_CHECKING:
    from vmbackup.arm.connection import Azure

LARGEST_ANSWER_MB = 20
LONGEST_SILENCE_S = 60.0
_MB = 1024**2
_PARALLEL = 48
# A query holds filters worth showing, and may hold a signature, which is never shown.
_SHOWN_QUERY = ("$expand", "$filter", "metricnames", "timespan", "statusOnly")


# These are no AzureErrors: the SDK would try those again, before Azure wants to be asked, or read the huge answer anew.
class AnswerTooLarge(RunbookError):
    """An answer larger than any real one; ``mb`` is its size."""

    def __init__(self, mb: int) -> None:
        super().__init__(f"Azure's answer has {mb} MB, more than any real one.")
        self.mb = mb


class WaitTooLong(RunbookError):
    """Azure asked for a wait that would outlive the deadline; ``status`` is the answer that asked for it."""

    def __init__(self, seconds: float, status: int | None) -> None:
        super().__init__(f"Azure asks to wait {seconds:.0f} s, longer than there is time.")
        self.seconds = seconds
        self.status = status


@dataclass(slots=True)
class Asking:
    """What is asked on behalf of one collector; ``until`` is the monotonic time at which it must be done."""

    how: list[str] = field(default_factory=list)
    taken_at: datetime | None = None
    until: float | None = None


_current = threading.local()


class asking:  # noqa: N801 - reads as a verb: ``with asking() as notes``
    """Note the requests that this thread sends inside the block; ``notes`` continues those of another thread."""

    def __init__(self, until: float | None = None, notes: Asking | None = None) -> None:
        self._notes = notes or Asking(until=until)

    def __enter__(self) -> Asking:
        _current.notes = self._notes
        return self._notes

    def __exit__(self, *_: object) -> None:
        _current.notes = None


def current() -> Asking | None:
    """The notes of this thread, None outside of ``with asking()``."""
    return getattr(_current, "notes", None)


class Notary(SansIOHTTPPolicy[Any, Any]):
    """Notes each request and Azure's clock, counts calls, and refuses an answer of absurd size."""

    def __init__(self, azure: Azure) -> None:
        self._azure = azure

    def on_request(self, request: PipelineRequest[Any]) -> None:
        """Note the request before it is sent."""
        request.http_request.headers.setdefault("Accept-Language", "en-US")
        self._azure.count()
        _current.status = None
        notes = current()
        if notes is not None:
            line = shown(request.http_request.method, request.http_request.url)
            if line not in notes.how:
                notes.how.append(line)

    def on_response(self, request: PipelineRequest[Any], response: PipelineResponse[Any, Any]) -> None:
        """Note Azure's clock. Raises AnswerTooLarge before anybody reads the answer."""
        answer = response.http_response
        self._azure.clock = _date(answer.headers.get("Date")) or self._azure.clock
        _current.status = answer.status_code
        notes = current()
        if notes is not None:
            notes.taken_at = self._azure.clock
        megabytes = _size(answer, request.context.options.get("stream")) // _MB
        if megabytes > LARGEST_ANSWER_MB:
            raise AnswerTooLarge(megabytes)


def _date(said: str | None) -> datetime | None:
    try:
        found = parsedate_to_datetime(said or "")
    except (TypeError, ValueError):
        return None
    return (found if found.tzinfo else found.replace(tzinfo=timezone.utc)).astimezone(timezone.utc)


def _size(answer: Any, streamed: Any) -> int:
    announced = answer.headers.get("Content-Length") or "0"
    known = int(announced) if announced.isdecimal() else 0
    if streamed:
        return known
    # A compressed answer, or one in chunks, is larger than it announces.
    return max(known, len(answer.content if hasattr(answer, "content") else answer.body()))


class Transport(RequestsTransport):  # type: ignore[misc]  # the SDK's base is untyped
    """The SDK's own transport, except that neither a wait nor a silence of Azure outlives the deadline."""

    def __init__(self, remaining_s: Callable[[], float]) -> None:
        session = requests.Session()
        session.mount("https://", HTTPAdapter(pool_connections=_PARALLEL, pool_maxsize=_PARALLEL, max_retries=0))
        super().__init__(session=session, session_owner=False)
        self._remaining_s = remaining_s

    def send(self, request: Any, **options: Any) -> Any:
        """Send one request. Raises TimeoutError when there is no time left for it."""
        remaining = self._remaining_s()
        if remaining <= 0:
            raise TimeoutError
        options.setdefault("read_timeout", max(1.0, min(LONGEST_SILENCE_S, remaining)))
        return super().send(request, **options)

    def sleep(self, duration: float) -> None:
        """Wait before the next try. Raises WaitTooLong when the deadline comes first."""
        if duration > self._remaining_s():
            raise WaitTooLong(duration, getattr(_current, "status", None))
        super().sleep(duration)


def shown(method: str, url: str) -> str:
    """A request as the reader sees it: no host, no api-version, no signature.

    >>> shown("GET", "https://x/subscriptions/s/vm?api-version=2026-04-01&$expand=instanceView&sig=hush")
    'GET /subscriptions/s/vm?$expand=instanceView'
    """
    parts = urlsplit(url)
    query = "&".join(f"{name}={value}" for name, value in parse_qsl(parts.query) if name in _SHOWN_QUERY)
    return f"{method} {unquote(parts.path)}{'?' + query if query else ''}"
