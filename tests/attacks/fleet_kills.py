"""A fleet that changes something is killed at any moment, in any of its processes or in Azure's place: after it was
named again each VM has one result, and no change was asked for twice."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import unquote, urlsplit

from attacks.attack import Attack, Case
from azuresim.kept import count, requests
from cures import CURES
from server import Server
from vmbackup.arm.audit import changes, rows
from vmbackup.fleet.ledger import Ledger
from vmbackup.remedies.receipt import BACKUP
from vmbackup.runs.folder import AUDIT, NOTEBOOK, RunFolder

WORLDS = ("agent_stopped_linux", "no_internet_linux", "extension_failed_linux", "restore_points_lock_windows")
VICTIMS = {
    "coordinator": "vmbackup\0fleet",
    "worker": "multiprocessing.spawn",
    "zygote": "vmbackup.fleet.zygote",  # and the kernels that it forked
    "simulator": "",
}
"""Each with the words by which it is found among the processes."""
SEEDS = 100
MOST_REQUESTS = 430
"""About as many as the whole run sends."""
LONGEST_S = 2.0
OUTAGES_S = (1.5, 12.0)
"""At most so long: what is tried again finds Azure there, or gives up."""
ENDS = (0, 1, 3, 4)
"""The exit codes of a run in which every VM has a result."""


def cases() -> list[Case]:
    """A hundred moments, and whom it meets."""
    victims = list(VICTIMS)
    return [(victims[seed % len(victims)], seed) for seed in range(SEEDS)]


def attempt(victim: str, seed: int) -> list[str]:
    """Kill one process at a moment by chance, then name the VMs again."""
    chance = random.Random(seed)
    with TemporaryDirectory() as made, Server(*WORLDS, "--keep", f"{made}/azure") as server:
        there = Fleet(Path(made), server)
        there.killed(victim, chance)
        finished = there.notebooks()
        code = there.ended(there.begun())
        found = [f"ended with {code}"] if code not in ENDS else []
        now = there.notebooks()
        found += [f"run again: {name}" for name, notebook in finished.items() if now.get(name) != notebook]
        found += [f"{len(now)} of {len(WORLDS)} VMs have a result"] if len(now) != len(WORLDS) else []
        return found + there.twice() + there.unaudited() + there.left_open()


class Fleet:
    """Some VMs with remedies and a backup to prove them, and the folder that their runs are in."""

    def __init__(self, folder: Path, server: Server) -> None:
        self.folder, self.server = folder / "fleet", server
        self._azure, self._table = folder / "azure", folder / "vms.yaml"
        self._table.write_text(json.dumps([self._row(vm, world) for vm, world in zip(server.vms, WORLDS, strict=True)]))

    def _row(self, vm_id: str, world: str) -> dict[str, object]:
        agreed = {"remedies": ",".join(CURES[world]), "max_risk": "high", "retry": True}
        return {"vm_id": vm_id, "probe": "never", "deadline_s": 60, **agreed}

    def begun(self) -> subprocess.Popen[bytes]:
        words = [sys.executable, "-m", "vmbackup", "fleet", "--from", str(self._table), "--resume"]
        words += ["--folder", str(self.folder), "--workers", "2", "--json"]
        nowhere = subprocess.DEVNULL
        environment = {**os.environ, **self.server.environment}
        return subprocess.Popen(words, stdout=nowhere, stderr=nowhere, env=environment, start_new_session=True)

    def killed(self, victim: str, chance: random.Random) -> None:
        """Begin, kill one process at a moment by chance, and let the others come to their end."""
        process = self.begun()
        last, delay_s = chance.randrange(MOST_REQUESTS), chance.random() * LONGEST_S * (chance.random() < 0.2)
        while count(self._azure) < last and process.poll() is None:
            time.sleep(0.005)
        time.sleep(delay_s)
        below = [process.pid, *_below(process.pid)]
        if victim == "simulator":
            self.server.kill()
            time.sleep(chance.random() * chance.choice(OUTAGES_S))
            self.server.start()
        elif found := [pid for pid in below if VICTIMS[victim] in _words(pid)]:
            with suppress(ProcessLookupError):
                os.kill(chance.choice(found), signal.SIGKILL)
        self.ended(process)
        until = time.monotonic() + 20
        while time.monotonic() < until and any(map(_words, below)):
            time.sleep(0.02)

    def ended(self, process: subprocess.Popen[bytes]) -> int | None:
        """Its exit code; None where it does not end."""
        try:
            return process.wait(180)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            return None

    def notebooks(self) -> dict[str, bytes]:
        """The executed notebooks of the VMs that are finished."""
        ledger = Ledger(str(self.folder))
        return {name: Path(ledger.folder(name), NOTEBOOK).read_bytes() for name in ledger.finished()}

    def twice(self) -> list[str]:
        """Changes that were asked for more than once. A backup that failed may be followed by another: where Azure was
        silent, it may have come before the end of the change that it was to prove."""
        sent = Counter(self._changes())
        for each in (each for folder in self._folders() for each in RunFolder(folder).journal.receipts()):
            sent[("POST", f"{each.resource}/backup", b"")] -= (each.remedy, each.outcome) == (BACKUP, "failed")
        return [f"sent {count} times: {each}" for each, count in sent.items() if count > 1]

    def unaudited(self) -> list[str]:
        """Changes that are in no VM's audit."""
        logs = [RunFolder(folder).log(AUDIT) for folder in self._folders()]
        noted = Counter((row["method"], row["resource"]) for log in logs for row in rows(log))
        reached = Counter((method, path) for method, path, _ in self._changes())
        return [f"reached Azure without a row: {each}" for each in reached - noted]

    def left_open(self) -> list[str]:
        """Changes that nobody ended, and files that could not be read."""
        open_ = [each for folder in self._folders() for each in RunFolder(folder).journal.unfinished()]
        aside = self.folder.rglob("*.unreadable*")
        return [f"left open: {each.remedy}" for each in open_] + [f"set aside: {path.name}" for path in aside]

    def _changes(self) -> list[tuple[str, str, bytes]]:
        found = [(each.method, unquote(urlsplit(each.target).path), each.body) for each in requests(self._azure)]
        # Of a backup the body says until when it is kept: by the second no two are the same.
        found = [(method, path, b"" if path.endswith("/backup") else body) for method, path, body in found]
        return [each for each in found if changes(each[0], f"https://x{each[1]}")]

    def _folders(self) -> list[Path]:
        return sorted((self.folder / "vms").glob("*"))


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


ATTACK = Attack("after kill -9 each VM of a fleet has one result, and nothing was changed twice", cases, attempt)
