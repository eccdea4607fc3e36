"""An answer is measured while it is read: neither its size nor its slowness is up to the server."""

from __future__ import annotations

import gzip
import time
import tracemalloc
from io import BytesIO

import pytest
import requests
from azure.core.exceptions import DecodeError, IncompleteReadError, ServiceResponseError, ServiceResponseTimeoutError
from azure.core.rest import HttpRequest
from requests.adapters import HTTPAdapter
from urllib3 import HTTPResponse
from urllib3.exceptions import ProtocolError, ReadTimeoutError

from vmbackup.arm.call import calling
from vmbackup.arm.transport import LARGEST_ANSWER_MB, LARGEST_CALL_MB, AnswerTooLarge, Transport

MB = 1 << 20
REQUEST = HttpRequest("GET", "https://management.azure.com/x")


class Body(BytesIO):
    """Hands out its bytes as a connection would; ``wait_s`` before each piece of ``piece`` bytes."""

    def __init__(self, data: bytes, piece: int = 1 << 16, wait_s: float = 0.0, error: Exception | None = None) -> None:
        super().__init__(data)
        self.piece, self.wait_s, self.error = piece, wait_s, error
        self.reads = 0

    def read1(self, size: int | None = -1, /) -> bytes:
        self.reads += 1
        time.sleep(self.wait_s)
        if self.error:
            raise self.error
        return super().read1(min(self.piece, size) if size and size > 0 else self.piece)


class Adapter(HTTPAdapter):
    """Answers with these bytes."""

    def __init__(self, body: Body, **headers: str) -> None:
        super().__init__()
        self.body, self.named = body, {name.replace("_", "-"): value for name, value in headers.items()}

    def send(self, request: requests.PreparedRequest, *_: object, **__: object) -> requests.Response:
        return self.build_response(request, HTTPResponse(self.body, self.named, 200, preload_content=False))


def test_an_answer_arrives_whole_and_decoded() -> None:
    data = b'{"value": 1}' * 100_000
    answer = Transport(Adapter(Body(gzip.compress(data)), Content_Encoding="gzip")).send(REQUEST)
    assert answer.read() == data


def test_a_bomb_is_put_out_while_it_unpacks() -> None:
    bomb = gzip.compress(bytes(200 * MB), 9)
    tracemalloc.start()
    try:
        with pytest.raises(AnswerTooLarge):
            Transport(Adapter(Body(bomb), Content_Encoding="gzip")).send(REQUEST)
        assert tracemalloc.get_traced_memory()[1] < 2.5 * LARGEST_ANSWER_MB * MB
    finally:
        tracemalloc.stop()


def test_an_answer_that_announces_too_much_is_not_read_at_all() -> None:
    body = Body(bytes(10))
    with pytest.raises(AnswerTooLarge) as refused:
        Transport(Adapter(body, Content_Length=str(50 * MB))).send(REQUEST)
    assert (refused.value.mb, body.reads) == ("50", 0)


def test_many_answers_to_one_call_are_bounded_together() -> None:
    with calling() as call:
        for _ in range(LARGEST_CALL_MB // LARGEST_ANSWER_MB):
            Transport(Adapter(Body(bytes(LARGEST_ANSWER_MB * MB), piece=MB))).send(REQUEST)
        with pytest.raises(AnswerTooLarge):
            Transport(Adapter(Body(b"x"))).send(REQUEST)
    assert call.received == LARGEST_CALL_MB * MB + 1


def test_a_trickle_does_not_outlive_the_deadline() -> None:
    begun = time.monotonic()
    with calling(deadline_s=0.2), pytest.raises(TimeoutError):
        Transport(Adapter(Body(bytes(10_000), piece=1, wait_s=0.01))).send(REQUEST)
    assert time.monotonic() - begun < 5


@pytest.mark.parametrize(
    ("body", "headers", "error"),
    [
        (Body(b"half"), {"Content-Length": "8"}, IncompleteReadError),
        (Body(b"no gzip at all"), {"Content-Encoding": "gzip"}, DecodeError),
        (Body(b"", error=ReadTimeoutError(None, "", "silence")), {}, ServiceResponseTimeoutError),  # type: ignore[arg-type]
        (Body(b"", error=ProtocolError("reset")), {}, ServiceResponseError),
        (Body(b"", error=ConnectionResetError()), {}, ServiceResponseError),
    ],
    ids=["cut off", "not compressed", "silence", "protocol", "reset"],
)
def test_a_broken_answer_raises_what_the_sdk_would(body: Body, headers: dict[str, str], error: type[Exception]) -> None:
    with pytest.raises(error):
        Transport(Adapter(body, **headers)).send(REQUEST)
