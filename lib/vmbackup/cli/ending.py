"""How a command that takes long is stopped, and what comes at its end: the summary, and word to whoever waits."""

from __future__ import annotations

import json
import re
import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Protocol
from urllib.parse import urlsplit

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
    """Exit with INTERRUPTED on Ctrl-C or SIGTERM, as an interrupted command has no result."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    except KeyboardInterrupt:
        raise typer.Exit(INTERRUPTED) from None
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def stoppable(run: Stoppable) -> Iterator[None]:
    """Stop the run on the first Ctrl-C or SIGTERM; a second one ends the command at once."""

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


def summarised(place: str, language: str, earlier: str = "") -> list[str]:
    """Write the summary of a fleet's folder, compared with that of an earlier run; returns the names of its files. What
    that imports stays out of the process that called, where a pool runs this. Raises SetupError."""
    from vmbackup.many_vms import summarise

    return summarise(place, language, earlier)


def check_address(address: str) -> None:
    """Raises SetupError, without the address as it may hold a key, for anything but https; an empty one is fine."""
    if address and not re.match(r"https://[^/]", address):
        raise SetupError("error.no_https")


def post_result(
    address: str, content: Mapping[str, Any], language: str, patience_s: float = _LONGEST_REQUEST_S
) -> None:
    """Post the result as JSON to this address, for at most ``patience_s`` seconds. A failure is printed, and changes
    nothing of the result; the address may hold a key, so only its host is shown."""
    outcome: list[str] = []
    data = json.dumps(sanitize.data(dict(content)))
    # A receiver that answers byte by byte would hold up the request itself for ever.
    start_thread(lambda: outcome.append(_posted(address, data, patience_s))).join(patience_s)
    why = outcome[0] if outcome else "Timeout"
    if why:
        words = catalog.text("fleet_run.not_notified", language, host=_host(address), why=why)
        typer.echo(sanitize.text(words), err=True)


def _host(address: str) -> str:
    try:
        return urlsplit(address).hostname or "–"
    except ValueError:
        return "–"


def _posted(address: str, data: str, patience_s: float) -> str:
    """Why the receiver did not accept it; "" where it did. Its answer's body is not read."""
    import requests

    try:
        with requests.post(
            address, data=data, timeout=patience_s, allow_redirects=False, stream=True,
            headers={"Content-Type": "application/json"},
        ) as answer:  # fmt: skip
            return "" if answer.status_code < 300 else f"HTTP {answer.status_code}"
    except requests.RequestException as error:
        return type(error).__name__
