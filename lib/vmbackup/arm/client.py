"""Single requests to Azure Resource Manager, and the operations that continue after a 202.

For changes, and for reads whose client in the SDK costs more than it gives: Microsoft.Network and Microsoft.Insights
take longer to load, or to turn an answer into objects and back, than to answer. A changing request is sent once and
never retried, except after 429, which means that Azure did not accept it. Reads are retried by the SDK's own policy.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, unquote, urlencode, urlsplit

from azure.core.exceptions import AzureError, IncompleteReadError, ServiceRequestError, ServiceResponseError
from azure.core.pipeline import PipelineResponse
from azure.core.rest import HttpRequest

from vmbackup import clock
from vmbackup.arm.audience import ForeignHost
from vmbackup.arm.audit import changes
from vmbackup.arm.call import remaining_s
from vmbackup.arm.connection import SUBSCRIPTIONS, Azure
from vmbackup.arm.error_body import code_and_message
from vmbackup.arm.errors import OperationFailed, RequestRefused, ResponseLost, Unreadable, cut, not_found
from vmbackup.arm.pipeline import WaitTooLong, azure_time, retry_after_s
from vmbackup.arm.transport import AnswerTooLarge
from vmbackup.arm.wire import inside

API_VERSIONS = {
    "microsoft.compute": "2024-07-01",
    "microsoft.insights/eventtypes": "2015-04-01",
    "microsoft.insights/metrics": "2024-02-01",
    "microsoft.management": "2020-05-01",
    "microsoft.network": "2024-05-01",
    "microsoft.recoveryservices": "2024-04-01",
    "microsoft.authorization/locks": "2020-05-01",
    "microsoft.authorization/permissions": "2022-04-01",
}
MOST_WAITS_FOR_429 = 3
LONGEST_WAIT_S = 120
_ADDRESSES = ("Azure-AsyncOperation", "Location")
_OUTPUT = ("properties", "output")
# One part of a path, not empty and without dots that lead elsewhere.
_PART = r"(?!(?:\.{1,2}|\s*)(?:/|\Z))[^/\\?#%\x00-\x1f\x7f]+"
_OPERATIONS = "(operations|operationResults|operationsStatus|backupOperations|backupOperationResults)"
_UNREADABLE: Any = object()
_ENDED = {"succeeded": "succeeded", "failed": "failed", "canceled": "cancelled", "cancelled": "cancelled"}

Send = Callable[[HttpRequest, Mapping[str, Any]], PipelineResponse[Any, Any]]
"""Runs a request through the connection's pipeline (sign-in, audit) with options of the SDK's policies."""


@dataclass(frozen=True, slots=True)
class Response:
    """What Azure answered: status, JSON (None when there is none) and headers."""

    status: int
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def found(self) -> bool:
        """Whether the resource is there."""
        return self.status != 404

    @property
    def time(self) -> str | None:
        """Azure's clock, ISO 8601 UTC."""
        return clock.stamp(azure_time(self.headers))

    @property
    def request_id(self) -> str:
        """Azure's id of this request, "" when it gave none."""
        return self.headers.get("x-ms-request-id") or ""

    @property
    def addresses(self) -> dict[str, str]:
        """Where Azure reports on an accepted operation, and where its result will be; see :func:`accepted`."""
        return {name: self.headers[name] for name in _ADDRESSES if self.headers.get(name)}

    @property
    def operation(self) -> str | None:
        """Where to poll an accepted operation; None when the request was completed at once."""
        location = self.headers.get("Location") if self.status == 202 else None
        return self.headers.get("Azure-AsyncOperation") or location


@dataclass(frozen=True, slots=True)
class OperationResult:
    """How an operation ended: ``succeeded``, ``failed``, ``cancelled``, or ``timeout`` if it did not end in time."""

    how: str
    code: str = ""
    message: str = ""
    body: Any = None


class Arm:
    """Sends requests and follows operations. ``interval_s`` is the wait where Azure names none."""

    def __init__(
        self, send: Send, endpoint: str, sleep: Callable[[float], None] = time.sleep, interval_s: float = 10.0
    ) -> None:
        self._send, self._endpoint = send, endpoint.rstrip("/")
        self.sleep, self.interval_s = sleep, interval_s

    @classmethod
    def on(cls, azure: Azure) -> Arm:
        """The client of a connection."""
        return cls(azure.send, azure.connection.endpoint, interval_s=azure.connection.polling_interval_s)

    def read(self, path: str, **query: str) -> Any:
        """The JSON of one resource or page. Raises as :meth:`request` does, for a missing resource RequestRefused."""
        return self.request("GET", path, query=urlencode(query, quote_via=quote), must_exist=True).body

    def request(self, method: str, path: str, body: Any = None, query: str = "", must_exist: bool = False) -> Response:
        """Send one request; ``path`` is a resource id or a full URL of this endpoint.

        Raises RequestRefused for 4xx and 5xx (a missing resource is a response without a body, unless it must exist),
        and ResponseLost for a broken connection, a read whose response is not JSON, and a change that ends with 5xx.
        """
        request = HttpRequest(method, self._url(path, query), json=body, headers={"Accept": "application/json"})
        changing = changes(method, request.url)
        response = self._once(request, changing)
        for _ in range(MOST_WAITS_FOR_429 if changing else 0):
            wait = self.wait_s(response)
            if response.status != 429 or wait > min(LONGEST_WAIT_S, remaining_s()):
                break
            self.sleep(wait)
            response = self._once(request, changing)
        if response.status >= 400:
            code, message = code_and_message(response.body)
            asked = retry_after_s(response.headers)
            refused = RequestRefused(response.status, code, message, asked)
            if method in ("GET", "DELETE") and not must_exist and not_found(refused):
                return Response(404, None, response.headers)
            if response.status >= 500 and changing:
                raise ResponseLost(refused.key, **refused.values) from refused
            raise refused
        if response.body is _UNREADABLE:
            if not changing:
                raise ResponseLost("why.answer_unreadable") from Unreadable("JSON is invalid")
            return Response(response.status, None, response.headers)
        return response

    def complete(self, method: str, path: str, body: Any = None) -> Any:
        """Send one request and follow what it began: its result. Raises OperationFailed or TimeoutError besides what
        :meth:`request` raises."""
        ended = self.finish(self.request(method, path, body))
        if ended.how == "timeout":
            raise TimeoutError
        if ended.how != "succeeded":
            raise OperationFailed(ended.code, ended.message)
        return inside(ended.body, *_OUTPUT) or ended.body

    def finish(
        self, response: Response, deadline_s: float | None = None, on_wait: Callable[[], None] | None = None
    ) -> OperationResult:
        """Follow what a response began to its end, its result included. Raises as :meth:`poll` does."""
        if response.operation is None:
            return OperationResult("succeeded", body=response.body)
        return self.result(response, self.poll(response.operation, deadline_s, on_wait))

    def result(self, response: Response, ended: OperationResult) -> OperationResult:
        """The end of what a response began with its result: inside the operation itself, else where Location points."""
        location = response.headers.get("Location")
        if ended.how != "succeeded" or location in (None, response.operation) or inside(ended.body, *_OUTPUT):
            return ended
        return self.poll(str(location))

    def poll(
        self, operation: str, deadline_s: float | None = None, on_wait: Callable[[], None] | None = None
    ) -> OperationResult:
        """Poll until the operation has ended, for at most ``deadline_s`` seconds or what the call has left.

        Raises RequestRefused or ResponseLost where Azure does not say; 404 means an unknown operation.
        """
        limit = remaining_s() if deadline_s is None else deadline_s
        waited = 0.0
        while True:
            response = self.request("GET", operation)
            if not response.found:
                raise RequestRefused(404, "NotFound", "The operation is not known.")
            how = _state(response)
            if how:
                code, message = code_and_message(response.body)
                return OperationResult(how, code, cut(message), response.body)
            if waited >= limit:
                return OperationResult("timeout", body=response.body)
            if on_wait:
                on_wait()
            wait = min(self.wait_s(response), limit - waited)
            self.sleep(wait)
            waited += max(wait, 0.01)

    def wait_s(self, response: Response) -> float:
        """How long to wait before polling again: what Azure asks for, else ``interval_s``."""
        return retry_after_s(response.headers) or self.interval_s

    def _once(self, request: HttpRequest, changing: bool) -> Response:
        try:
            response = self._send(request, {"retry_total": 0} if changing else {}).http_response
            content = response.read()
        except (ServiceRequestError, ServiceResponseError, IncompleteReadError) as error:
            raise ResponseLost("error.connection_broke", kind=type(error).__name__) from error
        except (AnswerTooLarge, ForeignHost, WaitTooLong) as error:
            raise ResponseLost(error.key, **error.values) from error
        except AzureError as error:
            status = getattr(getattr(error, "response", None), "status_code", 0) or 0
            raise RequestRefused(status, type(error).__name__, cut(str(error))) from error
        # Errors come in other formats than JSON, too.
        body = content if response.status_code >= 400 else _json(content)
        return Response(response.status_code, body, response.headers)

    def _url(self, path: str, query: str) -> str:
        if path.startswith("https://"):
            return path
        return f"{self._endpoint}{_escaped(path)}?api-version={api_version(path)}{'&' + query if query else ''}"


def accepted(addresses: Mapping[str, str]) -> Response:
    """The response that named these addresses, so that its operation can be followed by a later run."""
    return Response(202, headers=addresses)


def names_operation(url: str, subscription_id: str, vault_id: str = "") -> bool:
    """Whether an address from a file is that of an operation in this subscription, or of this vault."""
    parts = urlsplit(url)
    compute = rf"/subscriptions/{re.escape(subscription_id)}/providers/Microsoft\.(Compute|Network)/locations"
    places = [compute, *([re.escape(vault_id)] if vault_id else [])]
    path = rf"({'|'.join(places)})(/{_PART}){{0,6}}/{_OPERATIONS}/{_PART}"
    return bool(re.fullmatch(path, unquote(parts.path), re.IGNORECASE)) and not parts.fragment


def api_version(path: str) -> str:
    """The api-version for a resource id: that of its last provider. Raises KeyError for one that is not known."""
    resource_type = path.lower().rpartition("/providers/")[2]
    if resource_type == path.lower():
        return SUBSCRIPTIONS
    parts = resource_type.split("/")
    return API_VERSIONS.get("/".join(parts[:2])) or API_VERSIONS[parts[0]]


def _state(response: Response) -> str | None:
    if response.status == 202:
        return None
    status = inside(response.body, "status")
    if isinstance(status, str):
        return _ENDED.get(status.lower())
    return "succeeded"


def _json(content: bytes) -> Any:
    try:
        return json.loads(content) if content else None
    except (ValueError, RecursionError):
        return _UNREADABLE


def _escaped(path: str) -> str:
    return quote(path, safe="/;()'!*$&,:=@~-._")
