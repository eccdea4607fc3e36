"""A process that does one piece of work after another, and whose death is noticed whenever it comes.

Each has a pipe of its own to the coordinator. When the process dies its end is closed, so even a result of which only
a part was sent is not waited for; what other processes do goes on.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Mapping
from concurrent.futures import BrokenExecutor
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import Any, TypeVar

from vmbackup.fleet.execute import prepare_worker
from vmbackup.fleet.nursery import end_with_parent

# A fresh interpreter: forking a process with threads (Azure clients, Jupyter) is not safe.
_FRESH = get_context("spawn")

_Made = TypeVar("_Made")


class WorkerDied(BrokenExecutor):
    """The process ended in the middle of its work."""


class WorkerProcess:
    """A process with this zygote, and with what its ``environment`` names."""

    def __init__(self, zygote: str, environment: Mapping[str, str]) -> None:
        self._connection, theirs = _FRESH.Pipe()
        self._process = _FRESH.Process(target=_serve, args=(theirs, zygote, dict(environment), os.getpid()))
        self._process.start()
        theirs.close()  # else the death of the process would not close its end

    def call(self, work: Callable[..., _Made], *arguments: Any) -> _Made:
        """Do this in the process; returns or raises what the work does. Raises WorkerDied, and then it takes no more
        work."""
        try:
            self._connection.send((work, arguments))
            result, error = self._connection.recv()
        except (EOFError, OSError):
            self.kill()
            raise WorkerDied("The process that executed this ended.") from None
        if error is not None:
            raise error
        made: _Made = result
        return made

    def kill(self) -> None:
        """End it at once, whatever it does."""
        self._process.kill()
        self._process.join()


def _serve(connection: Connection, zygote: str, environment: Mapping[str, str], coordinator: int) -> None:
    os.environ.update(environment)
    end_with_parent(coordinator)  # else it would go on in a folder that the next run works in
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the coordinator, which says when to stop
    prepare_worker(zygote)
    while True:
        try:
            work, arguments = connection.recv()
        except EOFError:
            return
        connection.send(_outcome(work, arguments))


def _outcome(work: Callable[..., _Made], arguments: tuple[Any, ...]) -> tuple[_Made | None, BaseException | None]:
    try:
        return work(*arguments), None
    except BaseException as error:  # the coordinator raises it
        return None, error
