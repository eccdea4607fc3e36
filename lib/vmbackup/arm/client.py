"""Sends single requests to Azure Resource Manager, and follows what Azure goes on doing after it said 202.

For changes and their proof. A changing request is sent once and never repeated by itself, except after 429, which means
that Azure did not take it. Reads are retried by the SDK's own policy.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from azure.core.exceptions import AzureError, IncompleteReadError, ServiceRequestError, ServiceResponseError
from azure.core.pipeline import PipelineResponse
from azure.core.rest import HttpRequest

from vmbackup.arm.audit import azure_time, changes
from vmbackup.arm.pipeline import AnswerTooLarge, WaitTooLong
from vmbackup.model import RunbookError

if TYPE_CHECKING:
    from vmbackup.arm.connection import Azure

API_VERSIONS = {
    "microsoft.compute": "2024-07-01",
    "microsoft.network": "2024-05-01",
    "microsoft.recoveryservices": "2024-04-01",
    "microsoft.authorization/locks": "2020-05-01",
    "microsoft.authorization/permissions": "2022-04-01",
}
MOST_WAITS_FOR_429 = 3
LONGEST_WAIT_S = 120
_UNREADABLE: Any = object()
_ENDED = {"succeeded": "succeeded", "failed": "failed", "canceled": "cancelled", "cancelled": "cancelled"}

Send = Callable[[HttpRequest, Mapping[str, Any]], PipelineResponse[Any, Any]]
"""Runs a request through the connection's pipeline (sign-in, audit) with options of the SDK's policies."""


class NoAnswer(RunbookError):
    """A request was sent, and no answer came that can be read, or a server failed: whether Azure acted is open."""


class Refused(RunbookError):
    """Azure said no. ``status``, ``code`` and ``message`` are Azure's own."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(f"Azure refused ({status} {code}): {message}")
        self.status, self.code, self.message = status, code, message


@dataclass(frozen=True, slots=True)
class Answer:
    """What Azure answered: status, JSON (None when there is none) and headers."""

    status: int
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def time(self) -> str | None:
        """Azure's clock, ISO 8601 UTC."""
        return azure_time(self.headers)

    @property
    def request_id(self) -> str:
        """Azure's id of this request, "" when it gave none."""
        return self.headers.get("x-ms-request-id") or ""

    @property
    def operation(self) -> str | None:
        """Where to look how an accepted operation goes on; None when the answer was the end."""
        location = self.headers.get("Location") if self.status == 202 else None
        return self.headers.get("Azure-AsyncOperation") or location


@dataclass(frozen=True, slots=True)
class Ended:
    """How an operation ended: ``succeeded``, ``failed``, ``cancelled``, or ``timeout`` when it had not by then."""

    how: str
    code: str = ""
    message: str = ""
    body: Any = None


class Arm:
    """One door to ARM. ``pause`` sleeps; ``interval_s`` holds where Azure does not say how long to wait."""

    def __init__(self, send: Send, endpoint: str, pause: Callable[[float], None], interval_s: float = 10.0) -> None:
        self._send, self._endpoint = send, endpoint.rstrip("/")
        self.pause, self.interval_s = pause, interval_s

    def ask(self, method: str, path: str, body: Any = None, query: str = "") -> Answer:
        """Send one request; ``path`` is a resource id or a full URL of this endpoint.

        Raises Refused for 4xx and 5xx (404 of a GET is an answer, its body None), and NoAnswer for a broken connection,
        a read whose answer is no JSON, and a change that Azure answers with 5xx.
        """
        request = HttpRequest(method, self._url(path, query), json=body, headers={"Accept": "application/json"})
        for attempt in range(MOST_WAITS_FOR_429 + 1):
            answer = self._once(request)
            wait = self.wait_s(answer)
            if answer.status != 429 or attempt == MOST_WAITS_FOR_429 or wait > LONGEST_WAIT_S:
                break
            self.pause(wait)
        if answer.status == 404 and method in ("GET", "DELETE"):
            return Answer(404, None, answer.headers)
        if answer.status >= 400:
            code, message = said(answer.body)
            code = code or f"HTTP {answer.status}"
            if answer.status >= 500 and changes(method, request.url):
                raise NoAnswer(f"Azure failed ({answer.status} {code}): {message}".rstrip(": "))
            raise Refused(answer.status, code, message)
        if answer.body is _UNREADABLE:
            if not changes(method, request.url):
                raise NoAnswer("Azure's answer cannot be read.")
            return Answer(answer.status, None, answer.headers)
        return answer

    def follow(self, operation: str, deadline_s: float, each: Callable[[], None] | None = None) -> Ended:
        """Ask until the operation has ended or ``deadline_s`` seconds of waiting are over.

        Raises Refused or NoAnswer where Azure does not tell, with 404 for an operation that it no longer knows.
        """
        waited = 0.0
        while True:
            answer = self.ask("GET", operation)
            if answer.status == 404:
                raise Refused(404, "NotFound", "The operation is not known.")
            how = _state(answer)
            if how:
                code, message = said(answer.body)
                return Ended(how, code, message, answer.body)
            if waited >= deadline_s:
                return Ended("timeout", body=answer.body)
            if each:
                each()
            wait = min(self.wait_s(answer), deadline_s - waited)
            self.pause(wait)
            waited += max(wait, 0.01)

    def wait_s(self, answer: Answer) -> float:
        """How long Azure asks to wait before the next look."""
        for name, factor in (("x-ms-retry-after-ms", 0.001), ("Retry-After", 1.0)):
            said = answer.headers.get(name) or ""
            wait = _number(said) * factor or _until(said, answer.headers.get("Date") or "")
            if wait > 0:
                return wait
        return self.interval_s

    def _once(self, request: HttpRequest) -> Answer:
        options = {"retry_total": 0} if changes(request.method, request.url) else {}
        try:
            response = self._send(request, options).http_response
            body = _json(response.read())
        except (ServiceRequestError, ServiceResponseError, IncompleteReadError) as error:
            raise NoAnswer(f"The connection to Azure broke: {type(error).__name__}.") from error
        except (AnswerTooLarge, WaitTooLong) as error:
            raise NoAnswer(str(error)) from error
        except AzureError as error:
            status = getattr(getattr(error, "response", None), "status_code", 0) or 0
            raise Refused(status, type(error).__name__, str(error)[:300]) from error
        return Answer(response.status_code, body, response.headers)

    def _url(self, path: str, query: str) -> str:
        if path.startswith("https://"):
            # The token must not go to another host, whatever a header says.
            if urlsplit(path)[:2] != urlsplit(self._endpoint)[:2]:
                raise Refused(0, "ForeignHost", f"Azure named a foreign host, {urlsplit(path).netloc}.")
            return path
        return f"{self._endpoint}{_escaped(path)}?api-version={api_version(path)}{'&' + query if query else ''}"


def api_version(path: str) -> str:
    """The api-version for a resource id: that of its last provider. Raises KeyError for one that is not known."""
    parts = path.lower().split("/providers/")[-1].split("/")
    return API_VERSIONS.get("/".join(parts[:2])) or API_VERSIONS[parts[0]]


def said(body: Any) -> tuple[str, str]:
    """Code and message of an error body, ("", "") when there are none; the message is cut to 300 characters."""
    error = body.get("error", body) if isinstance(body, Mapping) else None
    if not isinstance(error, Mapping):
        return "", ""
    return str(error.get("code") or ""), str(error.get("message") or "")[:300]


def _state(answer: Answer) -> str | None:
    if answer.status == 202:
        return None
    status = answer.body.get("status") if isinstance(answer.body, Mapping) else None
    if isinstance(status, str):
        return _ENDED.get(status.lower())
    return "succeeded"


def _number(said: str) -> float:
    try:
        return float(said)
    except ValueError:
        return 0.0


def _until(moment: str, now: str) -> float:
    """Seconds from one HTTP date to another; 0 where one of them is none."""
    try:
        return (parsedate_to_datetime(moment) - parsedate_to_datetime(now)).total_seconds()
    except (TypeError, ValueError):
        return 0.0


def _json(content: bytes) -> Any:
    try:
        return json.loads(content) if content else None
    except ValueError:
        return _UNREADABLE


def _escaped(path: str) -> str:
    return quote(path, safe="/;()'!*$&,:=@~-._")


def arm_for(azure: Azure) -> Arm:
    """The door for changes and their proof on a run's connection. A deadline of the collection no longer counts."""
    azure.deadline = None
    return Arm(azure.send, azure.connection.endpoint, time.sleep, azure.connection.polling_interval_s)
