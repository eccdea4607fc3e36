"""What a process started ends with it."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap

import pytest

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
