"""Put a bundle on a ticket: ask for the limit, add the text, then files, verify each; what is pending is kept in an
outbox."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from vmbackup.model import RunbookError, SetupError
from vmbackup.runs import storage
from vmbackup.runs.folder import TICKET
from vmbackup.ticket.adapters.base import NotNow, Refused, Ticket
from vmbackup.ticket.adapters.registry import ticket
from vmbackup.ticket.aliases import Level
from vmbackup.ticket.bundle import FOLDER, MANIFEST, NOTE, PDF, SHORT_NOTE, digest

OUTBOX = "outbox.json"


@dataclass(slots=True)
class Attached:
    """What is on the ticket now (``done``), what it refused (``refused``: name and why), and why the rest is
    pending."""

    done: list[str] = field(default_factory=list)
    refused: list[tuple[str, RunbookError]] = field(default_factory=list)
    waits: RunbookError | None = None


def attach(place: str, to: str, *, in_public: bool = False) -> Attached:
    """Put the bundle in the run folder ``place`` on a ticket. What cannot be done now is kept for :func:`retry`.

    Raises SetupError for a ticket that everybody may read and a bundle with real names, unless ``in_public``.
    """
    home, single = storage.at(place), storage.at(f"{place.rstrip('/')}/{FOLDER}")
    if single.read(NOTE) is None:
        raise SetupError("error.no_bundle", place=place)
    on, ended = ticket(to), Attached()
    read = {name: single.read(name) or b"" for name in (NOTE, SHORT_NOTE, PDF)} | {TICKET: home.read(TICKET) or b""}
    masked = json.loads(single.read(MANIFEST) or b"{}").get("level", Level.NONE) != Level.NONE
    waited = to in _waiting(home)
    _wait(home, to)  # written first: whatever happens now, the next try knows about it
    try:
        if not masked and not in_public and on.public():
            if not waited:
                _wait_no_more(home, to)
            raise SetupError("error.public_ticket", ticket=to)
        limit = on.limit()
        _first(on, _notes(read), ended)
        _first(on, _files(read, limit, ended), ended)
    except NotNow as error:
        ended.waits = error
        return ended
    except Refused as error:
        ended.refused.append((to, error))
    _wait_no_more(home, to)
    return ended


def retry(place: str, *, in_public: bool = False) -> dict[str, Attached]:
    """Try again what waits in the run folder's outbox. A ticket that cannot be tried does not stop the others."""
    return {to: _again(place, to, in_public) for to in _waiting(storage.at(place))}


def _again(place: str, to: str, in_public: bool) -> Attached:
    try:
        return attach(place, to, in_public=in_public)
    except SetupError as error:
        return Attached(waits=error)


def _waiting(home: storage.Storage) -> list[str]:
    return list(json.loads(home.read(OUTBOX) or b"[]"))


def _wait(home: storage.Storage, to: str) -> None:
    home.write(OUTBOX, json.dumps(sorted({*_waiting(home), to})).encode())


def _wait_no_more(home: storage.Storage, to: str) -> None:
    home.write(OUTBOX, json.dumps([each for each in _waiting(home) if each != to]).encode())


_Try = tuple[str, Callable[[Ticket], None]]


def _first(on: Ticket, ways: Iterator[_Try], ended: Attached) -> None:
    """The first variant that the ticket accepts."""
    for name, way in ways:
        try:
            way(on)
        except Refused as error:
            ended.refused.append((name, error))
        else:
            ended.done.append(name)
            return


def _notes(read: Mapping[str, bytes]) -> Iterator[_Try]:
    """The whole text, else the short one."""
    for name in (NOTE, SHORT_NOTE):
        yield name, lambda on, name=name: _note_once(on, name, read[name])  # type: ignore[misc]


def _note_once(on: Ticket, name: str, content: bytes) -> None:
    """Add a text unless it is there, and verify it: its mark survives any change of markup."""
    mark = f"(vmbackup {digest(content)[:12]})"
    if _has(on, mark):
        return
    on.note(f"{content.decode().rstrip()}\n{mark}")
    if not _has(on, mark):
        raise Refused("ticket.lost", name=name)


def _has(on: Ticket, mark: str) -> bool:
    return any(mark in each for each in on.notes())


def _files(read: Mapping[str, bytes], limit: int | None, ended: Attached) -> Iterator[_Try]:
    """The zip, else the PDF, else the text as a file; what is over the limit is not even tried."""
    if limit == 0:
        ended.refused.append((TICKET, Refused("ticket.no_files")))
        return
    for name, kind in ((TICKET, "application/zip"), (PDF, "application/pdf"), (NOTE, "text/plain")):
        content = read[name]
        if not content:
            continue
        if limit is not None and len(content) > limit:
            ended.refused.append((name, Refused("ticket.file_too_large", bytes=len(content), limit=limit)))
            continue
        stem, _, ending = name.rpartition(".")
        unique = f"vmbackup-{stem}-{digest(content)[:12]}.{ending}"
        yield unique, lambda on, unique=unique, content=content, kind=kind: _file_once(on, unique, content, kind)  # type: ignore[misc]


def _file_once(on: Ticket, name: str, content: bytes, kind: str) -> None:
    """Attach a file unless it is there, and verify its size: a reported success may have lost it."""
    if on.files().get(name) == len(content):
        return
    on.attach(name, content, kind)
    files = on.files()
    if name not in files:
        raise NotNow("ticket.lost", name=name)
    if files[name] not in (None, len(content)):
        raise NotNow("ticket.cut_off", name=name, there=files[name], here=len(content))
