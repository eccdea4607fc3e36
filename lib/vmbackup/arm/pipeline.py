"""The policies of every request to Azure: it goes only to Azure, it is recorded, and no wait exceeds a deadline.

A request is recorded with the current call as ``METHOD path?query``; Azure's ``Date`` header is the clock.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Protocol
from urllib.parse import parse_qsl, unquote, urlsplit

from azure.core.pipeline import PipelineRequest, PipelineResponse
from azure.core.pipeline.policies import RetryPolicy, SansIOHTTPPolicy

from vmbackup import clock
from vmbackup.arm.audience import Audience
from vmbackup.arm.call import current, pause, remaining_s
from vmbackup.model import RunbookError

# A query has filters worth showing, and may have a signature, which is never shown.
_SHOWN_QUERY = ("$expand", "$filter", "metricnames", "timespan", "statusOnly", "starttime", "endtime")


# Not an AzureError: the SDK would retry before Azure allows it.
class WaitTooLong(RunbookError):
    """Azure asked for a wait beyond the deadline; ``status`` is that of its response."""

    def __init__(self, seconds: float, status: int | None) -> None:
        super().__init__("error.wait_too_long", seconds=round(seconds))
        self.seconds = seconds
        self.status = status


class Connected(Protocol):
    """What a pipeline tells the connection it belongs to."""

    def on_request(self) -> None:
        """A request is about to leave."""

    def on_answer(self, azure_time: datetime | None) -> datetime | None:
        """A response arrived, perhaps with Azure's clock; returns the latest."""


class AudiencePolicy(SansIOHTTPPolicy[Any, Any]):
    """Lets a request pass only to a host of the audience. It comes before the sign-in, so that no other host gets a
    token, whatever a page, an operation's address or a redirect names."""

    def __init__(self, audience: Audience) -> None:
        self._audience = audience

    def on_request(self, request: PipelineRequest[Any]) -> None:
        """Raises ForeignHost."""
        self._audience.require(request.http_request.url)


class RecordingPolicy(SansIOHTTPPolicy[Any, Any]):
    """Records each request and Azure's clock."""

    def __init__(self, connected: Connected) -> None:
        self._connected = connected

    def on_request(self, request: PipelineRequest[Any]) -> None:
        """Record the request before it is sent."""
        request.http_request.headers.setdefault("Accept-Language", "en-US")
        self._connected.on_request()
        begun = current()
        line = shown(request.http_request.method, request.http_request.url)
        if begun is not None:
            begun.sent += 1
            if line not in begun.requests:
                begun.requests.append(line)

    def on_response(self, request: PipelineRequest[Any], response: PipelineResponse[Any, Any]) -> None:
        """Record Azure's clock."""
        heard = self._connected.on_answer(azure_time(response.http_response.headers))
        begun = current()
        for each in begun.lineage() if begun else ():
            each.azure_time = heard


class PatientRetryPolicy(RetryPolicy[Any, Any]):
    """The SDK's own retries, with our reading of Retry-After and no wait beyond the deadline. Where many VMs share the
    limits, ``in_turn``, waiting after a 429 costs a call none of its time."""

    def __init__(self, in_turn: bool = False, **options: Any) -> None:
        super().__init__(**options)
        self._in_turn = in_turn

    def get_retry_after(self, response: PipelineResponse[Any, Any]) -> float | None:
        """The wait that Azure asks for."""
        return retry_after_s(response.http_response.headers)

    def sleep(self, settings: Any, transport: Any, response: PipelineResponse[Any, Any] | None = None) -> None:
        """Wait before the next try. Raises WaitTooLong when the deadline comes first."""
        asked = self.get_retry_after(response) if response else None
        wait = asked or self.get_backoff_time(settings)
        if self._in_turn and response is not None and response.http_response.status_code == 429:
            pause(wait)
            return
        if wait > remaining_s():
            raise WaitTooLong(wait, response.http_response.status_code if response else None)
        transport.sleep(wait)


def retry_after_s(headers: Mapping[str, str]) -> float | None:
    """How many seconds Azure asks to wait; None where it does not say, or not in seconds or a date.

    >>> retry_after_s({"x-ms-retry-after-ms": "500", "Retry-After": "17"})
    0.5
    """
    for name, factor in (("x-ms-retry-after-ms", 0.001), ("Retry-After", 1.0)):
        words = headers.get(name) or ""
        wait = _number(words) * factor or _until(words, headers.get("Date"))
        if wait > 0:
            return wait
    return None


def azure_time(headers: Mapping[str, str]) -> datetime | None:
    """Azure's clock, from the ``Date`` header; None where there is none."""
    return clock.parse_http_date(headers.get("Date"))


def _number(words: str) -> float:
    try:
        return float(words)
    except ValueError:
        return 0.0


def _until(words: str, date: str | None) -> float:
    """Seconds from one HTTP date to another; 0 where one of them is none."""
    end, now = clock.parse_http_date(words), clock.parse_http_date(date)
    return (end - now).total_seconds() if end and now else 0.0


def shown(method: str, url: str) -> str:
    """A request as it is shown: without host, api-version and signature.

    >>> shown("GET", "https://x/subscriptions/s/vm?api-version=2026-04-01&$expand=instanceView&sig=hush")
    'GET /subscriptions/s/vm?$expand=instanceView'
    """
    parts = urlsplit(url)
    query = "&".join(f"{name}={value}" for name, value in parse_qsl(parts.query) if name in _SHOWN_QUERY)
    return f"{method} {unquote(parts.path)}{'?' + query if query else ''}"
