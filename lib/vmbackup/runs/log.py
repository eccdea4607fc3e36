"""One append-only file of a run folder: an event is a line of JSON."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from vmbackup import sanitize
from vmbackup.model import Unwritten
from vmbackup.runs import storage


@dataclass(frozen=True, slots=True)
class Log:
    """The file ``name`` in a storage. ``read`` reads it, ``on_unreadable`` is told how many lines cannot be read."""

    storage: storage.Storage
    name: str
    read: Callable[[str], bytes | None]
    on_unreadable: Callable[[int], object]

    def append(self, event: Mapping[str, Any]) -> None:
        """Add an event, on disk when this returns. Raises Unwritten."""
        line = json.dumps(sanitize.data(event), ensure_ascii=False) + "\n"
        try:
            self.storage.append(self.name, line.encode())
        except OSError as error:
            file = f"{self.storage}/{self.name}"
            raise Unwritten("error.line_not_written", file=file, message=storage.why(error)) from None

    def events(self) -> list[dict[str, Any]]:
        """The events, oldest first. A line that cannot be read stays where it is, and is left out."""
        found, unreadable = [], 0
        for line in (self.read(self.name) or b"").splitlines():
            try:
                event = json.loads(line)
                found += [event] if isinstance(event, dict) else []
                unreadable += not isinstance(event, dict)
            except (ValueError, RecursionError):
                unreadable += bool(line.strip())
        if unreadable:
            self.on_unreadable(unreadable)
        return found
