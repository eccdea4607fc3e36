"""A fleet's run goes on after any death, repeats nothing that is finished, and stops when it is told to."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from processes import started
from saying import refused
from vmbackup.fleet import pool
from vmbackup.fleet.coordinator import FleetRun
from vmbackup.fleet.ledger import Ledger
from vmbackup.runs.begun import begin
from vmbackup.runs.folder import RunFolder

from .fleet_process import specs

COUNT = 8


def begun(folder: Path, workers: int = 2) -> AbstractContextManager[subprocess.Popen[str]]:
    words = [sys.executable, str(Path(__file__).with_name("fleet_process.py")), str(folder), str(COUNT), str(workers)]
    return started(words, stderr=subprocess.PIPE)


def children(pid: int) -> list[int]:
    found, waiting = [], [pid]
    while waiting:
        each = waiting.pop()
        for task in Path(f"/proc/{each}/task").glob("*"):
            below = [int(child) for child in (task / "children").read_text().split()]
            found += below
            waiting += below
    return found


def lives(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def done(folder: Path) -> Counter[str]:
    file = folder / "done"
    return Counter(file.read_text().split()) if file.exists() else Counter()


def test_after_the_coordinator_is_killed_the_rest_is_run_and_nothing_finished_again(tmp_path: Path) -> None:
    chance = random.Random(1)
    with begun(tmp_path) as process:
        assert process.stdout is not None
        for _ in range(chance.randrange(1, COUNT - 1)):
            process.stdout.readline()
        time.sleep(chance.random() / 4)
        workers = children(process.pid)
        process.kill()
        process.wait()
        until = time.monotonic() + 60
        while any(map(lives, workers)):
            assert time.monotonic() < until, "a worker goes on without its coordinator"
            time.sleep(0.01)
    finished = Ledger(str(tmp_path)).finished()
    assert finished
    with begun(tmp_path, workers=1) as again:
        told, errors = again.communicate()
        assert again.returncode == 0, errors
    assert {line.split()[0] for line in told.splitlines()} == {f"vm-{number}" for number in range(COUNT)} - finished
    assert len(Ledger(str(tmp_path)).finished()) == COUNT
    assert all(done(tmp_path)[name] == 1 for name in finished)


def test_a_worker_and_the_zygote_that_die_lose_no_vm(tmp_path: Path) -> None:
    with begun(tmp_path) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        told = process.stdout.readline()
        kill("multiprocessing.spawn", process.pid)
        told += process.stdout.readline() + process.stdout.readline() + process.stdout.readline()
        kill("vmbackup.fleet.zygote", process.pid)
        # Not by communicate: that would lose what was read ahead with the lines.
        told += process.stdout.read()
        assert process.wait() == 0, process.stderr.read()
    ended = [line.split()[0] for line in told.splitlines()]
    assert sorted(ended) == sorted(f"vm-{number}" for number in range(COUNT)), "each VM has exactly one end"
    failed = [line for line in told.splitlines() if len(line.split()) > 1]
    assert len(failed) <= 2, failed
    assert len(Ledger(str(tmp_path)).finished()) == COUNT - len(failed)


def kill(words: str, coordinator: int) -> None:
    """The first of its processes with these words."""
    victim = next(pid for pid in children(coordinator) if words in Path(f"/proc/{pid}/cmdline").read_text())
    os.kill(victim, signal.SIGKILL)


def test_two_runs_on_one_folder_are_refused(tmp_path: Path) -> None:
    with Ledger(str(tmp_path)).held(), refused("Somebody else is working in"), Ledger(str(tmp_path)).held():
        raise AssertionError("never reached")


@pytest.fixture(scope="module")
def workers() -> Iterator[pool.Workers]:
    with pool.local(1) as one:
        yield one


def test_a_folder_that_cannot_be_made_stops_the_run_and_is_named(workers: pool.Workers, tmp_path: Path) -> None:
    [order, *_] = specs(tmp_path, 1)
    (tmp_path / "fleet" / "vms").mkdir(parents=True)
    (tmp_path / "fleet" / "vms" / "vm-0").touch()
    with refused("cannot be written.*--resume"):
        list(FleetRun(Ledger(str(tmp_path / "fleet")), [order]).run(workers))


def test_it_stops_after_too_many_errors_and_goes_on_with_those_that_failed(
    workers: pool.Workers, tmp_path: Path
) -> None:
    ledger = Ledger(str(tmp_path))
    run = FleetRun(ledger, specs(tmp_path, 6, "raise ValueError('no such VM')"), max_errors=1)
    ended = list(run.run(workers))
    assert run.too_many_errors
    assert 2 <= len(ended) < 6
    assert {each.error for each in ended} == {"no such VM"}
    assert run.tally.failed == len(ended)
    assert ledger.finished() == frozenset()
    (tmp_path / "work.ipynb").unlink()
    again = FleetRun(ledger, specs(tmp_path, 6))
    assert [each.error for each in again.run(workers)] == [None] * 6
    assert again.tally.causes == 6
    assert len(ledger.finished()) == 6
    assert list(FleetRun(ledger, specs(tmp_path, 6)).waiting) == []
    assert again.left_open == 0
    begin(RunFolder(ledger.folder("vm-3")))  # as it stays where it is not known how a change ended
    assert again.left_open == 1
    assert [each.name for each in FleetRun(ledger, specs(tmp_path, 6)).waiting] == ["vm-3"]
