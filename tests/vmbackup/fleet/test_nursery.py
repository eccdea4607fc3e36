"""Nothing waits for a zygote that hangs, and what a process started ends with it."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from vmbackup.fleet import nursery
from vmbackup.fleet.nursery import ZYGOTE, ZygoteGone, ask_zygote


@pytest.mark.parametrize("queue", [0, 8])
def test_a_zygote_that_does_not_answer_is_not_asked_again(
    queue: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nursery, "_ANSWER_S", 1)
    monkeypatch.setenv(ZYGOTE, str(tmp_path / "socket"))
    kind = (socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with socket.socket(*kind) as silent, socket.socket(*kind) as earlier:
        silent.bind(str(tmp_path / "socket"))
        silent.listen(queue)
        earlier.connect(str(tmp_path / "socket"))
        with pytest.raises(ZygoteGone, match="does not answer"):
            ask_zygote({"end": 1})
    assert ZYGOTE not in os.environ


ORPHAN = """
    import os, sys, time
    from vmbackup.fleet.nursery import end_with_parent
    parent = os.getpid()
    if os.fork() == 0:
        while sys.argv[1] == "first" and os.getppid() == parent:
            time.sleep(0.01)
        end_with_parent(parent)
        os.write(1, b"lives ")
        time.sleep(60)
    if sys.argv[1] == "then":
        time.sleep(0.5)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a process with its parent")
@pytest.mark.parametrize(("who", "said"), [("first", ""), ("then", "lives ")])
def test_a_process_ends_with_its_parent_whoever_is_first(who: str, said: str) -> None:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    words = [sys.executable, "-c", textwrap.dedent(ORPHAN), who]
    # It has ended when nobody holds its output any more.
    ran = subprocess.run(words, env=environment, capture_output=True, text=True, timeout=30, check=True)
    assert ran.stdout == said
