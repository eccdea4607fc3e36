"""How long Azure asks to wait is understood in each of its forms, and no wait outlives the deadline."""

from types import SimpleNamespace
from typing import Any

import pytest

from vmbackup.arm.client import Arm, Response


class Polled:
    """An answer that says, for ever, that the operation goes on."""

    status_code = 202
    headers = {"Retry-After": "86400"}

    def read(self) -> bytes:
        return b'{"status": "InProgress"}'


def running(request: Any, options: Any) -> Any:
    return SimpleNamespace(http_response=Polled())


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "17"}, 17),
        ({"x-ms-retry-after-ms": "500", "Retry-After": "17"}, 0.5),
        ({"Retry-After": "Mon, 23 Nov 2026 03:00:30 GMT", "Date": "Mon, 23 Nov 2026 03:00:00 GMT"}, 30),
        ({"Retry-After": "Mon, 23 Nov 2026 02:00:00 GMT", "Date": "Mon, 23 Nov 2026 03:00:00 GMT"}, 10),
        ({"Retry-After": "Mon, 23 Nov 2026 03:00:30 GMT"}, 10),
        ({"Retry-After": "soon"}, 10),
        ({"Retry-After": "-5"}, 10),
        ({}, 10),
    ],
)
def test_the_wait_is_what_azure_asks_for_else_the_usual_one(headers: dict[str, str], seconds: float) -> None:
    arm = Arm(running, "https://127.0.0.1", lambda pause: None, interval_s=10)
    assert arm.wait_s(Response(429, headers=headers)) == seconds


def test_an_operation_is_not_waited_for_beyond_the_deadline() -> None:
    pauses: list[float] = []
    arm = Arm(running, "https://127.0.0.1", pauses.append)
    assert arm.poll("https://127.0.0.1/operations/1", deadline_s=60).how == "timeout"
    assert pauses == [60]
