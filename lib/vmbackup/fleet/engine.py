"""A papermill engine that runs each notebook in a warm kernel: ``papermill --engine vmbackup in.ipynb out.ipynb``.

Kernel start and imports are most of a headless run. Here a zygote has done both once, and each notebook gets a forked
child of it, isolated like any process. What papermill and nbclient do with the messages is theirs, unchanged. Where
processes cannot be forked (Windows), papermill's own engine runs the notebook, and says so in the log.
"""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import deque
from pathlib import Path
from queue import Empty
from types import SimpleNamespace
from typing import Any

from nbclient.exceptions import CellExecutionError, DeadKernelError
from papermill.clientwrap import PapermillNotebookClient
from papermill.engines import NBClientEngine, NotebookExecutionManager
from papermill.log import logger
from papermill.utils import merge_kwargs, remove_args

from vmbackup.fleet.messages import IOPUB, SHELL, Frames, SocketSession, packed

ZYGOTE = "VMBACKUP_ZYGOTE"
"""Environment variable with the socket of a zygote that is shared by the processes of a machine."""
MEMORY_MB = "VMBACKUP_KERNEL_MEMORY_MB"
DEFAULT_MEMORY_MB = 2048
SAVE_EVERY_S = 1.0
_START_S = 60.0
_INTERRUPT_S = 5.0
_CHUNK = 1 << 16


# OpenBLAS would start threads, which a fork loses; ipykernel's debugger warns of frozen modules although nobody debugs.
_ZYGOTES_ENVIRONMENT = {"OPENBLAS_NUM_THREADS": "1", "PYDEVD_DISABLE_FILE_VALIDATION": "1"}


class KernelDied(DeadKernelError):  # type: ignore[misc]
    """The kernel ended in the middle of a cell; the message says how."""


# --- the zygote, seen from here ------------------------------------------------------------------------------------


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
            raise RuntimeError("The process that forks kernels did not start.")

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
            self._process.wait(_INTERRUPT_S)
        self._process.kill()
        self._process.wait()
        self._folder.cleanup()


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


def _asked(request: dict[str, Any], descriptors: tuple[int, ...] = ()) -> dict[str, Any]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as connection:
        connection.connect(zygote_path())
        socket.send_fds(connection, [json.dumps(request).encode()], descriptors)
        answer = connection.recv(_CHUNK)
    if not answer:
        raise KernelDied("The process that forks kernels ended.")
    return dict(json.loads(answer))


# --- one kernel -----------------------------------------------------------------------------------------------------


class ForkedKernel:
    """A forked kernel, as nbclient's kernel manager sees it."""

    has_kernel = True
    ipykernel = True

    def __init__(self) -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            given = {
                "environment": dict(os.environ),
                "directory": os.getcwd(),
                "memory_mb": int(os.environ.get(MEMORY_MB, DEFAULT_MEMORY_MB)),
            }
            forked = _asked({"fork": given}, (theirs.fileno(),))
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
            ended = _asked({"end": self.pid})
            self.status, self.cpu_s = int(ended["status"] or 0), float(ended["cpu_s"] or 0)

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
        data = packed(SHELL, self.session.serialize(message)[1:])
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


# --- papermill ------------------------------------------------------------------------------------------------------


class WarmClient(PapermillNotebookClient):  # type: ignore[misc]
    """papermill's client with a forked kernel in place of a started one."""

    km: Any
    kc: Any

    @contextlib.contextmanager
    def setup_kernel(self, **kwargs: Any) -> Any:
        """Fork a kernel for the time of one notebook; whatever happens, nothing of it stays."""
        self.km = ForkedKernel()
        self.kc = self.km.client()
        try:
            yield
            if self.km.rehearsal:
                answer = self.wait_for_reply(self.kc.ask("modules_request"))
                _asked({"learn": answer["content"]["modules"]})
        finally:
            self.kc.stop_channels()
            self.km.shutdown_kernel(now=True)
            self.kc, self.km = None, None

    def papermill_execute_cells(self) -> None:
        """papermill's loop, in which a cell that timed out or whose kernel died has failed too, and not completed."""
        for index, cell in enumerate(self.nb.cells):
            self.nb_man.cell_start(cell, index)
            try:
                self.execute_cell(cell, index)
            except CellExecutionError as error:
                self.nb_man.cell_exception(self.nb.cells[index], cell_index=index, exception=error)
                break
            except BaseException as error:
                self.nb_man.cell_exception(self.nb.cells[index], cell_index=index, exception=error)
                raise
            finally:
                self.nb_man.cell_complete(self.nb.cells[index], cell_index=index)


class SparingManager(NotebookExecutionManager):  # type: ignore[misc]
    """papermill's record of a run, saved at the start, at the end, at an error and at most once a second between."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._saved = 0.0
        self._must_save = True

    def save(self, **kwargs: Any) -> None:
        """Save if it is time to."""
        if self._must_save or time.monotonic() - self._saved >= SAVE_EVERY_S:
            super().save(**kwargs)
            self._saved, self._must_save = time.monotonic(), False

    def cell_exception(self, cell: Any, cell_index: int | None = None, **kwargs: Any) -> None:
        """Note the error, and save with the cell's end."""
        super().cell_exception(cell, cell_index, **kwargs)
        self._must_save = True

    def notebook_complete(self, **kwargs: Any) -> None:
        """Note the end. A cell that a dead kernel never ran stays pending, and the one it died in has failed."""
        self._must_save = True
        pending = [cell for cell in self.nb.cells if cell.metadata.papermill["status"] == self.PENDING]
        super().notebook_complete(**kwargs)
        if self.nb.metadata.papermill["exception"] and pending:
            for cell in pending:
                cell.metadata.papermill["status"] = self.PENDING
            self._must_save = True
            self.save()


class WarmEngine(NBClientEngine):  # type: ignore[misc]
    """The engine ``vmbackup``."""

    @classmethod
    def execute_notebook(
        cls,
        nb: Any,
        kernel_name: str,
        output_path: str | None = None,
        progress_bar: Any = True,
        log_output: bool = False,
        autosave_cell_every: int = 30,
        **kwargs: Any,
    ) -> Any:
        """As papermill's engines, with fewer saves."""
        if not hasattr(os, "fork") or not Path("/proc/self/task").exists():
            logger.warning("No warm kernels on this system: papermill's own engine runs the notebook.")
            given = (nb, kernel_name, output_path, progress_bar, log_output, autosave_cell_every)
            return NBClientEngine.execute_notebook(*given, **kwargs)
        manager = SparingManager(
            nb,
            output_path=output_path,
            progress_bar=progress_bar,
            log_output=log_output,
            autosave_cell_every=autosave_cell_every,
        )
        manager.notebook_start()
        try:
            cls.execute_managed_notebook(manager, kernel_name, log_output=log_output, **kwargs)
        finally:
            manager.cleanup_pbar()
            manager.notebook_complete()
        return manager.nb

    @classmethod
    def execute_managed_notebook(cls, nb_man: Any, kernel_name: str, **options: Any) -> Any:
        """Run the cells in a forked kernel. The options are those of papermill's own engine."""
        options = remove_args(["input_path"], **options)
        timeout = options.get("execution_timeout") or options.get("timeout")
        final = merge_kwargs(
            remove_args(["timeout", "startup_timeout", "execution_timeout", "start_timeout", "shutdown_kernel",
                         "extra_arguments"], **options),
            timeout=timeout,
            kernel_name=kernel_name,
            log=logger,
        )  # fmt: skip
        return WarmClient(nb_man, **final).execute()
