"""Long work in a thread beside the kernel, one at a time; its end and its errors are reported on the kernel's loop."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from functools import partial
from threading import Event, Thread
from typing import Any, Generic, TypeVar

from IPython.core.getipython import get_ipython

_Result = TypeVar("_Result")


class Work(Generic[_Result]):
    """One piece of long work at a time. ``stopped`` tells it to end early; ``seconds`` is how long it has taken."""

    def __init__(self) -> None:
        try:
            self._loop: asyncio.AbstractEventLoop | None = asyncio.get_running_loop()
        except RuntimeError:
            self._loop = None
        self._as_the_cell = _as_the_cell()
        self._thread: Thread | None = None
        self._busy = False
        self._begun = 0.0
        self.stopped = Event()

    @property
    def busy(self) -> bool:
        """Whether something is under way."""
        return self._busy

    @property
    def seconds(self) -> float:
        """Since the work under way began."""
        return time.monotonic() - self._begun

    def start(
        self,
        job: Callable[[Event], _Result],
        done: Callable[[_Result], None],
        failed: Callable[[BaseException], None],
        tick: Callable[[], None],
    ) -> bool:
        """Begin, unless something is under way. ``done`` or ``failed`` is told at the end, ``tick`` twice a second."""
        if self.busy:
            return False
        self.stopped = Event()
        self._begun = time.monotonic()
        stopped = self.stopped

        def run() -> None:
            try:
                result = job(stopped)
            except BaseException as error:  # whatever it is, it is shown to the operator
                self.post(partial(self._end, partial(failed, error)))
            else:
                self.post(partial(self._end, partial(done, result)))

        self._busy = True
        self._thread = Thread(target=run, name="vmbackup", daemon=True)
        self._thread.start()
        Thread(target=self._ticking, args=(self._thread, tick), daemon=True).start()
        return True

    def post(self, what: Callable[[], object]) -> None:
        """Do this on the kernel's loop; at once where there is none (a terminal, a test)."""
        if self._loop is not None and self._loop.is_running():
            self._loop.call_soon_threadsafe(self._told, what)
        else:
            what()

    def _told(self, what: Callable[[], object]) -> None:
        self._as_the_cell()
        what()

    def wait(self, seconds: float = 60) -> None:
        """Wait for the work under way and its report, where no loop runs that it could report to."""
        if self._thread is not None:
            self._thread.join(seconds)

    def _end(self, then: Callable[[], None]) -> None:
        self._busy = False
        then()

    def _ticking(self, thread: Thread, tick: Callable[[], None]) -> None:
        while thread.is_alive():
            thread.join(0.5)
            if thread.is_alive():
                self.post(tick)


def _as_the_cell() -> Callable[[], object]:
    """What attributes all later output to the running cell. Otherwise it belongs to the kernel's latest message: a
    widget listens on that message's subshell, which is gone once its page is reloaded.
    """
    kernel: Any = getattr(get_ipython(), "kernel", None)
    if kernel is None:
        return lambda: None
    request = kernel.get_parent()
    message = {**request, "header": {**request.get("header", {}), "subshell_id": None}}
    return lambda: kernel.set_parent([], message)
