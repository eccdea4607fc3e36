"""Collecting that the operator can stop."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event

from vmbackup.arm.call import calling, start_thread
from vmbackup.model import Fact

OnFact = Callable[[str, Fact], object]
_Facts = dict[str, Fact]


def until(stopped: Event | None, ask: Callable[[OnFact], _Facts], on_fact: OnFact | None) -> tuple[_Facts, bool]:
    """The facts, and whether all were collected. Once stopped, no further request is sent, and the facts so far
    count."""
    came: _Facts = {}

    def note(name: str, fact: Fact) -> None:
        if stopped is None or not stopped.is_set():
            came[name] = fact
            if on_fact:
                on_fact(name, fact)

    if stopped is None:
        return ask(note), True
    ended: list[_Facts | BaseException] = []

    def work() -> None:
        try:
            ended.append(ask(note))
        except BaseException as error:  # handed to the caller's thread, which raises it
            ended.append(error)

    with calling() as call:
        thread = start_thread(work)
    while thread.is_alive() and not stopped.is_set():
        thread.join(0.05)
    if not ended:
        call.stop()
        return came, False
    if isinstance(ended[0], BaseException):
        raise ended[0]
    return ended[0], True
