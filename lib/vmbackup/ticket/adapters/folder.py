"""A folder as a ticket."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from vmbackup.runs import storage
from vmbackup.ticket.adapters.base import NotNow, Ticket


@dataclass(frozen=True, slots=True)
class Folder(Ticket):
    """A folder, or any fsspec URL."""

    place: str

    def limit(self) -> int | None:
        """None: a folder takes what fits."""
        return None

    def note(self, text: str) -> None:
        """As a file."""
        self.attach("incident.txt", text.encode(), "text/plain")

    def files(self) -> Mapping[str, int | None]:
        """The files in a folder on this machine; of a URL none is known beforehand."""
        folder = Path(self.place)
        return {each.name: each.stat().st_size for each in folder.iterdir()} if folder.is_dir() else {}

    def attach(self, name: str, content: bytes, kind: str) -> None:
        """Write the file whole."""
        try:
            home = storage.at(self.place)
            home.write(name, content)
            if home.read(name) != content:
                raise NotNow(f"{self.place}/{name} does not read back as it was written.")
        except (OSError, ImportError, ValueError) as error:
            raise NotNow(f"{self.place}/{name} cannot be written: {error}.") from None
