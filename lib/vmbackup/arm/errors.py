"""From an error to a fact: what went wrong, in words to act on. Only a missing sign-in or VM stops a run."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

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
from vmbackup.arm.pipeline import AnswerTooLarge, WaitTooLong, retry_after_s
from vmbackup.model import Fact, FactStatus, RemedyRefused, RunbookError, SetupError

_LONGEST_MESSAGE = 300
_ACTION = re.compile(
    r"perform(?:ing)? action '(?P<action>[^']+)'(?: (?:over|on) scope '(?P<scope>[^']+)')?", re.IGNORECASE
)
_SIGN_IN = (
    "Not signed in to Azure, or the sign-in has expired: {reason} Run `az login`, or use a managed identity or a "
    "service principal from the environment, then try again."
)


class Unreadable(ValueError):
    """The answer is JSON, but not the resource that was asked for."""


class ResponseLost(RunbookError):
    """A request was sent, and no answer came that can be read, or a server failed: whether Azure acted is open."""


class RequestRefused(RunbookError):
    """Azure said no. ``status``, ``code`` and ``message`` are Azure's own; ``wait_s`` is how long it asks to wait."""

    def __init__(self, status: int, code: str, message: str, wait_s: float | None = None) -> None:
        super().__init__(f"Azure refused ({status} {code}): {cut(message)}")
        self.status, self.code, self.message, self.wait_s = status, code, message, wait_s


class OperationFailed(RequestRefused):
    """Azure took the request, and what it began failed."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(200, code, message)


REFUSALS = (RequestRefused, HttpResponseError)
"""What a refused request raises: the door, and the SDK's clients."""


def as_fact(error: BaseException, actions: tuple[str, ...] = (), seconds: float = 0) -> Fact:
    """The fact that this error makes. Raises SetupError when nobody is signed in.

    ``actions`` are the RBAC actions of what was asked, for a 403 that names none; ``seconds`` is how long it was tried.
    """
    if isinstance(error, SetupError):
        raise error
    if isinstance(error, (ResponseLost, RequestRefused)) and error.__cause__ is not None:
        return as_fact(error.__cause__, actions, seconds)
    if isinstance(error, ResponseLost):
        return _failed("unreadable", detail=words(error))
    if isinstance(error, AnswerTooLarge):
        return _failed("too_large", mb=error.mb)
    if isinstance(error, WaitTooLong):
        if error.status == 429:
            return _failed("throttled", retry_after=round(error.seconds))
        if error.status is not None and error.status >= 500:
            return _failed("server_error", status=error.status, code="RetryAfter")
        return _failed("timeout", seconds=round(seconds))
    if isinstance(error, RemedyRefused):
        # A collector changes nothing; the SDK itself would register a missing resource provider, and was kept from it.
        unregistered = (
            "The subscription is not registered for the resource provider, and a run that reads registers none."
        )
        return _failed("conflict", code="MissingSubscriptionRegistration", message=unregistered)
    if isinstance(error, IncompleteReadError):
        return _failed("cut_off")
    if isinstance(error, (DecodeError, DeserializationError, UnicodeError, Unreadable)):
        return _failed("unreadable", detail=words(error))
    if isinstance(error, ClientAuthenticationError) and _status(error) not in (401, 403):
        raise SetupError(_SIGN_IN.format(reason=words(error))) from None
    if isinstance(error, REFUSALS):
        return _answered(refusal(error), actions)
    return _unanswered(error, seconds)


def _unanswered(error: BaseException, seconds: float) -> Fact:
    if isinstance(error, (ServiceRequestTimeoutError, ServiceResponseTimeoutError, TimeoutError)):
        return _failed("timeout", seconds=round(seconds))
    if isinstance(error, ServiceResponseError):
        return _failed("cut_off")
    if isinstance(error, ServiceRequestError):
        return _failed("unexpected", error=f"Azure was not reached: {words(error)}")
    if isinstance(error, (KeyError, TypeError, ValueError, AttributeError, IndexError)):
        return _failed("unreadable", detail=f"{type(error).__name__}: {words(error)}")
    return _failed("unexpected", error=f"{type(error).__name__}: {words(error)}")


def _answered(error: RequestRefused, actions: tuple[str, ...]) -> Fact:
    status, code, message = error.status, error.code, cut(error.message)
    if status == 401:
        raise SetupError(_SIGN_IN.format(reason=f"{code}: {message}")) from None
    if status == 403:
        # The whole message: its action and its scope stand behind the first 300 characters.
        return _denied(error.message, actions)
    if status == 404:
        return Fact(FactStatus.ABSENT, why="none")
    if status == 409:
        return _failed("conflict", code=code, message=message)
    if status == 429:
        return _failed("throttled", retry_after="?" if error.wait_s is None else f"{error.wait_s:g}")
    if status == 408 or status >= 500:
        return _failed("server_error", status=status, code=code)
    if status >= 400:
        return refused(error)
    return _failed("operation_failed", code=code, message=message)


def refused(error: BaseException) -> Fact:
    """The fact of a question that Azure did not answer, whatever the status means elsewhere."""
    found = refusal(error)
    return _failed("refused", status=found.status, code=found.code, message=cut(found.message))


def _denied(message: str, actions: tuple[str, ...]) -> Fact:
    found = _ACTION.search(message)
    action = found["action"] if found else (actions[0] if actions else "?")
    scope = (found["scope"] if found else None) or "?"
    return Fact(FactStatus.DENIED, why="missing_action", details={"action": action, "scope": sanitize.text(scope)})


def _failed(why: str, **details: object) -> Fact:
    return Fact(FactStatus.FAILED, why=why, details={name: str(value) for name, value in details.items()})


def refusal(error: BaseException) -> RequestRefused:
    """What Azure said no with, whichever of REFUSALS this is; the message is whole."""
    if isinstance(error, RequestRefused):
        return error
    response = getattr(error, "response", None)
    headers = response.headers if response is not None else {}
    outer = getattr(error, "error", None)
    code, message = code_and_message(_body(error))
    code = code or str(getattr(outer, "code", "") or "") or type(error).__name__
    message = message or str(getattr(outer, "message", "") or "") or str(error)
    return RequestRefused(_status(error), code, message, retry_after_s(headers))


def code_and_message(body: object) -> tuple[str, str]:
    """The innermost code and message of an error body, "" where it has none. Operations nest the reason."""
    code = message = ""
    inner = body.get("error", body) if isinstance(body, Mapping) else None
    while isinstance(inner, Mapping):
        lowered = {str(key).lower(): value for key, value in inner.items()}
        code, message = str(lowered.get("code") or code), str(lowered.get("message") or message)
        details = lowered.get("details")
        nested = details[0] if isinstance(details, list) and details else lowered.get("error")
        inner = nested if isinstance(nested, Mapping) else None
    return code, message


def _status(error: BaseException) -> int:
    response = getattr(error, "response", None)
    return getattr(error, "status_code", None) or getattr(response, "status_code", None) or 0


def _body(error: BaseException) -> Any:
    try:
        # Older clients' responses have no json().
        return json.loads(getattr(error, "response").text())  # noqa: B009 - mypy does not know that there is one
    except Exception:  # any body that is no JSON simply has no code in it
        return None


def words(error: BaseException) -> str:
    """The error's own words, cut and without secrets."""
    return cut(str(error))


def cut(message: str) -> str:
    """A message at most 300 characters long, on one line, without secrets."""
    line = " ".join(sanitize.text(message).split())
    return line if len(line) <= _LONGEST_MESSAGE else f"{line[:_LONGEST_MESSAGE]} …"
