"""Processes that tests start: none outlives its time, so nobody waits for ever for what it says or for its end."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from threading import Timer
from typing import Any


@contextmanager
def started(words: Sequence[str], within_s: float = 120, **options: Any) -> Iterator[subprocess.Popen[str]]:
    """A process whose output is text. At the end of the block, and where that comes later than ``within_s``, it is
    killed with what it started in its session."""
    given = {"stdout": subprocess.PIPE, "text": True, "start_new_session": True, **options}
    with subprocess.Popen(words, **given) as process, ending(process, within_s):
        try:
            yield process
        finally:
            _kill(process)


@contextmanager
def ending(process: subprocess.Popen[str], within_s: float) -> Iterator[None]:
    """Kill the process where the block takes longer than this: what it was to say ends, and so does it."""
    watch = Timer(within_s, _kill, (process,))
    watch.start()
    try:
        yield
    finally:
        watch.cancel()


def _kill(process: subprocess.Popen[str]) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
