"""The SDK's own transport with bounds: a response is measured while it is read, and neither silence nor a trickle of
bytes exceeds the deadline."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import requests
from azure.core.exceptions import (
    DecodeError,
    IncompleteReadError,
    ServiceResponseError,
    ServiceResponseTimeoutError,
)
from azure.core.pipeline.transport import RequestsTransport
from requests.adapters import BaseAdapter, HTTPAdapter
from urllib3 import HTTPResponse
from urllib3.exceptions import DecodeError as ContentNotDecoded
from urllib3.exceptions import HTTPError, IncompleteRead, ReadTimeoutError

from vmbackup.arm.call import current, remaining_s
from vmbackup.model import RunbookError

_MB = 1024**2
LARGEST_ANSWER_MB = 20
LARGEST_CALL_MB = 100
"""How much all responses to one call may hold together: many pages must not fill the memory either."""
LONGEST_SILENCE_S = 60.0
LONGEST_ANSWER_S = 120.0
_CHUNK = 64 * 1024
_PARALLEL = 48


# Not an AzureError: the SDK would read the huge response again.
class AnswerTooLarge(RunbookError):
    """A response too large to be real; ``mb`` is its size as far as it is known."""

    def __init__(self, mb: str) -> None:
        super().__init__("error.answer_too_large", mb=mb)
        self.mb = mb


class Transport(RequestsTransport):  # type: ignore[misc]  # the SDK's base is untyped
    """Sends requests with ``adapter``, by default over the network; ``ca_file`` are the certificates to trust."""

    def __init__(self, adapter: BaseAdapter | None = None, ca_file: str | None = None) -> None:
        session = requests.Session()
        network = HTTPAdapter(pool_connections=_PARALLEL, pool_maxsize=_PARALLEL, max_retries=0)
        session.mount("https://", adapter or network)
        session.verify = ca_file or True
        super().__init__(session=session, session_owner=False, connection_verify=ca_file or True)

    def send(self, request: Any, **options: Any) -> Any:
        """Send one request and read its answer. Raises TimeoutError when there is no time left for it, and
        AnswerTooLarge."""
        remaining = remaining_s()
        if remaining <= 0:
            raise TimeoutError
        options.setdefault("read_timeout", max(1.0, min(LONGEST_SILENCE_S, remaining)))
        answer = super().send(request, **{**options, "stream": True})
        received: requests.Response = answer.internal_response
        try:
            # Where requests itself keeps the content, and where the SDK looks for it.
            received._content = b"".join(_chunks(received.raw))
            received._content_consumed = True  # type: ignore[attr-defined]
        except Exception:
            received.close()
            raise
        if hasattr(answer, "read"):
            answer.read()
        return answer


def _chunks(raw: HTTPResponse) -> Iterator[bytes]:
    """The decoded content as it arrives. Raises AnswerTooLarge, TimeoutError, or the SDK's error for a broken one."""
    announced = raw.headers.get("Content-Length") or ""
    if announced.isdecimal() and int(announced) > LARGEST_ANSWER_MB * _MB:
        raise AnswerTooLarge(str(int(announced) // _MB))
    end = time.monotonic() + min(LONGEST_ANSWER_S, remaining_s())
    size, call = 0, current()
    while chunk := _chunk(raw):
        size += len(chunk)
        if call is not None:
            call.received += len(chunk)
        if size > LARGEST_ANSWER_MB * _MB or (call is not None and call.received > LARGEST_CALL_MB * _MB):
            raise AnswerTooLarge(f">{(size if call is None else call.received) // _MB}")
        if time.monotonic() > end:
            raise TimeoutError
        yield chunk


def _chunk(raw: HTTPResponse) -> bytes:
    try:
        # Only what has arrived: a server that sends a byte a second must not keep us waiting.
        return raw.read1(_CHUNK, decode_content=True)
    except ReadTimeoutError as error:
        raise ServiceResponseTimeoutError(str(error), error=error) from error
    except ContentNotDecoded as error:
        raise DecodeError(str(error), error=error) from error
    except (HTTPError, OSError) as error:
        is_incomplete = any(isinstance(each, IncompleteRead) for each in (error, *error.args))
        raise (IncompleteReadError if is_incomplete else ServiceResponseError)(str(error), error=error) from error
