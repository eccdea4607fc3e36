"""One remedy for many VMs: it makes some of them worse, its process is killed at any moment, or two operators apply it
to the same VMs at once."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory

from attacks.attack import Attack, Case
from faulty_fleets import SPOILT, FaultyFleet, examined, faulty_fleet
from vmbackup.fleet.rollout.vm import Patience
from vmbackup.runs.rollout import End, Ending

VMS, HARMED, SEEDS = 60, 6, 100
PROGRAM = Path(__file__).parents[1] / "vmbackup" / "fleet" / "rollout" / "rollout_process.py"
FEWER, LONGEST = 7, 400
"""VMs of the smaller fleets, and so many requests may pass before a kill: all of them send about as many."""


def cases() -> list[Case]:
    """A hundred fleets for each."""
    return [(kind, seed) for seed in range(SEEDS) for kind in ("worse", "kill", "operators")]


def attempt(kind: str, seed: int) -> list[str]:
    """Try one."""
    chance = random.Random(f"{kind} {seed}")
    with TemporaryDirectory() as made:
        return {"worse": _worse, "kill": _kill, "operators": _operators}[kind](Path(made), chance)


def _worse(folder: Path, chance: random.Random) -> list[str]:
    """A tenth of sixty VMs gets worse."""
    bad = chance.sample(range(VMS), HARMED)
    with faulty_fleet(folder, VMS, dict.fromkeys(bad, SPOILT)) as vms:
        ends = vms.carried_out()
        harmed = vms.harmed()
        found = vms.sent_twice()
    waves = {ends[name]["wave"] for name in harmed}
    last = max(end["wave"] for end in ends.values())
    found += [] if waves == {last} else [f"harmed in the waves {waves} of {last}"]
    worse = {name for name, end in ends.items() if end["ending"] == Ending.WORSE}
    return found + ([] if worse == harmed else [f"harmed {harmed}, called worse {worse}"])


def _kill(folder: Path, chance: random.Random) -> list[str]:
    """The process is killed, Azure goes on, and another process does the rest."""
    with faulty_fleet(folder, FEWER, operation_polls=chance.choice((2, 10))) as vms:
        retry = chance.random() < 0.5
        proposal = vms.propose(retry=retry)
        record = vms.begin(proposal)
        environment = {**os.environ, "VMBACKUP_ARM_ENDPOINT": vms.simulator.endpoint}
        command = [sys.executable, str(PROGRAM), vms.ledger.place, record.digest]
        process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        last = chance.randrange(LONGEST)
        while len(vms.simulator.requests) < last and process.poll() is None:
            time.sleep(0.001)
        process.kill()
        process.wait()
        time.sleep(0.1)  # what is on its way still arrives
        vms.go_on()
        list(vms.run_of(proposal, record, patience=Patience(5, 0.05)).run())
        ends = record.ended()
        found = vms.sent_twice()
        found += [f"not changed: {name}" for name in set(ends).difference(vms.deleted)]
    wanted = Ending.HELPED if retry else Ending.UNCLEAR
    found += [f"{name}: {end['ending']}, {end['why']}" for name, end in ends.items() if end["ending"] != wanted]
    return found + ([] if len(ends) == FEWER else [f"{len(ends)} ends"])


def _operators(folder: Path, chance: random.Random) -> list[str]:
    """Two folders, the same VMs, at the same time."""
    with faulty_fleet(folder / "a", FEWER, operation_polls=5) as vms:
        other = FaultyFleet(vms.simulator, vms.worlds, examined(folder / "b", vms.worlds))

        def carried_out(each: FaultyFleet, wait_s: float) -> dict[str, End]:
            time.sleep(wait_s)
            return each.carried_out(width=3)

        with ThreadPoolExecutor(2) as pool:
            both = [pool.submit(carried_out, each, chance.random()) for each in (vms, other)]
            ends = [each.result() for each in both]
        found = vms.sent_twice()
        found += [] if len(set(vms.deleted)) == FEWER else [f"changed only {sorted(set(vms.deleted))}"]
    made = Counter(end["ending"] for each in ends for end in each.values())
    expected = {Ending.UNCLEAR: FEWER, Ending.LEFT_OUT: FEWER}
    return found + ([] if made == expected else [f"{dict(made)}"])


ATTACK = Attack("harm stays in one wave, nothing is sent twice, and what was begun comes to its end", cases, attempt)
