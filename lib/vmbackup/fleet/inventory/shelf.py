"""Rows of lists and facts of VMs in an unnamed temporary file instead of in memory.

For ten thousand VMs they would take a gigabyte of memory. Each access reads from the file again.
"""

from __future__ import annotations

import os
import pickle
import tempfile
from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from threading import Lock
from typing import Any

from vmbackup.model import Evidence, Fact


class Shelf:
    """The file, usable from any number of threads. It is gone when the process ends, however that happens."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile(prefix="vmbackup-listed-")  # noqa: SIM115 - as long as the shelf
        self._lock, self._end = Lock(), 0

    def put(self, value: Any) -> tuple[int, int]:
        """Keep a value; returns its place."""
        content = pickle.dumps(value, pickle.HIGHEST_PROTOCOL)
        with self._lock:
            start = self._end
            os.pwrite(self._file.fileno(), content, start)
            self._end += len(content)
        return start, len(content)

    def get(self, start: int, length: int) -> Any:
        """The value in this place."""
        return pickle.loads(os.pread(self._file.fileno(), length, start))


class ShelvedRows(Sequence[Any]):
    """Rows of a list in a shelf."""

    def __init__(self, shelf: Shelf, rows: Iterable[Any] = ()) -> None:
        self._shelf, self._places = shelf, array("Q")
        self.extend(rows)

    def extend(self, rows: Iterable[Any]) -> None:
        """Add rows."""
        for row in rows:
            self._places.extend(self._shelf.put(row))

    def __len__(self) -> int:
        return len(self._places) // 2

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return [self[number] for number in range(*index.indices(len(self)))]
        at = 2 * range(len(self))[index]
        return self._shelf.get(self._places[at], self._places[at + 1])

    def __iter__(self) -> Iterator[Any]:
        return (self[index] for index in range(len(self)))


class ShelvedFacts(Mapping[str, Fact]):
    """The facts of one VM in a shelf. Pickled for another process, they become a plain dict."""

    __slots__ = ("_length", "_shelf", "_start")

    def __init__(self, shelf: Shelf, facts: Evidence) -> None:
        self._shelf = shelf
        self._start, self._length = shelf.put(dict(facts))

    def beside(self, facts: Evidence) -> ShelvedFacts:
        """Other facts in the same shelf."""
        return ShelvedFacts(self._shelf, facts)

    def _facts(self) -> dict[str, Fact]:
        facts: dict[str, Fact] = self._shelf.get(self._start, self._length)
        return facts

    def __getitem__(self, name: str) -> Fact:
        return self._facts()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._facts())

    def __len__(self) -> int:
        return len(self._facts())

    def items(self) -> Any:
        """All at once."""
        return self._facts().items()

    def __reduce__(self) -> Any:
        return dict, (self._facts(),)
