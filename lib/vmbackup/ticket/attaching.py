"""Put a bundle on a ticket: ask the limit, add the text, then files, read each back; what must wait is in an outbox."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from vmbackup.model import SetupError
from vmbackup.runs import storage
from vmbackup.runs.folder import TICKET
from vmbackup.ticket.adapters.base import NotNow, Refused, Ticket
from vmbackup.ticket.adapters.registry import ticket
from vmbackup.ticket.aliases import Level
from vmbackup.ticket.bundle import FOLDER, MANIFEST, NOTE, PDF, SHORT_NOTE, digest

OUTBOX = "outbox.json"


@dataclass(frozen=True, slots=True)
class Attached:
    """What the ticket has now (``done``), what it does not take (``refused``: name and why), and why the rest waits."""

    done: tuple[str, ...]
    refused: tuple[tuple[str, str], ...]
    waits: str = ""


def attach(place: str, to: str, *, in_public: bool = False) -> Attached:
    """Put the bundle in the run folder ``place`` on a ticket. What cannot be done now is kept for :func:`retry`.

    Raises SetupError for a ticket that everybody may read and a bundle with real names, unless ``in_public``.
    """
    home, single = storage.at(place), storage.at(f"{place.rstrip('/')}/{FOLDER}")
    if single.read(NOTE) is None:
        raise SetupError("error.no_bundle", place=place)
    on, done, refused = ticket(to), list[str](), list[tuple[str, str]]()
    waiting = sorted({*json.loads(home.read(OUTBOX) or b"[]"), to})
    # Written first: whatever happens now, the next try knows of it.
    home.write(OUTBOX, json.dumps(waiting).encode())
    read = {name: single.read(name) or b"" for name in (NOTE, SHORT_NOTE, PDF)}
    packed = home.read(TICKET) or b""
    masked = json.loads(single.read(MANIFEST) or b"{}").get("level", Level.NONE) != Level.NONE
    try:
        if not masked and not in_public and on.public():
            home.write(OUTBOX, json.dumps([each for each in waiting if each != to]).encode())
            raise SetupError("error.public_ticket", ticket=to)
        limit = on.limit()
        _first(on, _notes(read), done, refused)
        _first(on, _files(read, packed, limit, refused), done, refused)
    except NotNow as error:
        return Attached(tuple(done), tuple(refused), str(error))
    home.write(OUTBOX, json.dumps([each for each in waiting if each != to]).encode())
    return Attached(tuple(done), tuple(refused))


def retry(place: str, *, in_public: bool = False) -> dict[str, Attached]:
    """Try again what waits in the run folder's outbox."""
    return {to: attach(place, to, in_public=in_public) for to in json.loads(storage.at(place).read(OUTBOX) or b"[]")}


_Try = tuple[str, Callable[[Ticket], None]]


def _first(on: Ticket, ways: Iterator[_Try], done: list[str], refused: list[tuple[str, str]]) -> None:
    """The first way that the ticket takes."""
    for name, way in ways:
        try:
            way(on)
        except Refused as error:
            refused.append((name, str(error)))
        else:
            done.append(name)
            return


def _notes(read: Mapping[str, bytes]) -> Iterator[_Try]:
    for name in (NOTE, SHORT_NOTE):
        text = read[name].decode()
        yield name, lambda on, text=text: on.note(text)  # type: ignore[misc]


def _files(
    read: Mapping[str, bytes], packed: bytes, limit: int | None, refused: list[tuple[str, str]]
) -> Iterator[_Try]:
    """The zip, else the PDF, else the text as a file; what is over the limit is not even tried."""
    ways = (
        ("ticket.zip", packed, "application/zip"),
        (PDF, read[PDF], "application/pdf"),
        (NOTE, read[NOTE], "text/plain"),
    )
    for name, content, kind in ways:
        if not content:
            continue
        if limit is not None and len(content) > limit:
            refused.append((name, f"{len(content)} bytes; the ticket system takes {limit}"))
            continue
        stem, _, ending = name.rpartition(".")
        unique = f"vmbackup-{stem}-{digest(content)[:12]}.{ending}"
        yield unique, lambda on, unique=unique, content=content, kind=kind: _once(on, unique, content, kind)  # type: ignore[misc]


def _once(on: Ticket, name: str, content: bytes, kind: str) -> None:
    """Attach a file unless it is there, and see that it is there with its size: a success may have lost it."""
    if on.files().get(name) == len(content):
        return
    on.attach(name, content, kind)
    found = on.files()
    if name not in found:
        raise NotNow(f"{name} was answered with success, and is not there")
    if found[name] not in (None, len(content)):
        raise NotNow(f"{name} has {found[name]} bytes there, and {len(content)} here")
