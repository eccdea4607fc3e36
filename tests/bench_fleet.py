"""A fleet from end to end: the real runbooks against the simulator, each part a process of its own.

``python -m tests.bench_fleet`` runs ten thousand VMs once (``make bench-fleet``); ``make bench`` takes the figures of
:func:`figures`. Nine of ten VMs are healthy, the others of ``azuresim.fleet.MIX``. The simulator shares the machine, so
its CPU is named apart.

``fleet_<VMs>_…``  so many VMs below a management group through the command, from its start to the summary. What the
                   command takes for FEWEST is its start; the costs per VM are beyond that. Each subscription holds
                   OF_A_SUBSCRIPTION of them.
``vault_<VMs>_…``  so many in one vault, where Azure's limit for a subscription counts: 25 reads a second.
``runbook_…``      VMs that are all examined, with the same runbook and as many processes: one VM more, once both
                   engines are warm, through the command and through ``papermill.execute_notebook`` in a pool. They
                   are of four subscriptions: the command keeps to Azure's limits in each, the pool to none.
"""

from __future__ import annotations

import json
import os
import resource
import shlex
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event, Thread
from typing import Any

from tests.bench_engine import cpu_below

ROOT = Path(__file__).parents[1]
WIDTH = os.cpu_count() or 2
FEWEST, FEW, MANY, MOST = 10, 100, 1000, 10_000
OF_A_SUBSCRIPTION = 100
SEED = 645
"""With it a tenth of each of these fleets is not healthy."""
ROUNDS = 3
RUNBOOK = ROOT / "notebooks" / "05_internal_error.ipynb"
SIDE_BY_SIDE, IN_SUBSCRIPTIONS = 60, 4
WARM = 2 * WIDTH + 2
"""VMs after which both engines are warm: each process has had two."""


@dataclass(frozen=True, slots=True)
class Simulated:
    """A simulated fleet in a process of its own: its number, how it is reached, its vault, its first VMs."""

    pid: int
    environment: Mapping[str, str]
    vault: str
    vms: tuple[str, ...]

    def cpu_s(self) -> float:
        """What it used so far."""
        return cpu_below(self.pid)


@contextmanager
def simulated(count: int, healthy: float = 0.9, subscriptions: int = 1) -> Iterator[Simulated]:
    """A fleet of so many VMs."""
    options = {"--fleet": count, "--healthy": healthy, "--subscriptions": subscriptions, "--seed": SEED}
    words = [sys.executable, "-u", "-m", "azuresim", *(str(word) for option in options.items() for word in option)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        try:
            assert process.stdout is not None
            environment, vault, vms = {}, "", []
            for line in process.stdout:
                if line.startswith("# https://"):
                    environment["VMBACKUP_ARM_ENDPOINT"] = line.removeprefix("# ").strip()
                elif line.startswith("export "):
                    name, _, value = shlex.split(line)[1].partition("=")
                    environment[name] = value
                elif line.startswith("# vault: "):
                    vault = line.removeprefix("# vault: ").strip()
                elif "/virtualMachines/" in line:
                    vms.append(line.rpartition(" ")[2].strip())
                if len(vms) == min(count, 200):
                    break
            yield Simulated(process.pid, environment, vault, tuple(vms))
        finally:
            process.terminate()


@dataclass(frozen=True, slots=True)
class Used:
    """Seconds on the wall, of CPU, and of the simulator's CPU, up to some moment."""

    wall_s: float
    cpu_s: float
    simulator_s: float

    @classmethod
    def now(cls, pid: int, there: Simulated) -> Used:
        """Up to now, by the process and all below it."""
        return cls(time.perf_counter(), cpu_below(pid) - _below(pid, there), there.cpu_s())

    def each(self, since: Used, count: int) -> Used:
        """For each of so many, since another moment."""
        names = ("wall_s", "cpu_s", "simulator_s")
        return Used(*((getattr(self, name) - getattr(since, name)) / count for name in names))


def _below(pid: int, there: Simulated) -> float:
    """What the simulator used, where it is one of the processes below."""
    return there.cpu_s() if pid == os.getpid() else 0.0


@dataclass(frozen=True, slots=True)
class Run:
    """What ``vmbackup fleet`` took: in all, and for each VM once it was warm; how it ended, and with --explain-calls
    the calls by API."""

    used: Used
    warm: Used | None
    peak_mb: float
    end: Mapping[str, Any]
    calls: Mapping[str, Any]


def fleet(there: Simulated, folder: str, *words: str) -> Run:
    """One run of the command."""
    command = [sys.executable, "-m", "vmbackup", "fleet", "--json", "--folder", folder, *words]
    begun = Used(time.perf_counter(), _of_ended(), there.cpu_s())
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, cwd=ROOT, env={**os.environ, **there.environment}
    )
    peak: list[float] = [0.0]
    ended = Event()
    Thread(target=_watch, args=(process.pid, peak, ended), daemon=True).start()
    assert process.stdout is not None
    events, marks = {}, []
    for event in map(json.loads, process.stdout):
        events[event["event"]] = event
        if event["event"] == "vm":
            marks.append(Used.now(process.pid, there))
    process.wait()
    ended.set()
    used = Used(time.perf_counter(), _of_ended(), there.cpu_s()).each(begun, 1)
    return Run(used, _warm(marks), peak[0], events["end"], events.get("calls", {}).get("by_api", {}))


def _of_ended() -> float:
    """Seconds of CPU of all processes that ended, with those that they waited for."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _warm(marks: Sequence[Used]) -> Used | None:
    """What one VM took after the first few."""
    return marks[-1].each(marks[WARM - 1], len(marks) - WARM) if len(marks) > 2 * WARM else None


def _watch(pid: int, peak: list[float], ended: Event) -> None:
    while not ended.wait(0.2):
        try:
            status = Path(f"/proc/{pid}/status").read_text()
        except OSError:
            return
        [line] = [line for line in status.splitlines() if line.startswith("VmHWM")] or ["VmHWM: 0 kB"]
        peak[0] = max(peak[0], int(line.split()[1]) / 1024)


def whole(count: int) -> dict[str, float]:
    """A fleet of so many VMs through the command: seconds in all, of CPU, and the coordinator's memory."""
    with simulated(count, subscriptions=max(1, count // OF_A_SUBSCRIPTION)) as there, TemporaryDirectory() as folder:
        return _whole(f"fleet_{count}", fleet(there, f"{folder}/run", "--management-group", "all"))


def in_one_vault(count: int) -> dict[str, float]:
    """The same of so many VMs in one vault."""
    with simulated(count) as there, TemporaryDirectory() as folder:
        return _whole(f"vault_{count}", fleet(there, f"{folder}/run", "--vault", there.vault))


def _whole(name: str, run: Run) -> dict[str, float]:
    return {
        f"{name}_s": run.used.wall_s,
        f"{name}_cpu_s": run.used.cpu_s,
        f"{name}_simulator_cpu_s": run.used.simulator_s,
        f"{name}_coordinator_mb": run.peak_mb,
        f"{name}_examined": run.end["total"],
        f"{name}_failed": run.end["failed"],
    }


def per_vm(found: Mapping[str, float], count: int) -> dict[str, float]:
    """What each VM costs beyond the start of the command."""
    return {
        f"fleet_{count}_per_vm_{kind}": (found[f"fleet_{count}_{kind}"] - found[f"fleet_{FEWEST}_{kind}"])
        / (count - FEWEST)
        for kind in ("s", "cpu_s")
    }


def over(found: Mapping[str, float], many: int, few: int) -> dict[str, float]:
    """The cost of a VM among many over that among few."""
    return {
        f"fleet_{many}_over_{few}_per_vm_{kind}": found[f"fleet_{many}_per_vm_{kind}"]
        / found[f"fleet_{few}_per_vm_{kind}"]
        for kind in ("s", "cpu_s")
    }


def calls(count: int) -> dict[str, float]:
    """Calls to Azure Resource Manager: those of the lists for each VM that they show to be well, else of its run."""
    found = {}
    for name, words in (("", ()), ("_without_points", ("--without-points",))):
        with simulated(count) as there, TemporaryDirectory() as folder:
            run = fleet(there, f"{folder}/run", "--vault", there.vault, "--explain-calls", *words)
        lists, runs, _ = map(sum, zip(*(run.calls[api] for api in run.calls.keys() - {"metrics"}), strict=True))
        found[f"arm_calls_per_healthy_vm{name}"] = lists / (count - run.end["total"])
        found[f"arm_calls_per_undecided_vm{name}"] = runs / run.end["total"]
    return found


def side_by_side() -> dict[str, float]:
    """The same runbooks of the same VMs: through the command, and through papermill in a pool of processes."""
    with simulated(SIDE_BY_SIDE, 0.0, IN_SUBSCRIPTIONS) as there, TemporaryDirectory() as folder:
        table = Path(folder) / "vms.csv"
        table.write_text("vm_id,section\n" + "".join(f"{vm},internal_error\n" for vm in there.vms))
        ours = fleet(there, f"{folder}/run", "--from", str(table))
        theirs = _pooled(there, Path(folder))
    assert ours.warm is not None
    found = {
        f"runbook_{name}_{field}": getattr(used, field)
        for name, used in (("fleet", ours.warm), ("pool", theirs))
        for field in Used.__slots__
    }
    return {
        **found,
        "runbook_fleet_with_start_s": ours.used.wall_s / SIDE_BY_SIDE,
        "pool_over_fleet_wall": theirs.wall_s / ours.warm.wall_s,
        "pool_over_fleet_cpu": theirs.cpu_s / ours.warm.cpu_s,
    }


def _pooled(there: Simulated, folder: Path) -> Used:
    with ProcessPoolExecutor(WIDTH, get_context("spawn"), _sign_in, (dict(there.environment),)) as pool:
        runs = [pool.submit(_papermill, vm, str(folder / f"pool-{n}")) for n, vm in enumerate(there.vms)]
        marks = [Used.now(os.getpid(), there) for future in as_completed(runs) if future.result() is None]
    warm = _warm(marks)
    assert warm is not None
    return warm


def _sign_in(environment: dict[str, str]) -> None:
    os.environ.update(environment)


def _papermill(vm: str, folder: str) -> None:
    from papermill.execute import execute_notebook

    parameters = {"azure": "live", "vm_id": vm, "run_folder": folder}
    execute_notebook(RUNBOOK, f"{folder}.ipynb", parameters, progress_bar=False)


def figures() -> dict[str, float]:
    """Medians of the rounds, in which small and large fleets take turns."""
    rounds = [{**whole(FEWEST), **whole(FEW), **whole(MANY)} for _ in range(ROUNDS)]
    found = {name: statistics.median(each[name] for each in rounds) for name in rounds[0]}
    found |= {**per_vm(found, FEW), **per_vm(found, MANY)}
    return {**found, **over(found, MANY, FEW), **calls(FEW), **side_by_side()}


def main() -> None:
    """Ten thousand VMs, once, beside a thousand and beside a thousand in one vault."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else MOST
    found = {**whole(FEWEST), **whole(MANY), **whole(count), **in_one_vault(MANY)}
    found |= {**per_vm(found, MANY), **per_vm(found, count)}
    for name, value in {**found, **over(found, count, MANY)}.items():
        print(f"{name:38} {value:10.3f}")


if __name__ == "__main__":
    main()
