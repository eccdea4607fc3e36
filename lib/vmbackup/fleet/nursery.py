"""The zygote as its users see it: started once for a process, or shared by the processes of a machine."""

from __future__ import annotations

import atexit
import contextlib
import ctypes
import json
import os
import select
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ZYGOTE = "VMBACKUP_ZYGOTE"
"""Environment variable with the socket of a zygote that is shared by the processes of a machine."""
_START_S = 60.0
_END_S = 5.0
_ANSWER_S = 120
_CHUNK = 1 << 16
_PR_SET_PDEATHSIG = 1
# OpenBLAS and Arrow would start threads when they are imported, and with them pandas; ipykernel's debugger warns of
# frozen modules although nobody debugs.
_ZYGOTES_ENVIRONMENT = {
    "OPENBLAS_NUM_THREADS": "1",
    "JE_ARROW_MALLOC_CONF": "background_thread:false",
    "PYDEVD_DISABLE_FILE_VALIDATION": "1",
}


class ZygoteGone(RuntimeError):
    """The process that forks kernels did not start, ended, or does not answer."""


class ZygoteProcess:
    """A zygote started by this process; it ends when this process ends, however that happens."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="vmbackup-zygote-")
        self.path = str(Path(self._folder.name) / "socket")
        self._process = subprocess.Popen(
            [sys.executable, "-m", "vmbackup.fleet.zygote", self.path],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
            env={**_ZYGOTES_ENVIRONMENT, **os.environ},
        )
        assert self._process.stdout is not None
        ready, _, _ = select.select([self._process.stdout], [], [], _START_S)
        if not ready or self._process.stdout.readline() != b"ready\n":
            self.close()
            raise ZygoteGone("The process that forks kernels did not start.")

    @property
    def alive(self) -> bool:
        """Whether it still runs."""
        return self._process.poll() is None

    def close(self) -> None:
        """End it and every kernel it forked."""
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(_END_S)
        self._process.kill()
        self._process.wait()
        self._folder.cleanup()


@contextlib.contextmanager
def shared_zygote() -> Iterator[str]:
    """A zygote for the processes of this machine, by its socket; "" where processes cannot be forked."""
    if not can_fork():
        yield ""
        return
    zygote = ZygoteProcess()
    try:
        yield zygote.path
    finally:
        zygote.close()


def end_with_parent(parent: int) -> None:
    """Let the system end this process when ``parent``, which started it, is gone; only Linux knows how."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent:  # it was gone before
            os.kill(os.getpid(), signal.SIGKILL)


def can_fork() -> bool:
    """Whether this system can fork kernels and tell what threads a process has."""
    return hasattr(os, "fork") and Path("/proc/self/task").exists()


_own: ZygoteProcess | None = None
_starting = threading.Lock()


def zygote_path() -> str:
    """The socket of the zygote to use: the machine's, if one is named and answers, else this process's own."""
    global _own
    shared = os.environ.get(ZYGOTE)
    if shared and Path(shared).exists():
        return shared
    with _starting:
        if _own is None or not _own.alive:
            if _own is not None:
                _own.close()
            _own = ZygoteProcess()
            atexit.register(_own.close)
        return _own.path


def ask_zygote(request: dict[str, Any], descriptors: tuple[int, ...] = ()) -> dict[str, Any]:
    """The zygote's answer to one request; see :mod:`vmbackup.fleet.zygote`. Where the machine's zygote has died, this
    process starts its own. Raises ZygoteGone; one that does not answer is not asked again."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as connection:
        # Limits of the system: Python's own would have a connection refused whenever many ask at once.
        for limit in (socket.SO_SNDTIMEO, socket.SO_RCVTIMEO):
            connection.setsockopt(socket.SOL_SOCKET, limit, struct.pack("ll", _ANSWER_S, 0))
        try:
            _connect(connection)
            socket.send_fds(connection, [json.dumps(request).encode()], descriptors)
            answer = connection.recv(_CHUNK)
        except ConnectionError:
            answer = b""
        except BlockingIOError:
            _abandon()
            raise ZygoteGone("The process that forks kernels does not answer.") from None
    if not answer:
        raise ZygoteGone("The process that forks kernels ended.")
    return dict(json.loads(answer))


def _connect(connection: socket.socket) -> None:
    try:
        connection.connect(zygote_path())
    except (ConnectionRefusedError, FileNotFoundError):
        os.environ.pop(ZYGOTE, None)
        connection.connect(zygote_path())


def _abandon() -> None:
    """Use the zygote no more. What it forked for other processes goes on."""
    if os.environ.pop(ZYGOTE, None) is None and _own is not None:
        _own.close()
