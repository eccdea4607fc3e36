"""Jupyter messages over a stream socket, between the engine and a forked kernel.

A frame is one channel byte, the number of parts, each part's length, then the parts: the message as one JSON document,
and its buffers.
JSON, never pickle: what a kernel sends is text to the engine, and nothing of it is executed there.
"""

from __future__ import annotations

import json
import logging
import socket
import struct
import threading
from datetime import datetime
from typing import Any

from jupyter_client.session import Session

IOPUB, SHELL = b"i", b"s"
_HEAD = struct.Struct("!cI")
_LENGTH = struct.Struct("!I")
_SILENT = logging.Logger("vmbackup.fleet.messages", logging.CRITICAL)  # it warns that nothing is signed
_FIELDS = ("header", "parent_header", "metadata", "content")
LARGEST_FRAME = 256 * 1024 * 1024
"""Bytes; a kernel that sends more in one message counts as broken."""


class BrokenFrame(ValueError):
    """The data is not a frame."""


def pack_frame(channel: bytes, parts: list[bytes]) -> bytes:
    """One frame."""
    lengths = b"".join(_LENGTH.pack(len(part)) for part in parts)
    return b"".join((_HEAD.pack(channel, len(parts)), lengths, *parts))


class Frames:
    """Takes bytes as they arrive and gives whole frames."""

    def __init__(self) -> None:
        self._bytes = bytearray()

    def feed(self, data: bytes) -> None:
        """Take what was read from the socket."""
        self._bytes += data

    def next(self) -> tuple[bytes, list[bytes]] | None:
        """The next frame, None while it is not whole. Raises BrokenFrame for one that is too large to be ours."""
        held = self._bytes
        if len(held) < _HEAD.size:
            return None
        channel, count = _HEAD.unpack_from(held)
        body = _HEAD.size + count * _LENGTH.size
        if channel not in (IOPUB, SHELL) or body > LARGEST_FRAME:
            raise BrokenFrame(f"a frame of channel {channel!r} with {count} parts")
        if len(held) < body:
            return None
        lengths = [_LENGTH.unpack_from(held, _HEAD.size + at * _LENGTH.size)[0] for at in range(count)]
        end = body + sum(lengths)
        if end > LARGEST_FRAME:
            raise BrokenFrame(f"a frame of {end} bytes")
        if len(held) < end:
            return None
        parts, at = [], body
        for length in lengths:
            parts.append(bytes(held[at : at + length]))
            at += length
        del held[:end]
        return channel, parts


class SocketSession(Session):  # type: ignore[misc]  # traitlets' base is untyped
    """A session whose messages go to one socket; the stream it is asked to send to is the name of the channel."""

    log = _SILENT

    def __init__(self, **traits: Any) -> None:
        super().__init__(key=b"", **traits)
        self._socket: socket.socket | None = None
        self._sending = threading.Lock()
        self._held = b""

    def connect(self, connected: socket.socket) -> None:
        """Send to this socket from now on."""
        self._socket = connected

    def send(
        self,
        stream: Any,
        msg_or_type: Any,
        content: Any = None,
        parent: Any = None,
        ident: Any = None,
        buffers: Any = None,
        track: bool = False,
        header: Any = None,
        metadata: Any = None,
    ) -> Any:
        """Send one message; returns it. The arguments are jupyter_client's."""
        if isinstance(msg_or_type, dict):
            message = dict(msg_or_type)
            buffers = buffers or message.get("buffers", [])
        else:
            message = self.msg(msg_or_type, content=content, parent=parent, header=header, metadata=metadata)
        frame = pack_frame(stream, [self.document(message), *(bytes(memoryview(buffer)) for buffer in buffers or ())])
        if self._socket is not None:
            with self._sending:
                frames, self._held = self._held + frame, b""
                if _is_followed_at_once(stream, message):
                    self._held = frames
                else:
                    self._socket.sendall(frames)
        return message

    def document(self, message: dict[str, Any]) -> bytes:
        """The message without its buffers."""
        return bytes(self.pack([message[field] for field in _FIELDS]))

    def read(self, parts: list[bytes]) -> dict[str, Any]:
        """The message in a frame, as :meth:`deserialize` gives it; of its times only the one that nbclient records."""
        header, parent, metadata, content = json.loads(parts[0])
        header["date"] = datetime.fromisoformat(header["date"].replace("Z", "+00:00"))
        return {
            "header": header,
            "msg_id": header["msg_id"],
            "msg_type": header["msg_type"],
            "parent_header": parent,
            "metadata": metadata,
            "content": content,
            "buffers": [memoryview(part) for part in parts[1:]],
        }


def _is_followed_at_once(channel: bytes, message: dict[str, Any]) -> bool:
    """Whether another message follows at once: the input after "busy", "idle" after a reply. Sent together, they wake
    the engine only once."""
    return channel == SHELL or message["content"].get("execution_state") == "busy"
