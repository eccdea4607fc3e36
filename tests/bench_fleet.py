"""A fleet from end to end: the real runbooks against the simulator, each part a process of its own.

``python -m tests.bench_fleet`` runs ten thousand VMs once (``make bench-fleet``); ``make bench`` takes the figures of
:func:`figures`. Nine of ten VMs are healthy, the others of ``azuresim.fleet.MIX``.
"""

from __future__ import annotations

import json
import os
import shlex
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event, Thread
from typing import Any

ROOT = Path(__file__).parents[1]
WIDTH = os.cpu_count() or 2
FEW, MANY, MOST = 100, 1000, 10_000
ROUNDS = 3
RUNBOOK = ROOT / "notebooks" / "05_internal_error.ipynb"
SIDE_BY_SIDE = 12


@dataclass(frozen=True, slots=True)
class Simulated:
    """A simulated fleet in a process of its own: how it is reached, its vault, its first VMs."""

    environment: Mapping[str, str]
    vault: str
    vms: tuple[str, ...]


@contextmanager
def simulated(count: int, healthy: float = 0.9) -> Iterator[Simulated]:
    """A fleet of so many VMs."""
    words = [sys.executable, "-u", "-m", "azuresim", "--fleet", str(count), "--healthy", str(healthy), "--seed", "1"]
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
            yield Simulated(environment, vault, tuple(vms))
        finally:
            process.terminate()


@dataclass(frozen=True, slots=True)
class Run:
    """What ``vmbackup fleet`` took, how it ended, and with --explain-calls the calls by API."""

    wall_s: float
    peak_mb: float
    end: Mapping[str, Any]
    calls: Mapping[str, Any]


def fleet(there: Simulated, folder: str, *words: str) -> Run:
    """One run of the command."""
    command = [sys.executable, "-m", "vmbackup", "fleet", "--json", "--folder", folder, *words]
    begun = time.perf_counter()
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, cwd=ROOT, env={**os.environ, **there.environment}
    )
    peak: list[float] = [0.0]
    ended = Event()
    Thread(target=_watch, args=(process.pid, peak, ended), daemon=True).start()
    assert process.stdout is not None
    lines = process.stdout.read().splitlines()
    process.wait()
    ended.set()
    events = {event["event"]: event for event in map(json.loads, lines)}
    return Run(time.perf_counter() - begun, peak[0], events["end"], events.get("calls", {}).get("by_api", {}))


def _watch(pid: int, peak: list[float], ended: Event) -> None:
    while not ended.wait(0.2):
        try:
            status = Path(f"/proc/{pid}/status").read_text()
        except OSError:
            return
        [line] = [line for line in status.splitlines() if line.startswith("VmHWM")] or ["VmHWM: 0 kB"]
        peak[0] = max(peak[0], int(line.split()[1]) / 1024)


def whole(count: int) -> dict[str, float]:
    """A fleet of so many VMs through the command: seconds for all, per VM, and the coordinator's memory."""
    with simulated(count) as there, TemporaryDirectory() as folder:
        run = fleet(there, f"{folder}/run", "--vault", there.vault)
    name = f"fleet_{count}"
    return {
        f"{name}_s": run.wall_s,
        f"{name}_per_vm_s": run.wall_s / count,
        f"{name}_coordinator_mb": run.peak_mb,
        f"{name}_failed": run.end["failed"],
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
    with simulated(SIDE_BY_SIDE, 0.0) as there, TemporaryDirectory() as folder:
        table = Path(folder) / "vms.csv"
        table.write_text("vm_id,section\n" + "".join(f"{vm},internal_error\n" for vm in there.vms))
        ours = fleet(there, f"{folder}/run", "--from", str(table)).wall_s
        theirs = _pooled(there, Path(folder))
    return {
        "runbook_fleet_s": ours / SIDE_BY_SIDE,
        "runbook_pool_s": theirs / SIDE_BY_SIDE,
        "pool_over_fleet_wall": theirs / ours,
    }


def _pooled(there: Simulated, folder: Path) -> float:
    with ProcessPoolExecutor(WIDTH, get_context("spawn"), _sign_in, (dict(there.environment),)) as pool:
        warm = [pool.submit(_papermill, there.vms[0], str(folder / f"warm-{number}")) for number in range(WIDTH)]
        for future in warm:
            future.result()
        begun = time.perf_counter()
        runs = [pool.submit(_papermill, vm, str(folder / f"pool-{n}")) for n, vm in enumerate(there.vms)]
        for future in runs:
            future.result()
        return time.perf_counter() - begun


def _sign_in(environment: dict[str, str]) -> None:
    os.environ.update(environment)


def _papermill(vm: str, folder: str) -> None:
    from papermill.execute import execute_notebook

    parameters = {"azure": "live", "vm_id": vm, "run_folder": folder}
    execute_notebook(RUNBOOK, f"{folder}.ipynb", parameters, progress_bar=False)


def figures() -> dict[str, float]:
    """Medians of the rounds, in which small and large fleets take turns."""
    rounds = [{**whole(FEW), **whole(MANY)} for _ in range(ROUNDS)]
    found = {name: statistics.median(each[name] for each in rounds) for name in rounds[0]}
    found["fleet_cost_of_many_over_few"] = found[f"fleet_{MANY}_per_vm_s"] / found[f"fleet_{FEW}_per_vm_s"]
    return {**found, **calls(FEW), **side_by_side()}


def main() -> None:
    """Ten thousand VMs, once."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else MOST
    for name, value in whole(count).items():
        print(f"{name:34} {value:10.3f}")


if __name__ == "__main__":
    main()
