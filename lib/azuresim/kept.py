"""What outlives a simulator's process, in a folder: how it is reached and trusted, and every request that it was sent.

    ca.pem, server.pem    its certificates
    door.json             its port, and the secrets of its tokens
    requests.jsonl        each request in a line: [method, target, headers, body]; written before it is answered

Nothing in the core depends on chance or on a clock of its own. Whoever starts next with the folder is sent the same
requests, and then knows what the one before knew, also of a request whose answer was lost as that one was killed.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from azuresim.tokens import Tokens

_DOOR, _REQUESTS = "door.json", "requests.jsonl"


class Sent(NamedTuple):
    """One request as it came: ``target`` is the path with its query, still percent-encoded."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes


class Kept:
    """The folder; it is made where there is none."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.requests = requests(folder)
        whole = b"".join(map(_line, self.requests))
        self._file = os.open(folder / _REQUESTS, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        # A line that was cut off: its request was not answered.
        os.truncate(self._file, len(whole))

    def door(self) -> tuple[int, Tokens] | None:
        """Port and tokens of whoever was here before; None the first time."""
        file = self.folder / _DOOR
        if not file.exists():
            return None
        found = json.loads(file.read_text("utf-8"))
        return found["port"], Tokens(bytes.fromhex(found["key"]), found["header"])

    def keep_door(self, port: int, tokens: Tokens) -> None:
        """Note where it is, and which tokens it knows."""
        found = {"port": port, "key": tokens.key.hex(), "header": tokens.header}
        (self.folder / _DOOR).write_text(json.dumps(found), "utf-8")

    def add(self, sent: Sent) -> None:
        """Note a request."""
        os.write(self._file, _line(sent))

    def close(self) -> None:
        """Note no more."""
        os.close(self._file)


def requests(folder: Path) -> list[Sent]:
    """All that was sent to the simulator of this folder, oldest first."""
    found = map(json.loads, _lines(folder))
    return [Sent(method, target, headers, body.encode("latin-1")) for method, target, headers, body in found]


def count(folder: Path) -> int:
    """How many requests were sent."""
    return len(_lines(folder))


def _lines(folder: Path) -> list[bytes]:
    file = folder / _REQUESTS
    whole, _, _ = (file.read_bytes() if file.exists() else b"").rpartition(b"\n")
    return whole.splitlines()


def _line(sent: Sent) -> bytes:
    return json.dumps([*sent[:2], dict(sent.headers), sent.body.decode("latin-1")]).encode() + b"\n"
