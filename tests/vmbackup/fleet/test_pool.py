"""A pool of workers whose processes may die at any moment."""

from __future__ import annotations

import os
import signal
import struct
import sys
from pathlib import Path

from vmbackup.fleet.pool import LocalWorkers


def dies_while_it_tells_its_result(once: Path) -> str:
    if once.exists():
        return "told"
    once.touch()
    told = sys._getframe(1).f_locals["result_queue"]
    told._writer._send(struct.pack("!i", 1000))  # so long is what is not sent any more
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("never reached")


def test_the_rest_of_a_result_is_not_waited_for(tmp_path: Path) -> None:
    workers = LocalWorkers(1, "")
    try:
        assert workers.do(dies_while_it_tells_its_result, tmp_path / "once") == "told"
    finally:
        workers.end()
