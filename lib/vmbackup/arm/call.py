"""What belongs to one call of Azure and not to the connection: its VM, its deadline, and the requests it sent.

A call is all that is asked for one purpose, such as one fact or one remedy. The current call is a context variable, so
one connection serves any number of calls and VMs at once. A thread that works for a call is started here, because it
must carry the call's context.
"""

from __future__ import annotations

import math
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, wait
from contextlib import contextmanager
from contextvars import ContextVar, copy_context
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

_Result = TypeVar("_Result")


@dataclass(slots=True, eq=False)
class Call:
    """One call, perhaps a part of another one. ``deadline`` is a monotonic time; ``requests`` are what it sent,
    as a reader sees it, each once, ``sent`` how many there were; ``azure_time`` is Azure's clock in the last answer to
    it or to its parts; ``received`` counts the bytes of its answers."""

    vm_id: str = ""
    deadline: float | None = None
    parent: Call | None = None
    requests: list[str] = field(default_factory=list)
    azure_time: datetime | None = None
    received: int = 0
    sent: int = 0
    paused_until: float = 0.0

    def add_time(self, seconds: float) -> None:
        """Move its deadline by a wait that begins now; what several threads wait at the same time counts once."""
        now = time.monotonic()
        if self.deadline is not None:
            self.deadline += max(0.0, now + seconds - max(now, self.paused_until))
        self.paused_until = max(self.paused_until, now + seconds)

    def stop(self) -> None:
        """End it now: whatever still works for it sends no further request."""
        self.deadline = time.monotonic()

    def remaining_s(self) -> float:
        """Seconds until its deadline or that of a call it is a part of, whichever comes first."""
        ends = [each.deadline for each in self.lineage() if each.deadline is not None]
        return min(ends, default=math.inf) - time.monotonic()

    def lineage(self) -> Iterator[Call]:
        """This call, then the calls it is a part of."""
        each: Call | None = self
        while each is not None:
            yield each
            each = each.parent


_SLICE_S = 0.5
_current: ContextVar[Call | None] = ContextVar("vmbackup_call", default=None)


@contextmanager
def calling(vm_id: str = "", deadline_s: float | None = None) -> Iterator[Call]:
    """Begin a call about a VM, or a part of the current one; its deadline can only shorten what is left of that."""
    parent = _current.get()
    deadline = None if deadline_s is None else time.monotonic() + deadline_s
    begun = Call(vm_id or (parent.vm_id if parent else ""), deadline, parent)
    token = _current.set(begun)
    try:
        yield begun
    finally:
        _current.reset(token)


def current() -> Call | None:
    """The call that this thread works for, if any."""
    return _current.get()


def remaining_s() -> float:
    """Seconds that the current call has left; infinite where nothing limits it."""
    begun = _current.get()
    return begun.remaining_s() if begun else math.inf


def pause(seconds: float) -> None:
    """Wait for the current call's turn, which costs it none of its time. Raises TimeoutError when it is stopped, or
    has no time left."""
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        if remaining_s() <= 0:
            raise TimeoutError
        slice_s = min(left, _SLICE_S)
        begun = current()
        for each in begun.lineage() if begun else ():
            each.add_time(slice_s)
        time.sleep(slice_s)


def start_thread(work: Callable[..., object], *arguments: object) -> threading.Thread:
    """Start a thread that works for the current call."""
    # A daemon: a thread that hangs in a request must not keep the process alive.
    thread = threading.Thread(target=copy_context().run, args=(work, *arguments), daemon=True)
    thread.start()
    return thread


def gather(works: Sequence[Callable[[], _Result]], width: int = 8) -> list[_Result]:
    """Do these at the same time, for the current call; the first error among them is raised.

    Raises TimeoutError when they are not all done by the deadline.
    """
    if len(works) < 2:
        return [work() for work in works]
    futures: list[Future[_Result]] = [Future() for _ in works]
    waiting = deque(zip(works, futures, strict=True))
    for _ in range(min(width, len(works))):
        start_thread(_work_off, waiting)
    # The deadline moves while a call waits for its turn.
    while wait(futures, min(max(0.0, remaining_s()), threading.TIMEOUT_MAX)).not_done:
        if remaining_s() <= 0:
            raise TimeoutError
    return [future.result() for future in futures]


def _work_off(waiting: deque[tuple[Callable[[], Any], Future[Any]]]) -> None:
    while waiting:
        try:
            work, future = waiting.popleft()
        except IndexError:
            return
        try:
            future.set_result(work())
        except BaseException as error:
            future.set_exception(error)
