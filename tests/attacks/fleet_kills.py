"""A fleet's processes are killed at any moment: after resume each VM has one result, and what was finished is not run
again."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from collections import Counter
from contextlib import suppress
from os import kill
from pathlib import Path
from tempfile import TemporaryDirectory

from attacks.attack import Attack, Case
from vmbackup.fleet.ledger import Ledger

COUNT, SEEDS, LONGEST_S = 8, 100, 6.0
VICTIMS = ("coordinator", "worker", "zygote")
PROGRAM = Path(__file__).parents[1] / "vmbackup" / "fleet" / "fleet_process.py"


def cases() -> list[Case]:
    """A hundred moments, and whom it meets."""
    return [(VICTIMS[seed % len(VICTIMS)], seed) for seed in range(SEEDS)]


def attempt(victim: str, seed: int) -> list[str]:
    """Kill one process at a moment by chance, then run what is left."""
    chance = random.Random(seed)
    with TemporaryDirectory() as made:
        folder = Path(made)
        process = _begun(folder)
        time.sleep(chance.random() * LONGEST_S)
        below = _below(process.pid)
        _kill(process, below, victim, chance)
        if victim != "coordinator":
            with suppress(subprocess.TimeoutExpired):
                process.wait(120)
        process.kill()
        process.wait()
        _await_end(below)
        finished = Ledger(str(folder)).finished()
        before = _done(folder)
        again = _begun(folder)
        code = again.wait(180)
        runs = Counter({name: count - before[name] for name, count in _done(folder).items()})
        found = [f"run again: {name}" for name in finished if runs[name]]
        found += [f"run {count} times after resume: {name}" for name, count in runs.items() if count > 1]
        lost = {f"vm-{number}" for number in range(COUNT)} - Ledger(str(folder)).finished()
        found += [f"without a result: {name}" for name in sorted(lost)]
        return found + ([f"ended with {code}"] if code else [])


def _begun(folder: Path) -> subprocess.Popen[bytes]:
    words = [sys.executable, str(PROGRAM), str(folder), str(COUNT)]
    nowhere = subprocess.DEVNULL
    return subprocess.Popen(words, stdout=nowhere, stderr=nowhere, start_new_session=True)


def _kill(process: subprocess.Popen[bytes], below: list[int], victim: str, chance: random.Random) -> None:
    wanted = {"worker": "multiprocessing.spawn", "zygote": "vmbackup.fleet.zygote"}.get(victim)
    pids = [pid for pid in below if wanted and wanted in _words(pid)] if wanted else [process.pid]
    if pids:
        with suppress(ProcessLookupError):
            kill(chance.choice(pids), signal.SIGKILL)


def _words(pid: int) -> str:
    with suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_text()
    return ""


def _below(pid: int) -> list[int]:
    found, waiting = [], [pid]
    while waiting:
        each = waiting.pop()
        for task in Path(f"/proc/{each}/task").glob("*"):
            with suppress(OSError):
                children = [int(child) for child in (task / "children").read_text().split()]
                found += children
                waiting += children
    return found


def _await_end(pids: list[int]) -> None:
    until = time.monotonic() + 20
    while time.monotonic() < until and any(Path(f"/proc/{pid}").exists() for pid in pids):
        time.sleep(0.02)


def _done(folder: Path) -> Counter[str]:
    file = folder / "done"
    return Counter(file.read_text().split()) if file.exists() else Counter()


ATTACK = Attack("after kill -9 each VM has one result, and what was finished is not run again", cases, attempt)
