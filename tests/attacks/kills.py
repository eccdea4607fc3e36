"""A process is killed at any moment of a change: all that it sent is on file, and the next run ends it without a second
request of its kind."""

from __future__ import annotations

import random
import time
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import unquote

from attacks.attack import Attack, Case
from attacks.children import BACK_UP, CONTEXT, Child, change, run_of
from cures import ALONE
from remedy_worlds import Case as World
from remedy_worlds import opened

ROUNDS = 10
LONGEST = 60
"""So many requests may pass before the kill; a change from its first look to its end sends about as many."""


def cases() -> list[Case]:
    """Every command that changes something, killed at ten moments."""
    worlds = {**ALONE, BACK_UP: "healthy_linux"}
    return [(remedy, world, number) for remedy, world in worlds.items() for number in range(ROUNDS)]


def attempt(remedy: str, world: str, number: int) -> list[str]:
    """Kill an operator's process after some requests, then let another one go on in the same run folder."""
    chance = random.Random(f"{remedy} {number}")
    with TemporaryDirectory() as folder, opened(world, Path(folder), operation_polls=15) as case:
        _killed(case, Path(folder), remedy, chance.randrange(LONGEST), chance.random() / 50)
        reached = Counter((method, unquote(path)) for method, path in case.changing())
        noted = Counter((row["method"], row["resource"]) for row in case.audited())
        found = [f"reached Azure without a row: {each}" for each in reached - noted]
        told = _gone_on(case, folder, remedy)
        journal = run_of(case, folder).files.journal
        sent = Counter(case.changing())
        found += [f"sent {count} times: {each}" for each, count in sent.items() if count > 1]
        found += [f"left open: {each.remedy} ({told})" for each in journal.unfinished()]
        found += [f"set aside: {path.name}" for path in Path(folder).rglob("*.unreadable-*")]
        if reached and not journal.receipts():
            found.append(f"no receipt ({told})")
    return found


def _killed(case: World, folder: Path, remedy: str, requests: int, delay_s: float) -> None:
    barrier = CONTEXT.Barrier(2)
    child = Child(case, folder, remedy, barrier)
    barrier.wait(120)
    last = len(case.simulator.requests) + requests
    while len(case.simulator.requests) < last and child.process.is_alive():
        time.sleep(0.001)
    time.sleep(delay_s)
    child.kill()
    time.sleep(0.1)  # what is on its way still arrives


def _gone_on(case: World, folder: str, remedy: str) -> list[str]:
    """What the next runs say: one at once, and one when Azure has ended whatever it was at."""
    told = []
    for _ in range(2):
        run = run_of(case, folder)
        run.collect()
        if run.files.journal.receipts() and not run.files.journal.unfinished():
            break  # the killed process was at its end
        told.append(change(run, remedy).words)
        for operation in list(case.simulator.azure.operations.known.values()) * 20:
            operation.poll()
    return told


ATTACK = Attack("after kill -9 all changes are on file, none is made twice, and the next run ends it", cases, attempt)
