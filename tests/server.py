"""A simulator in a process of its own, which can be killed and started again."""

from __future__ import annotations

import shlex
import subprocess
import sys
from collections.abc import Sequence
from types import TracebackType

from processes import ending

START_S = 60


class Server:
    """``python -m azuresim`` with these words, for the time of a ``with`` block: how it is reached, and its VMs.

    With ``--keep FOLDER`` among the words it is reached as before when it starts again.
    """

    def __init__(self, *words: str) -> None:
        self._words = [sys.executable, "-u", "-m", "azuresim", *words]
        self.environment: dict[str, str] = {}
        self.vms: list[str] = []
        self.vaults: list[str] = []
        self.start()

    def start(self) -> None:
        """Serve; returns once it does."""
        self._process = subprocess.Popen(self._words, stdout=subprocess.PIPE, text=True, start_new_session=True)
        assert self._process.stdout is not None
        lines = [""]
        with ending(self._process, START_S):
            while not lines[-1].startswith("# ready"):
                line = self._process.stdout.readline()
                assert line, "the simulator did not start"
                lines.append(line.strip())
        self._read(lines[1:])

    def _read(self, lines: Sequence[str]) -> None:
        exported = [shlex.split(line)[1] for line in lines if line.startswith("export ")]
        self.environment = dict(each.split("=", 1) for each in exported)
        self.environment["VMBACKUP_ARM_ENDPOINT"] = lines[0].split()[-1]
        named = [line.split()[-1] for line in lines]
        self.vms = [each for each in named if "/virtualMachines/" in each]
        self.vaults = [each for each in named if "/vaults/" in each]

    def kill(self) -> None:
        """End it at once, in the middle of whatever it does."""
        self._process.kill()
        self._process.wait()
        if self._process.stdout:
            self._process.stdout.close()

    def __enter__(self) -> Server:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()
