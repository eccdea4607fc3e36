"""How a command that takes long is stopped, and how its end is told to whoever waits for it."""

from __future__ import annotations

import json
import re
import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Protocol

import typer

from vmbackup import catalog, sanitize
from vmbackup.arm.call import start_thread
from vmbackup.model import SetupError

INTERRUPTED = 130
_LONGEST_REQUEST_S = 10


class Stoppable(Protocol):
    """What Ctrl-C stops: ``interrupted`` is whether it did."""

    interrupted: bool

    def stop(self) -> None:
        """Begin nothing more."""
        ...


@contextmanager
def interruptible() -> Iterator[None]:
    """To be interrupted is no result: it has an exit code of its own. What ends a process politely is the same."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    except KeyboardInterrupt:
        raise typer.Exit(INTERRUPTED) from None
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def stoppable(run: Stoppable) -> Iterator[None]:
    """Ctrl-C and SIGTERM begin nothing more; a second one ends at once."""

    def stop(number: int, frame: object) -> None:
        if run.interrupted:
            raise KeyboardInterrupt
        run.interrupted = True
        run.stop()

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def check_address(address: str) -> None:
    """Raises SetupError for what is no https address."""
    if address and not re.match(r"https://[^/]", address):
        raise SetupError("error.no_https", address=sanitize.text(address))


def tell(address: str, content: Mapping[str, Any], language: str, patience_s: float = _LONGEST_REQUEST_S) -> None:
    """Tell whoever waits for the end; that it cannot be told changes nothing of the result. The address may hold a
    key, so only its host is shown."""
    said: list[str] = []
    data = json.dumps(sanitize.data(dict(content)))
    # A receiver that answers byte by byte would hold up the request itself for ever.
    start_thread(lambda: said.append(_posted(address, data, patience_s))).join(patience_s)
    why = said[0] if said else "Timeout"
    if why:
        host = address.split("/")[2].rpartition("@")[2]
        typer.echo(sanitize.text(catalog.text("fleet_run.not_notified", language, host=host, why=why)), err=True)


def _posted(address: str, data: str, patience_s: float) -> str:
    """Why it was not taken; "" where it was. What else the receiver says is not read."""
    import requests

    try:
        with requests.post(
            address, data=data, timeout=patience_s, allow_redirects=False, stream=True,
            headers={"Content-Type": "application/json"},
        ) as answer:  # fmt: skip
            return "" if answer.status_code < 300 else f"HTTP {answer.status_code}"
    except requests.RequestException as error:
        return type(error).__name__
