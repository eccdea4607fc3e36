"""A pool of workers whose processes may die at any moment."""

from __future__ import annotations

import os
import signal
import struct
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from vmbackup.fleet.pool import LocalWorkers

PATIENCE_S = 60


def dies_while_it_tells_its_result(once: Path) -> str:
    if once.exists():
        return "told"
    once.touch()
    told = sys._getframe(2).f_locals["connection"]
    os.write(told.fileno(), struct.pack("!i", 1000))  # so long is what is not sent any more
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("never reached")


def test_the_rest_of_a_result_is_not_waited_for(tmp_path: Path) -> None:
    workers = LocalWorkers(1, "")
    try:
        assert workers.do(dies_while_it_tells_its_result, tmp_path / "once") == "told"
    finally:
        workers.end()


def waits_for(file: Path, begun: Path) -> int:
    begun.open("a").write("begun\n")
    until = time.monotonic() + PATIENCE_S
    while not file.exists():
        assert time.monotonic() < until
        time.sleep(0.01)
    return os.getpid()


def test_the_death_of_a_worker_disturbs_no_other(tmp_path: Path) -> None:
    workers = LocalWorkers(2, "")
    try:
        with ThreadPoolExecutor(1) as aside:
            other = aside.submit(workers.do, waits_for, tmp_path / "go", tmp_path / "begun")
            waits_for(tmp_path / "begun", tmp_path / "here")
            assert workers.do(dies_while_it_tells_its_result, tmp_path / "once") == "told"
            (tmp_path / "go").touch()
            assert other.result() != os.getpid()
    finally:
        workers.end()
    assert (tmp_path / "begun").read_text() == "begun\n", "it is done once"
