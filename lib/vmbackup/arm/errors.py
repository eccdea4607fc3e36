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
from vmbackup.arm.pipeline import AnswerTooLarge, WaitTooLong
from vmbackup.model import Fact, FactStatus, RemedyRefused, SetupError

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


def as_fact(error: BaseException, actions: tuple[str, ...] = (), seconds: float = 0) -> Fact:
    """The fact that this error makes. Raises SetupError when nobody is signed in.

    ``actions`` are the RBAC actions of what was asked, for a 403 that names none; ``seconds`` is how long it was tried.
    """
    if isinstance(error, SetupError):
        raise error
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
    if isinstance(error, ClientAuthenticationError) and status_of(error) not in (401, 403):
        raise SetupError(_SIGN_IN.format(reason=words(error))) from None
    if isinstance(error, HttpResponseError):
        return _answered(error, actions)
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


def _answered(error: HttpResponseError, actions: tuple[str, ...]) -> Fact:
    status, (code, message) = status_of(error), code_and_message(error)
    if status == 401:
        raise SetupError(_SIGN_IN.format(reason=f"{code}: {message}")) from None
    if status == 403:
        # The whole message: its action and its scope stand behind the first 300 characters.
        return _denied(_said(error)[1], actions)
    if status == 404:
        return Fact(FactStatus.ABSENT, why="none")
    if status == 409:
        return _failed("conflict", code=code, message=message)
    if status == 429:
        return _failed("throttled", retry_after=_header(error, "Retry-After") or "?")
    if status == 408:
        return _failed("server_error", status=status, code=code)
    if status is not None and status >= 500:
        return _failed("server_error", status=status, code=code)
    if status is not None and status >= 400:
        return refused(error)
    return _failed("operation_failed", code=code, message=message)


def refused(error: HttpResponseError) -> Fact:
    """The fact of a question that Azure did not answer, whatever the status means elsewhere."""
    code, message = code_and_message(error)
    return _failed("refused", status=status_of(error), code=code, message=message)


def _denied(message: str, actions: tuple[str, ...]) -> Fact:
    found = _ACTION.search(message)
    action = found["action"] if found else (actions[0] if actions else "?")
    scope = (found["scope"] if found else None) or "?"
    return Fact(FactStatus.DENIED, why="missing_action", details={"action": action, "scope": sanitize.text(scope)})


def _failed(why: str, **details: object) -> Fact:
    return Fact(FactStatus.FAILED, why=why, details={name: str(value) for name, value in details.items()})


def code_and_message(error: HttpResponseError) -> tuple[str, str]:
    """The innermost code and message that Azure gave, the message cut to one line."""
    code, message = _said(error)
    return code, cut(message)


def _said(error: HttpResponseError) -> tuple[str, str]:
    """Operations nest the reason, some of them twice and as text."""
    code, message = "", ""
    found: Any = getattr(error, "error", None)
    if found is not None:
        code, message = str(getattr(found, "code", "") or ""), str(getattr(found, "message", "") or "")
    body = _body(error)
    inner = body.get("error", body) if isinstance(body, Mapping) else None
    while isinstance(inner, Mapping):
        lowered = {str(key).lower(): value for key, value in inner.items()}
        code, message = str(lowered.get("code") or code), str(lowered.get("message") or message)
        details = lowered.get("details")
        nested = details[0] if isinstance(details, list) and details else lowered.get("error")
        inner = nested if isinstance(nested, Mapping) else None
    return code or type(error).__name__, message or str(error)


def _body(error: HttpResponseError) -> Any:
    try:
        # Older clients' responses have no json().
        return json.loads(_response(error).text())
    except Exception:  # any body that is no JSON simply has no code in it
        return None


def _response(error: HttpResponseError) -> Any:
    return getattr(error, "response", None)


def status_of(error: HttpResponseError) -> int | None:
    """The HTTP status of the answer, if there was one."""
    response = _response(error)
    return error.status_code or (response.status_code if response is not None else None)


def _header(error: HttpResponseError, name: str) -> str | None:
    response = _response(error)
    return response.headers.get(name) if response is not None else None


def words(error: BaseException) -> str:
    """The error's own words, cut and without secrets."""
    return cut(str(error))


def cut(message: str) -> str:
    """A message at most 300 characters long, on one line, without secrets."""
    line = " ".join(sanitize.text(message).split())
    return line if len(line) <= _LONGEST_MESSAGE else f"{line[:_LONGEST_MESSAGE]} …"
