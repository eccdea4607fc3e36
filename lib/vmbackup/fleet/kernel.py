"""The kernel inside a forked child: ipykernel's own shell and handlers, with one socket instead of ZeroMQ.

``prepare_kernel`` builds it once in the zygote, before any fork; ``serve`` runs it in the child until the engine hangs
up.
"""

from __future__ import annotations

import asyncio
import contextlib
import io
import logging
import os
import random
import select
import signal
import socket
import sys
import sysconfig
import threading
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from ipykernel.ipkernel import IPythonKernel
from tornado.ioloop import IOLoop
from traitlets.config import Config

from vmbackup.fleet.messages import IOPUB, SHELL, Frames, SocketSession

FLUSH_EVERY_S = 0.2
_CHUNK = 1 << 16
_LOG = logging.getLogger("vmbackup.fleet.kernel")


class Stream(io.TextIOBase):
    """``sys.stdout`` or ``sys.stderr`` of a notebook: text becomes stream messages, one for each flush."""

    def __init__(self, kernel: IPythonKernel, name: str, fd: int) -> None:
        self._kernel, self.name, self._fd = kernel, name, fd
        self._text = io.StringIO()
        self._lock = threading.RLock()

    @property
    def encoding(self) -> str:  # type: ignore[override]
        """As in any kernel."""
        return "UTF-8"

    def fileno(self) -> int:
        """The descriptor that programs started by the notebook write to."""
        return self._fd

    def isatty(self) -> bool:
        """Nobody types here."""
        return False

    def writable(self) -> bool:
        """It is an output."""
        return True

    def write(self, text: str) -> int:
        """Keep the text until the next flush."""
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text)}")
        with self._lock:
            self._text.write(text)
        return len(text)

    def flush(self) -> None:
        """Send what was written."""
        with self._lock:
            text = self._text.getvalue()
            if not text:
                return
            self._text = io.StringIO()
        kernel = self._kernel
        kernel.session.send(IOPUB, "stream", {"name": self.name, "text": text}, parent=kernel.get_parent("shell"))


class SocketKernel(IPythonKernel):  # type: ignore[misc]  # traitlets' base is untyped
    """ipykernel's kernel; a notebook's requests come one at a time, so an error has no queue to abort."""

    shell_channel_thread = SimpleNamespace(parent_thread=threading.main_thread())

    def _abort_queues(self, subshell_id: str | None = None) -> None:
        pass


def prepare_kernel() -> IPythonKernel:
    """A kernel that has its shell, but no socket yet. Starts no thread: a history would."""
    config = Config()
    config.HistoryManager.enabled = False
    config.HistoryManager.hist_file = ":memory:"
    config.SocketKernel._execute_sleep = 0.0  # ipykernel's wait for ZeroMQ
    kernel: IPythonKernel = SocketKernel.instance(config=config, session=SocketSession(), iopub_socket=IOPUB, log=_LOG)
    kernel.shell_handlers["modules_request"] = _modules_request
    asyncio.run(_rehearse(kernel))
    return kernel


async def _rehearse(kernel: IPythonKernel) -> None:
    """Handle one request that leaves nothing behind but the caches that each first cell would fill."""
    kernel.io_loop = IOLoop.current()
    content = {"code": "display(None)", "silent": False, "store_history": False}
    request = kernel.session.msg("execute_request", content)
    await _handle(kernel, kernel.session.read([kernel.session.document(request)]))


def _modules_request(stream: bytes, ident: object, parent: dict[str, Any]) -> None:
    """Tell which installed modules the notebook imported, in the order of their import."""
    kernel = SocketKernel.instance()
    homes = tuple(sysconfig.get_path(name) for name in ("stdlib", "purelib", "platlib"))
    ours = str(Path(__file__).parents[2])
    files = ((name, getattr(module, "__file__", None) or "") for name, module in list(sys.modules.items()))
    installed = [name for name, file in files if file.startswith((*homes, ours)) and name != "__main__"]
    kernel.session.send(stream, "modules_reply", {"modules": installed}, parent=parent)


def serve(kernel: IPythonKernel, connected: socket.socket) -> None:
    """Answer the engine's requests on this socket until it hangs up."""
    _reseed_randomness()
    signal.signal(signal.SIGINT, signal.default_int_handler)
    session: SocketSession = kernel.session
    session.session = os.urandom(16).hex()
    session.connect(connected)
    outputs = [_Captured(kernel, name, fd) for name, fd in (("stdout", 1), ("stderr", 2))]
    sys.stdout, sys.stderr = (output.stream for output in outputs)
    threading.Thread(target=_flush_often, args=(outputs,), daemon=True).start()
    kernel.shell.init_environment()
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    loop.run_until_complete(_answer(kernel, connected, outputs))


async def _answer(kernel: IPythonKernel, connected: socket.socket, outputs: list[_Captured]) -> None:
    kernel.io_loop = IOLoop.current()
    frames = Frames()
    while True:
        while (frame := frames.next()) is None:
            try:
                data = connected.recv(_CHUNK)
            except ConnectionResetError:
                return
            if not data:
                return
            frames.feed(data)
        await _handle(kernel, kernel.session.read(frame[1]))
        for output in outputs:
            output.flush()
        kernel._publish_status("idle", "shell")


async def _handle(kernel: IPythonKernel, message: dict[str, Any]) -> None:
    kernel.set_parent([], message, channel="shell")
    kernel._publish_status("busy", "shell")
    handler = kernel.shell_handlers.get(message["header"]["msg_type"])
    try:
        if handler is not None:
            kernel.pre_handler_hook()
            answered = handler(SHELL, [], message)
            if asyncio.iscoroutine(answered):
                await answered
    except KeyboardInterrupt:
        pass  # an interrupt that came when nothing was running any more
    finally:
        kernel.post_handler_hook()


class _Captured:
    """A notebook's output under ``sys.stdout`` or ``sys.stderr``, and what programs write to its descriptor."""

    def __init__(self, kernel: IPythonKernel, name: str, fd: int) -> None:
        self._reader, writer = os.pipe()
        os.set_blocking(self._reader, False)
        os.dup2(writer, fd)
        os.close(writer)
        self._reading = threading.Lock()
        self.stream = Stream(kernel, name, fd)

    def fileno(self) -> int:
        """Readable when a program wrote something."""
        return self._reader

    def flush(self) -> None:
        """Send what was written until now, by whomever."""
        with self._reading, contextlib.suppress(BlockingIOError):
            while data := os.read(self._reader, _CHUNK):
                self.stream.write(data.decode("utf-8", "replace"))
        self.stream.flush()


def _flush_often(outputs: list[_Captured]) -> None:
    """Send what a long cell writes while it runs; a program that writes much is never kept waiting by a full pipe."""
    while True:
        select.select(outputs, [], [], FLUSH_EVERY_S)
        time.sleep(FLUSH_EVERY_S / 4)  # what is written in one go is sent as one message
        for output in outputs:
            output.flush()


def _reseed_randomness() -> None:
    random.seed()
    numpy = sys.modules.get("numpy")
    if numpy is not None:
        numpy.random.seed()
