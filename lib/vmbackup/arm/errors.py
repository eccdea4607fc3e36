"""Turns an error into a fact that says what went wrong. Only a missing sign-in or VM stops a run."""

from __future__ import annotations

from azure.core.exceptions import (
    ClientAuthenticationError,
    DecodeError,
    DeserializationError,
    HttpResponseError,
    IncompleteReadError,
    ServiceRequestError,
    ServiceRequestTimeoutError,
    ServiceResponseError,
    ServiceResponseTimeoutError,
)

from vmbackup import sanitize
from vmbackup.arm.audience import ForeignHost
from vmbackup.arm.error_body import code_and_message, missing_right
from vmbackup.arm.pipeline import WaitTooLong, retry_after_s
from vmbackup.arm.transport import AnswerTooLarge
from vmbackup.model import Fact, FactStatus, RemedyRefused, RunbookError, SetupError

_LONGEST_MESSAGE = 300
_ABOUT_RIGHTS = ("authorizationfailed", "forbidden", "accessdenied", "unauthorized")
# Microsoft.Network answers 429 for this, too: it is busy with the same resource, not throttling.
_BUSY = ("retryableerrorduetoanotheroperation",)


class Unreadable(ValueError):
    """The answer is JSON, but not the resource that was asked for."""


class ResponseLost(RunbookError):
    """A request got no readable response, or a server error: whether Azure acted is not known."""


class RequestRefused(RunbookError):
    """Azure refused. ``status``, ``code`` (a dash where there is none) and ``message`` are Azure's; ``wait_s`` is how
    long it asks to wait."""

    def __init__(self, status: int, code: str, message: str, wait_s: float | None = None) -> None:
        super().__init__("error.azure_refused", status=status, code=code or "-", message=cut(message))
        self.status, self.code, self.message, self.wait_s = status, code or "-", message, wait_s


class OperationFailed(RequestRefused):
    """Azure accepted the request, and the operation failed."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(200, code, message)


REFUSALS = (RequestRefused, HttpResponseError)
"""What a refused request raises, in our client and in the SDK's."""


def as_fact(error: BaseException, actions: tuple[str, ...] = (), seconds: float = 0) -> Fact:
    """The fact that this error makes. Raises SetupError when nobody is signed in.

    ``actions`` are the rights that the question takes, for a refusal that names none; ``seconds`` is how long it took.
    """
    if isinstance(error, SetupError):
        raise error
    if isinstance(error, (ResponseLost, RequestRefused)) and error.__cause__ is not None:
        return as_fact(error.__cause__, actions, seconds)
    if isinstance(error, ResponseLost):
        return _failed(error.key.removeprefix("why."), **error.values)
    if isinstance(error, AnswerTooLarge):
        return _failed("too_large", mb=error.mb)
    if isinstance(error, ForeignHost):
        return _failed("foreign_host", host=sanitize.text(error.host))
    if isinstance(error, WaitTooLong):
        if error.status == 429:
            return _failed("throttled", retry_after=round(error.seconds))
        if error.status is not None and error.status >= 500:
            return _failed("server_error", status=error.status, code="RetryAfter")
        return _failed("timeout", seconds=round(seconds))
    if isinstance(error, RemedyRefused):
        # A collector changes nothing; the SDK would have registered a missing resource provider.
        unregistered = (
            "The subscription is not registered for the resource provider, and a run that reads registers none."
        )
        return _failed("conflict", code="MissingSubscriptionRegistration", message=unregistered)
    if isinstance(error, IncompleteReadError):
        return _failed("cut_off")
    if isinstance(error, (DecodeError, DeserializationError, UnicodeError, RecursionError, Unreadable)):
        return _failed("unreadable", detail=words(error))
    if isinstance(error, ClientAuthenticationError) and _status(error) not in (401, 403):
        raise SetupError("error.sign_in", reason=words(error)) from None
    if isinstance(error, REFUSALS):
        return _answered(refusal(error), actions)
    return _unanswered(error, seconds)


def _unanswered(error: BaseException, seconds: float) -> Fact:
    if isinstance(error, (ServiceRequestTimeoutError, ServiceResponseTimeoutError, TimeoutError)):
        return _failed("timeout", seconds=round(seconds))
    if isinstance(error, ServiceResponseError):
        return _failed("cut_off")
    if isinstance(error, ServiceRequestError):
        return _failed("unexpected", error=f"Azure was not reached: {words(_root(error))}")
    if isinstance(error, (KeyError, TypeError, ValueError, AttributeError, IndexError)):
        return _failed("unreadable", detail=f"{type(error).__name__}: {words(error)}")
    return _failed("unexpected", error=f"{type(error).__name__}: {words(error)}")


def _root(error: BaseException) -> BaseException:
    """The innermost error: the outer ones begin with the whole address, and the reason would be cut off."""
    for _ in range(10):
        inner = getattr(error, "inner_exception", None) or getattr(error, "reason", None) or (error.args or [None])[0]
        if not isinstance(inner, BaseException):
            break
        error = inner
    return error


def _answered(error: RequestRefused, actions: tuple[str, ...]) -> Fact:
    status, code, message = error.status, error.code, cut(error.message)
    if status == 401:
        raise SetupError("error.sign_in", reason=f"{code}: {message}") from None
    right = missing_right(error.message) if status == 403 else None
    if status == 403 and (right or code.lower() in _ABOUT_RIGHTS):
        return _denied(*(right or (actions[0] if actions else "?", "")))
    if status == 409 or code.lower() in _BUSY:
        return _failed("conflict", code=code, message=message)
    if status == 429:
        return _failed("throttled", retry_after="?" if error.wait_s is None else f"{error.wait_s:g}")
    if status == 408 or status >= 500:
        return _failed("server_error", status=status, code=code)
    if status >= 400:
        return _failed("refused", status=status, code=code, message=message)
    return _failed("operation_failed", code=code, message=message)


def _denied(action: str, scope: str) -> Fact:
    return Fact(
        FactStatus.DENIED, why="missing_action", details={"action": action, "scope": sanitize.text(scope) or "?"}
    )


def not_found(error: BaseException) -> bool:
    """Whether Azure Resource Manager itself says that the resource does not exist. A 404 of a proxy, or about its
    subscription or type, is something else.
    """
    found = refusal(error)
    code = found.code.lower()
    return found.status == 404 and code.endswith("notfound") and not code.startswith("subscription")


def _failed(why: str, **details: object) -> Fact:
    return Fact(FactStatus.FAILED, why=why, details={name: str(value) for name, value in details.items()})


def refusal(error: BaseException) -> RequestRefused:
    """The refusal, whichever of REFUSALS this is, with its whole message."""
    if isinstance(error, RequestRefused):
        return error
    response = getattr(error, "response", None)
    headers = response.headers if response is not None else {}
    outer = getattr(error, "error", None)
    code, message = code_and_message(_body(error))
    code = code or str(getattr(outer, "code", "") or "")
    message = message or str(getattr(outer, "message", "") or "") or str(error)
    return RequestRefused(_status(error), code, message, retry_after_s(headers))


def _status(error: BaseException) -> int:
    response = getattr(error, "response", None)
    return getattr(error, "status_code", None) or getattr(response, "status_code", None) or 0


def _body(error: BaseException) -> str:
    try:
        # Older clients' responses have no json().
        text: str = getattr(error, "response").text()  # noqa: B009 - mypy does not know that there is one
        return text
    except Exception:  # a body that cannot be read simply has no code in it
        return ""


def words(error: BaseException) -> str:
    """The error's own words, cut and without secrets."""
    return cut(str(error))


def cut(message: str) -> str:
    """A message at most 300 characters long, on one line, without secrets."""
    return sanitize.shortened(" ".join(sanitize.text(message).split()), _LONGEST_MESSAGE)
