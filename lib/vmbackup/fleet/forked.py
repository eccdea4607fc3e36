"""A forked kernel and its client, as nbclient sees a kernel manager and a kernel client."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import time
from collections import deque
from queue import Empty
from types import SimpleNamespace
from typing import Any

from nbclient.exceptions import DeadKernelError

from vmbackup.fleet.messages import IOPUB, SHELL, Frames, SocketSession, pack_frame
from vmbackup.fleet.nursery import ZygoteGone, ask_zygote

MEMORY_MB = "VMBACKUP_KERNEL_MEMORY_MB"
DEFAULT_MEMORY_MB = 2048
_CHUNK = 1 << 16


class KernelDied(DeadKernelError):  # type: ignore[misc]
    """The kernel ended in the middle of a cell; the message says how."""


class ForkedKernel:
    """A forked kernel, as nbclient's kernel manager sees it."""

    has_kernel = True
    ipykernel = True

    def __init__(self) -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            request = {
                "environment": dict(os.environ),
                "directory": os.getcwd(),
                "memory_mb": int(os.environ.get(MEMORY_MB, DEFAULT_MEMORY_MB)),
            }
            forked = ask_zygote({"fork": request}, (theirs.fileno(),))
        self.pid, self.rehearsal = int(forked["pid"]), bool(forked["rehearsal"])
        self.status: int | None = None
        self.cpu_s = 0.0
        self._client = SocketClient(ours, self)

    def client(self) -> SocketClient:
        """The one client of this kernel."""
        return self._client

    def is_alive(self) -> bool:
        """Whether the kernel still holds its end of the socket."""
        return not self._client.ended

    def interrupt_kernel(self) -> None:
        """As Ctrl-C; the programs that the notebook started get it as well."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGINT)

    def shutdown_kernel(self, now: bool = False) -> None:
        """End the kernel and all it started."""
        if self.status is None:
            try:
                ended = ask_zygote({"end": self.pid})
            except ZygoteGone:  # and with it every kernel that it forked
                ended = {"status": None, "cpu_s": None}
            # A zygote that did not fork this kernel replaced one that died, and the kernel died with that one.
            self.status = signal.SIGKILL if ended["status"] is None else int(ended["status"])
            self.cpu_s = float(ended["cpu_s"] or 0)

    def cleanup_resources(self) -> None:
        """Nothing is left."""

    def death(self) -> str:
        """How it ended, in words."""
        self.shutdown_kernel()
        assert self.status is not None
        if os.WIFSIGNALED(self.status):
            return f"Kernel died ({signal.Signals(os.WTERMSIG(self.status)).name})"
        return f"Kernel died (exit code {os.waitstatus_to_exitcode(self.status)})"


class SocketClient:
    """nbclient's kernel client over one socket: what comes is sorted into the two channels that nbclient reads."""

    def __init__(self, connected: socket.socket, kernel: ForkedKernel) -> None:
        connected.setblocking(False)
        self._socket, self._kernel = connected, kernel
        self._frames, self.session = Frames(), SocketSession()
        self._waiting: dict[bytes, deque[dict[str, Any]]] = {IOPUB: deque(), SHELL: deque()}
        self._readable: asyncio.Future[None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self.allow_stdin = False
        self.ended = False
        self.iopub_channel = SimpleNamespace(get_msg=self._getter(IOPUB))
        self.shell_channel = SimpleNamespace(get_msg=self._getter(SHELL), send=self._send)

    def execute(self, code: str, store_history: bool = True, stop_on_error: bool = True) -> str:
        """Ask for one cell; returns the request's id."""
        content = {
            "code": code,
            "silent": False,
            "store_history": store_history,
            "user_expressions": {},
            "allow_stdin": False,
            "stop_on_error": stop_on_error,
        }
        return self._send(self.session.msg("execute_request", content))

    def kernel_info(self) -> str:
        """Ask what language this is; returns the request's id."""
        return self.ask("kernel_info_request")

    def ask(self, request: str) -> str:
        """Send a request without content; returns its id."""
        return self._send(self.session.msg(request))

    def is_alive(self) -> bool:
        """Whether the kernel still answers."""
        return not self.ended

    def start_channels(self) -> None:
        """They are open."""

    def wait_for_ready(self, timeout: float | None = None) -> None:
        """A forked kernel is ready: its first request waits in the socket."""

    def stop_channels(self) -> None:
        """Hang up."""
        self.ended = True
        if self._loop is not None:  # whose number is free when the socket is closed, and soon another's
            self._loop.remove_reader(self._socket)
        self._socket.close()

    def _send(self, message: dict[str, Any]) -> str:
        data = pack_frame(SHELL, [self.session.document(message)])
        try:
            self._socket.setblocking(True)
            self._socket.sendall(data)
            self._socket.setblocking(False)
        except OSError:
            self.ended = True
            raise KernelDied(self._kernel.death()) from None
        return str(message["header"]["msg_id"])

    def _getter(self, channel: bytes) -> Any:
        async def get_msg(timeout: float | None = None) -> dict[str, Any]:
            waiting = self._waiting[channel]
            until = None if timeout is None else time.monotonic() + timeout
            while not waiting:
                if not self._read():
                    await self._until_readable(until)
            return waiting.popleft()

        return get_msg

    def _read(self) -> bool:
        """Take what lies in the socket; False when nothing does. Raises KernelDied at its end."""
        try:
            data = self._socket.recv(_CHUNK)
        except BlockingIOError:
            return False
        except OSError:
            data = b""
        if not data:
            self.ended = True
            raise KernelDied(self._kernel.death())
        self._frames.feed(data)
        while (frame := self._frames.next()) is not None:
            channel, parts = frame
            self._waiting[channel].append(self.session.read(parts))
        self._wake()
        return True

    def _wake(self) -> None:
        if self._readable is not None and not self._readable.done():
            self._readable.set_result(None)

    async def _until_readable(self, until: float | None) -> None:
        """Wait for the socket; both channels wait for the same. Raises Empty at the end of the time."""
        self._loop = loop = asyncio.get_running_loop()
        if self._readable is None or self._readable.done():
            self._readable = loop.create_future()
            loop.add_reader(self._socket, self._on_readable)
        left = None if until is None else max(0.0, until - time.monotonic())
        await asyncio.wait([self._readable], timeout=left)
        if not self._readable.done() and until is not None and time.monotonic() >= until:
            raise Empty

    def _on_readable(self) -> None:
        asyncio.get_running_loop().remove_reader(self._socket)
        self._wake()
