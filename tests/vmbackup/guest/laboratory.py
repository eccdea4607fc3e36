"""Runs the machines of ``machines.py`` and keeps what the probe printed in them."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from machines import Output, examine

Result = tuple[list[Output], str]


class Laboratory:
    """The machines of one test session. ``ahead`` names those that will be wanted: they start together, three at a
    time and in this order, as soon as the first result is asked for."""

    def __init__(self, root: Path, folder: Path, ahead: Iterable[str] = ()) -> None:
        self._root = root
        self._folder = folder
        self._pool = ThreadPoolExecutor(max_workers=3)
        self._results: dict[str, Future[Result]] = {}
        for name in ahead:
            self._start(name)

    def result(self, name: str) -> Result:
        """The outputs of all runs in this machine, and what changed on its disk meanwhile."""
        return self._start(name).result()

    def close(self) -> None:
        """Wait for machines that nobody asked for."""
        self._pool.shutdown(cancel_futures=True)

    def _start(self, name: str) -> Future[Result]:
        if name not in self._results:
            self._results[name] = self._pool.submit(examine, name, self._root, self._folder / name)
        return self._results[name]
