"""The zygote: a process that has imported what runbooks import and forks one kernel for each notebook.

``python -m vmbackup.fleet.zygote PATH`` listens on a Unix socket. A request is one JSON object in one packet:

``{"fork": {"environment", "directory", "memory_mb"}}`` with one socket attached → ``{"pid", "rehearsal"}``; the first
                   notebook is the rehearsal: what it imports is to be learned
``{"end": pid}``   kills that kernel and all it started → ``{"status", "cpu_s"}``, as ``os.wait4`` gives them
``{"learn": [module, …]}``   imports those that are safe to import before a fork → ``{"learned": how many}``

It runs no notebook, holds no credential and has one thread, which is asserted before each fork.
"""

from __future__ import annotations

import array
import collections.abc
import contextlib
import ctypes
import gc
import importlib
import json
import os
import resource
import selectors
import shutil
import signal
import socket
import sys
import tempfile
import threading
import traceback
from pathlib import Path
from typing import IO, Any

from IPython.core.shellapp import InteractiveShellApp

from vmbackup.fleet.kernel import prepare_kernel, serve
from vmbackup.fleet.nursery import end_with_parent

LARGEST_REQUEST = 1 << 20
_PR_SET_CHILD_SUBREAPER = 36
_MADV_COLLAPSE = 25
_HUGE = 1 << 21
_MB = 1 << 20
_SOCKET, _LOG = 3, 4
_DESCRIPTORS = 4096
_IMPORT_S = 30
"""How long one module may take to be imported."""


class Zygote:
    """Serves requests until the engine that started it has gone."""

    def __init__(self, path: str) -> None:
        self._kernel = prepare_kernel()
        self._kernels: dict[int, str] = {}
        self._rehearsed = False
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._listener.bind(path)
        os.chmod(path, 0o600)
        self._listener.listen(64)
        # Processes that a notebook left behind become children of this one, and end with their kernel.
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        _settle()

    def serve(self, keeper: int) -> None:
        """Answer requests; ``keeper`` is a descriptor that becomes readable when whoever started us has gone."""
        with selectors.DefaultSelector() as waiting:
            waiting.register(self._listener, selectors.EVENT_READ)
            waiting.register(keeper, selectors.EVENT_READ)
            while True:
                for key, _ in waiting.select():
                    if key.fd == keeper:
                        self._end_all()
                        return
                    if key.fileobj is self._listener:
                        waiting.register(self._listener.accept()[0], selectors.EVENT_READ)
                    elif not self._answer(key.fileobj):
                        waiting.unregister(key.fileobj)
                        key.fileobj.close()  # type: ignore[union-attr]

    def _answer(self, connection: Any) -> bool:
        data, descriptors = _receive(connection)
        if not data:
            return False
        request = json.loads(data)
        if "fork" in request:
            [descriptor] = descriptors
            answer: dict[str, Any] = {"pid": self._fork(request["fork"], descriptor), "rehearsal": not self._rehearsed}
            self._rehearsed = True
        elif "end" in request:
            answer = self._end(int(request["end"]))
        else:
            answer = {"learned": len(self._learn(request["learn"]))}
        connection.send(json.dumps(answer).encode())
        return True

    def _fork(self, given: dict[str, Any], descriptor: int) -> int:
        _assert_one_thread()
        temporary, zygote = tempfile.mkdtemp(prefix="vmbackup-kernel-"), os.getpid()
        pid = os.fork()
        if pid == 0:
            self._become_kernel(given, descriptor, temporary, zygote)
        os.close(descriptor)
        self._kernels[pid] = temporary
        return pid

    def _become_kernel(self, given: dict[str, Any], descriptor: int, temporary: str, zygote: int) -> None:
        """The child: it keeps only the zygote's memory, and nothing of other VMs. Does not return."""
        code = 1
        try:
            os.setsid()
            end_with_parent(zygote)
            connected = socket.socket(fileno=os.dup2(descriptor, _SOCKET, inheritable=False))
            os.dup2(2, _LOG, inheritable=False)
            os.closerange(_LOG + 1, _DESCRIPTORS)
            os.environ.clear()
            os.environ.update({**given["environment"], "TMPDIR": temporary})
            tempfile.tempdir = None
            os.chdir(given["directory"])
            InteractiveShellApp().init_path()
            _limit_memory(given["memory_mb"])
            for number in (signal.SIGTERM, signal.SIGCHLD, signal.SIGPIPE):
                signal.signal(number, signal.SIG_DFL)
            serve(self._kernel, connected)
            code = 0
        except BaseException:
            os.write(_LOG, traceback.format_exc().encode())
        finally:
            os._exit(code)

    def _end(self, pid: int) -> dict[str, Any]:
        temporary = self._kernels.pop(pid, None)
        if temporary is None:
            return {"status": None, "cpu_s": None}
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(pid, signal.SIGKILL)
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        _, status, used = os.wait4(pid, 0)
        self._end_orphans()
        shutil.rmtree(temporary, ignore_errors=True)
        return {"status": status, "cpu_s": used.ru_utime + used.ru_stime}

    def _end_orphans(self) -> None:
        """End the processes that a dead kernel left behind in a session of their own."""
        while orphans := [pid for pid in _children() if pid not in self._kernels]:
            for pid in orphans:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
                with contextlib.suppress(ChildProcessError):
                    os.waitpid(pid, 0)

    def _end_all(self) -> None:
        for pid in list(self._kernels):
            self._end(pid)

    def _learn(self, modules: list[str]) -> list[str]:
        """Import what the rehearsal imported, but for modules that start threads when they are imported."""
        waiting, learned = [name for name in modules if name not in sys.modules], []
        while waiting:
            safe = _importable(waiting)
            for name in safe:
                with contextlib.suppress(Exception):
                    importlib.import_module(name)
            learned += safe
            waiting = _without_first(waiting[len(safe) :])  # which failed or started a thread
        _warm_catalogue()
        _warm_type_checks()
        _assert_one_thread()
        _settle()
        return learned


def _settle() -> None:
    """Make what is in memory cheap to fork: never searched for garbage, and in huge pages, whose tables are short. A
    kernel before Linux 6.1 refuses those, and all works as well."""
    gc.collect()
    gc.freeze()
    system = ctypes.CDLL(None)
    for mapping in Path("/proc/self/maps").read_text().splitlines():
        span, mode, _, _, inode, *_ = mapping.split()
        if mode == "rw-p" and inode == "0":
            begin, end = (int(address, 16) for address in span.split("-"))
            for page in range(-(-begin // _HUGE) * _HUGE, end - _HUGE + 1, _HUGE):
                system.madvise(ctypes.c_void_p(page), ctypes.c_size_t(_HUGE), _MADV_COLLAPSE)


def _warm_catalogue() -> None:
    """Read the catalogue and prepare its patterns, if notebooks judge: both are the same for all VMs."""
    if "vmbackup.diagnosis" in sys.modules:
        from vmbackup.catalog.knowledge import knowledge
        from vmbackup.catalog.remedies import remedies
        from vmbackup.catalog.texts import ui
        from vmbackup.diagnosis import diagnose
        from vmbackup.facts import schema
        from vmbackup.failures.triage import triage
        from vmbackup.runs.evidence import SHAPES

        diagnose(None, {})
        triage("-")
        for shape in SHAPES.values():
            schema.learn(shape)
        knowledge()
        remedies()
        ui()


def _warm_type_checks() -> None:
    """Ask each abstract class once about common values: the first question searches all classes that were imported."""
    values: tuple[object, ...] = ("", b"", 0, 0.0, True, None, [], (), {}, set(), len, range(0), iter(()))
    for name in collections.abc.__all__:
        for value in values:
            isinstance(value, getattr(collections.abc, name))


def _without_first(modules: list[str]) -> list[str]:
    """The modules but for the first and what is below it, which cannot be imported without it."""
    return [name for name in modules[1:] if not name.startswith(f"{modules[0]}.")]


def _importable(modules: list[str]) -> list[str]:
    """The modules up to the first that cannot be imported, takes too long or starts a thread, tried out in a child."""
    # A file and no pipe: what a module starts would keep a pipe open.
    with tempfile.TemporaryFile("w+", buffering=1) as safe:
        pid = os.fork()
        if pid == 0:
            with contextlib.suppress(BaseException), open(os.devnull, "w") as nowhere:
                sys.stdout = nowhere
                _try_imports(modules, safe)
            os._exit(0)
        os.waitpid(pid, 0)
        safe.seek(0)
        return safe.read().split()


def _try_imports(modules: list[str], safe: IO[str]) -> None:
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    for name in modules:
        signal.alarm(_IMPORT_S)
        importlib.import_module(name)
        if _threads() > 1:
            return
        print(name, file=safe)


def _receive(connection: socket.socket) -> tuple[bytes, list[int]]:
    try:
        data, descriptors, flags, _ = socket.recv_fds(connection, LARGEST_REQUEST, 1)
    except ConnectionError:
        return b"", []
    if flags & socket.MSG_TRUNC:
        raise ValueError("a request larger than any of ours")
    return data, list(array.array("i", descriptors))


def _limit_memory(megabytes: int | None) -> None:
    """Memory that this process may add to what it was forked with; what asks for more gets a MemoryError."""
    if megabytes:
        held = int(Path("/proc/self/statm").read_text().split()[5]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_DATA, (held + megabytes * _MB, resource.RLIM_INFINITY))


def _threads() -> int:
    return max(threading.active_count(), len(os.listdir("/proc/self/task")))


def _assert_one_thread() -> None:
    if _threads() != 1:
        raise RuntimeError("a process with threads must not fork")


def _children() -> list[int]:
    return [int(pid) for pid in Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()]


def main() -> None:
    """Serve on the path in the arguments, until standard input is closed."""
    if sys.path[0] in ("", os.getcwd()):
        del sys.path[0]  # modules in one notebook's folder must not be importable by all
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the coordinator, which ends this process
    zygote = Zygote(sys.argv[1])
    print("ready", flush=True)
    zygote.serve(0)


if __name__ == "__main__":
    main()
