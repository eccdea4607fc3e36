"""Runs the machines of ``machines.py`` and keeps what the probe printed in them."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from machines import MACHINES, Output, examine

Result = tuple[list[Output], str]


class Laboratory:
    """The machines of one test session. Those in ``ahead`` will be wanted: they run from the start and in this order,
    one that waits for time limits beside one that works."""

    def __init__(self, root: Path, folder: Path, ahead: Iterable[str] = ()) -> None:
        self._root = root
        self._folder = folder
        self._lanes = {waits: ThreadPoolExecutor(max_workers=1) for waits in (True, False)}
        self._results: dict[str, Future[Result]] = {}
        for name in ahead:
            self._start(name)

    def result(self, name: str) -> Result:
        """The outputs of all runs in this machine, and what changed on its disk meanwhile."""
        return self._start(name).result()

    def close(self) -> None:
        """Wait for machines that nobody asked for."""
        for lane in self._lanes.values():
            lane.shutdown(cancel_futures=True)

    def _start(self, name: str) -> Future[Result]:
        if name not in self._results:
            lane = self._lanes[MACHINES[name].waits]
            self._results[name] = lane.submit(examine, name, self._root, self._folder / name)
        return self._results[name]
