"""An error becomes a fact with its reason in words to act on; only a missing sign-in stops the run."""

from __future__ import annotations

import json
from typing import Any

import pytest
import requests
from azure.core.exceptions import (
    AzureError,
    ClientAuthenticationError,
    DecodeError,
    HttpResponseError,
    IncompleteReadError,
    ServiceRequestError,
    ServiceResponseError,
    ServiceResponseTimeoutError,
)
from azure.core.pipeline.transport import HttpRequest, RequestsTransportResponse
from azure.identity import CredentialUnavailableError

from recordings import Recording, for_each_recording
from saying import refused
from vmbackup.arm.audience import ForeignHost
from vmbackup.arm.errors import RequestRefused, Unreadable, as_fact, not_found, refusal
from vmbackup.arm.pipeline import WaitTooLong
from vmbackup.arm.transport import AnswerTooLarge
from vmbackup.model import FactStatus, RemedyRefused, SetupError


def error_of(recorded: Recording) -> HttpResponseError:
    """The SDK's own error for this answer, made of the SDK's own response."""
    answer = requests.Response()
    answer.status_code, answer._content = recorded.status, recorded.body
    answer.headers = requests.structures.CaseInsensitiveDict(recorded.headers)
    request = HttpRequest(recorded.method or "GET", recorded.uri or "https://management.azure.com/")
    return HttpResponseError(response=RequestsTransportResponse(request, answer))


def answered(status: int, body: object = "", headers: dict[str, str] | None = None) -> HttpResponseError:
    """The SDK's error for such an answer."""
    data = body.encode() if isinstance(body, str) else json.dumps(body).encode()
    return error_of(Recording("", "GET", "", status, {"Content-Type": "application/json", **(headers or {})}, data))


def body(code: str, message: str, **more: Any) -> dict[str, Any]:
    return {"error": {"code": code, "message": message, **more}}


@pytest.mark.parametrize(
    ("error", "why", "details"),
    [
        (AnswerTooLarge("50"), "too_large", {"mb": "50"}),
        (ForeignHost("evil.example"), "foreign_host", {"host": "evil.example"}),
        (WaitTooLong(600, 429), "throttled", {"retry_after": "600"}),
        (WaitTooLong(600, 503), "server_error", {"status": "503", "code": "RetryAfter"}),
        (WaitTooLong(30, 202), "timeout", {"seconds": "9"}),
        (WaitTooLong(30, None), "timeout", {"seconds": "9"}),
        (TimeoutError(), "timeout", {"seconds": "9"}),
        (ServiceResponseTimeoutError("t"), "timeout", {"seconds": "9"}),
        (ServiceResponseError("reset"), "cut_off", {}),
        (IncompleteReadError("half"), "cut_off", {}),
        (DecodeError("no JSON"), "unreadable", {"detail": "no JSON"}),
        (Unreadable("a list"), "unreadable", {"detail": "a list"}),
        (KeyError("id"), "unreadable", {"detail": "KeyError: 'id'"}),
        (TypeError("None"), "unreadable", {"detail": "TypeError: None"}),
        (ServiceRequestError("no such host"), "unexpected", {"error": "Azure was not reached: no such host"}),
        (AzureError("odd"), "unexpected", {"error": "AzureError: odd"}),
        (answered(429, body("T", "m"), {"Retry-After": "17"}), "throttled", {"retry_after": "17"}),
        (answered(429, body("T", "m")), "throttled", {"retry_after": "?"}),
        (answered(409, body("C", "m")), "conflict", {"code": "C", "message": "m"}),
        (answered(400, body("B", "m")), "refused", {"status": "400", "code": "B", "message": "m"}),
        (answered(500, body("I", "m")), "server_error", {"status": "500", "code": "I"}),
        (answered(503, "<html>"), "server_error", {"status": "503", "code": "-"}),
        (
            answered(403, "page"),
            "refused",
            {"status": "403", "code": "-", "message": "Operation returned an invalid status 'None' Content: page"},
        ),
        (
            answered(404, body("ResourceNotFound", "m")),
            "refused",
            {"status": "404", "code": "ResourceNotFound", "message": "m"},
        ),
        (
            answered(
                429,
                body("RetryableError", "m", details=[{"code": "RetryableErrorDueToAnotherOperation", "message": "n"}]),
            ),
            "conflict",
            {"code": "RetryableErrorDueToAnotherOperation", "message": "n"},
        ),
        (answered(200, {"status": "Failed", **body("F", "m")}), "operation_failed", {"code": "F", "message": "m"}),
    ],
    ids=str,
)
def test_each_kind_of_failure_has_its_reason(error: Exception, why: str, details: dict[str, str]) -> None:
    fact = as_fact(error, ("declared/read",), 9)
    assert (fact.status, fact.why, dict(fact.details)) == (FactStatus.FAILED, why, details)


@pytest.mark.parametrize(
    ("error", "is_not_there"),
    [
        (answered(404, body("ResourceNotFound", "m")), True),
        (answered(404, {"ErrorCode": "ResourceExtendedInfoNotFound", "Message": {"Value": ""}}), True),
        (RequestRefused(404, "BMSUserErrorObjectNotFound", "m"), True),
        (answered(404, body("SubscriptionNotFound", "m")), False),
        (answered(404, body("InvalidResourceType", "m")), False),
        (answered(404, "<html><title>404 Not Found</title></html>"), False),
        (answered(404), False),
        (answered(200, body("ResourceNotFound", "m")), False),
    ],
)
def test_only_azure_itself_says_that_something_is_not_there(error: Exception, is_not_there: bool) -> None:
    assert not_found(error) is is_not_there


@pytest.mark.parametrize(
    ("message", "action", "scope"),
    [
        ("The client 'c' does not have authorization to perform action 'A/read' over scope '/s' or …", "A/read", "/s"),
        (
            "The client has permission to perform action 'H/write' on scope '/h'; however, it does not have permission "
            "to perform action 'A/read' on the linked scope(s) '/s' or the linked scope(s) are invalid.",
            "A/read",
            "/s",
        ),
        (f"The client '{'c' * 300}' does … to perform action 'A/read' over scope '/s' or …", "A/read", "/s"),
        ("… is not authorized for performing action 'A/read' on scope '/s'.", "A/read", "/s"),
        ("Forbidden", "declared/read", "?"),
    ],
)
def test_a_missing_right_is_named_by_azure_or_by_the_question(message: str, action: str, scope: str) -> None:
    fact = as_fact(answered(403, body("AuthorizationFailed", message)), ("declared/read",))
    assert (fact.status, dict(fact.details)) == (FactStatus.DENIED, {"action": action, "scope": scope})


@pytest.mark.parametrize(
    "error",
    [
        answered(401, body("ExpiredAuthenticationToken", "expired")),
        CredentialUnavailableError("no credential"),
        ClientAuthenticationError("AADSTS7000215: wrong secret", response=answered(400).response),
    ],
    ids=["401", "no credential", "refused by the identity provider"],
)
def test_without_a_sign_in_there_is_nothing_to_examine(error: Exception) -> None:
    with refused("az login"):
        as_fact(error)


def test_a_setup_error_stays_one() -> None:
    with refused("no such VM"):
        as_fact(SetupError("no such VM"))


def test_a_change_that_the_sdk_wanted_by_itself_is_a_conflict() -> None:
    assert as_fact(RemedyRefused("POST /register")).why == "conflict"


def test_the_reason_of_an_operation_may_be_nested_twice() -> None:
    nested = body(
        "Outer", "o", details=[{"code": "Middle", "message": "m", "details": [{"code": "I", "message": "i"}]}]
    )
    found = refusal(answered(200, nested))
    assert (found.code, found.message) == ("I", "i")


def test_words_of_azure_are_cut_and_hold_no_secret() -> None:
    message = "see https://x.blob.core.windows.net/log?sv=1&sig=hush and " + "long " * 200
    said = as_fact(answered(409, body("C", message))).details["message"]
    assert "hush" not in said
    assert len(said) <= 302


# --- recorded ------------------------------------------------------------------------------------------------------


ERRORS = [f"error_{status}" for status in (400, 401, 403, 404, 408, 409, 412, 429, 500, 502, 503, 504)]
WHY = {
    "400": "refused",
    "403": "missing_action",
    "404": "refused",
    "408": "server_error",
    "409": "conflict",
    "412": "refused",
    "429": "throttled",
}
SPECIAL = {"429__retryableerror-": "conflict", "403__linkedauthorizationfailed": "refused"}


@for_each_recording(*ERRORS)
def test_every_error_becomes_a_fact_with_its_reason(recorded: Recording) -> None:
    kind = recorded.name.split("__")[0].removeprefix("error_")
    if kind == "401":
        with refused("az login"):
            as_fact(error_of(recorded))
        return
    fact = as_fact(error_of(recorded), ("declared/read",))
    special = next((why for word, why in SPECIAL.items() if word in recorded.name), None)
    assert fact.why == (special or WHY.get(kind, "server_error"))
    assert fact.data is None
    assert all(isinstance(value, str) and len(value) < 400 for value in fact.details.values())


@for_each_recording("error_403")
def test_a_403_names_the_missing_action_and_never_one_that_the_caller_has(recorded: Recording) -> None:
    fact = as_fact(error_of(recorded), ("declared/read",))
    if b"has permission to perform action" in recorded.body:
        assert (fact.why, fact.details["code"]) == ("refused", "LinkedAuthorizationFailed")
        return
    assert fact.status is FactStatus.DENIED
    assert fact.details["action"] in recorded.body.decode()


@for_each_recording("compute_operation")
def test_an_operation_that_failed_gives_its_innermost_reason(recorded: Recording) -> None:
    found = refusal(error_of(recorded))
    if "__failed-" in recorded.name:
        assert recorded.name.split("__failed-")[1].startswith(found.code.lower())
        assert found.message
