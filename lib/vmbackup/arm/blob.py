"""Reads the end of a blob whose address carries its own permission. No sign-in is sent, and the address is not kept."""

from __future__ import annotations

import time

import requests
from urllib3.exceptions import HTTPError

from vmbackup.arm.audience import ForeignHost
from vmbackup.arm.call import remaining_s
from vmbackup.arm.errors import Unreadable
from vmbackup.sanitize import shortened

_LONGEST_SILENCE_S = 30.0
_LONGEST_S = 120.0
_CHUNK = 256 * 1024


def newest_part(session: requests.Session, address: str, most_bytes: int) -> tuple[bytes, bool]:
    """At most this many bytes from its end, and whether something in front of them was left out.

    Raises Unreadable for anything but the blob itself, and TimeoutError when it cannot be read by the deadline.
    """
    if not address.startswith("https://"):
        raise ForeignHost(shortened(address.partition(":")[0], 20))
    newest, size = b"", 0
    end = time.monotonic() + min(_LONGEST_S, remaining_s())
    silence = max(1.0, min(_LONGEST_SILENCE_S, remaining_s()))
    try:
        # Said again, or a bundle that the environment names would be preferred to the session's.
        with session.get(
            address, timeout=silence, stream=True, allow_redirects=False, verify=session.verify
        ) as response:
            if response.status_code != requests.codes.ok:
                raise Unreadable(f"the log's storage answered with {response.status_code}")
            while chunk := response.raw.read1(_CHUNK, decode_content=True):
                newest, size = (newest + chunk)[-most_bytes:], size + len(chunk)
                if time.monotonic() > end:
                    raise TimeoutError
    except (requests.RequestException, HTTPError) as error:
        # The error's own words hold the address, and with it the signature.
        raise TimeoutError(type(error).__name__) from None
    return newest, size > most_bytes
