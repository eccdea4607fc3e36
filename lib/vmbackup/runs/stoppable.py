"""Collecting that the operator can stop."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event

from vmbackup.arm.call import calling, start_thread
from vmbackup.model import Fact

OnFact = Callable[[str, Fact], object]
_Facts = dict[str, Fact]


class Stopped(Exception):
    """The operator stopped it."""


def until(stopped: Event | None, ask: Callable[[OnFact], _Facts], on_fact: OnFact) -> _Facts:
    """The facts. Once stopped or interrupted, no further request is sent and no fact told; raises Stopped then, or
    KeyboardInterrupt."""
    with calling() as call:
        try:
            return ask(on_fact) if stopped is None else _until(stopped, ask, on_fact)
        except (Stopped, KeyboardInterrupt):
            call.stop()
            raise


def _until(stopped: Event, ask: Callable[[OnFact], _Facts], on_fact: OnFact) -> _Facts:
    def note(name: str, fact: Fact) -> None:
        if not stopped.is_set():
            on_fact(name, fact)

    ended: list[_Facts | BaseException] = []

    def work() -> None:
        try:
            ended.append(ask(note))
        except BaseException as error:  # handed to the caller's thread, which raises it
            ended.append(error)

    thread = start_thread(work)
    while thread.is_alive() and not stopped.is_set():
        thread.join(0.05)
    # Even if all was there before anybody looked: what came after the stop was not told.
    if stopped.is_set():
        raise Stopped
    if isinstance(ended[0], BaseException):
        raise ended[0]
    return ended[0]
