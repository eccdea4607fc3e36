"""A folder as a ticket."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from vmbackup.runs import storage
from vmbackup.ticket.adapters.base import NotNow, Ticket

_NOTE = "incident.txt"


@dataclass(frozen=True, slots=True)
class Folder(Ticket):
    """A folder, or any fsspec URL."""

    place: str

    def limit(self) -> int | None:
        """None: a folder has no limit."""
        return None

    def notes(self) -> Sequence[str]:
        """The text in its file."""
        return [(storage.at(self.place).read(_NOTE) or b"").decode(errors="replace")]

    def note(self, text: str) -> None:
        """As a file."""
        self.attach(_NOTE, text.encode(), "text/plain")

    def files(self) -> Mapping[str, int | None]:
        """The files in a folder on this machine; behind a URL they are not listed."""
        folder = Path(self.place)
        return {each.name: each.stat().st_size for each in folder.iterdir()} if folder.is_dir() else {}

    def attach(self, name: str, content: bytes, kind: str) -> None:
        """Write the file whole."""
        try:
            home = storage.at(self.place)
            home.write(name, content)
            if home.read(name) != content:
                raise NotNow("ticket.lost", name=f"{self.place}/{name}")
        except (OSError, ImportError, ValueError) as error:
            raise NotNow("ticket.not_written", file=f"{self.place}/{name}", message=str(error)) from None
