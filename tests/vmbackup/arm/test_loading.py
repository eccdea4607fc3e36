"""Threads that need Azure's SDK for the first time all get it."""

from __future__ import annotations

import subprocess
import sys

PROGRAM = """
import sys, threading
from concurrent.futures import ThreadPoolExecutor
from vmbackup.arm.connection import Azure, Connection

class Credential:
    def get_token(self, *scopes, **options):
        raise NotImplementedError

sys.setswitchinterval(1e-5)  # as on a busy machine
azure = Azure(Credential(), "s", Connection("https://127.0.0.1:9"))
asked = [
    lambda: azure.compute, azure.backup, lambda: azure.locks, lambda: azure.graph, lambda: azure.health,
    lambda: azure._client("own requests", azure._pipeline),
]
together = threading.Barrier(len(asked))
with ThreadPoolExecutor(len(asked)) as pool:
    list(pool.map(lambda each: (together.wait(), each()), asked))
"""


def test_threads_may_load_it_at_the_same_time() -> None:
    ran = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
