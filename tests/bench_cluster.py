"""A fleet on one worker of a Dask cluster, and on as many as there are cores, up to four: how near that comes to ideal.

The same runs in both, each worker warm: real runbooks against a simulator that answers after 200 ms, as Azure does, so
that a worker mostly waits, and apart from them notebooks that only compute. Workers, scheduler, client and simulator
share this machine's cores: what only computes can be no faster than these leave it.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import nbformat

from server import Server
from vmbackup.fleet import pool
from vmbackup.fleet.execute import RunSpec
from vmbackup.fleet.orders import orders

MOST = min(4, os.cpu_count() or 1)
RUNS = 4 * MOST
LATENCY_MS = 200
COMPUTES = """
import json, pathlib
sum(number * number for number in range(6_000_000))
pathlib.Path(run_folder, "result.json").write_text(json.dumps({"outcome": "no_cause_found"}))
"""


def figures() -> dict[str, float]:
    """Seconds a run with one worker and with several, and their ratio over the number of workers: 1 is ideal."""
    with TemporaryDirectory() as made:
        found = _compared("computing", _computing(Path(made)), Path(made))
        words = ("--fleet", str(RUNS + MOST), "--healthy", "0", "--seed", "1", "--latency-ms", str(LATENCY_MS))
        with Server(*words) as server, _inherited(server.environment):
            specs = orders([{"vm_id": vm, "probe": "never"} for vm in server.vms], {}).specs
            return found | _compared("runbook", specs, Path(made))


@contextmanager
def _inherited(environment: Mapping[str, str]) -> Iterator[None]:
    """What the workers started meanwhile find in their environment."""
    before = dict(os.environ)
    os.environ.update(environment)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def _compared(name: str, specs: Sequence[RunSpec], folder: Path) -> dict[str, float]:
    one, many = (_per_run_s(specs, folder / f"{name}-{width}", width) for width in (1, MOST))
    return {
        f"dask_{name}_1_worker_s": one,
        f"dask_{name}_{MOST}_workers_s": many,
        f"dask_{name}_over_ideal": one / many / MOST,
    }


def _per_run_s(specs: Sequence[RunSpec], folder: Path, width: int) -> float:
    """Each worker has one thread; its first run starts its zygote and is not counted."""
    from distributed import LocalCluster

    options = {"dashboard_address": None, "host": "127.0.0.1", "threads_per_worker": 1}
    with (
        LocalCluster(n_workers=width, processes=True, **options) as cluster,
        pool.cluster(cluster.scheduler_address) as workers,
    ):
        warm, counted = specs[:MOST], specs[MOST : MOST + RUNS]
        _run(warm, folder, workers)
        begun = time.perf_counter()
        _run(counted, folder, workers)
        return (time.perf_counter() - begun) / len(counted)


def _run(specs: Sequence[RunSpec], folder: Path, workers: pool.Workers) -> None:
    failed = [run.error for run in pool.completed(specs, lambda spec: str(folder / spec.name), workers) if run.error]
    if failed:
        raise RuntimeError(failed[0])


def _computing(folder: Path) -> list[RunSpec]:
    parameters = nbformat.v4.new_code_cell('run_folder = ""', metadata={"tags": ["parameters"]})
    book = nbformat.v4.new_notebook(cells=[parameters, nbformat.v4.new_code_cell(COMPUTES)])
    book.metadata["kernelspec"] = {"name": "python3", "language": "python", "display_name": "Python 3"}
    path = folder / "computes.ipynb"
    nbformat.write(book, path)
    return [RunSpec(f"vm-{number}", path) for number in range(RUNS + MOST)]


if __name__ == "__main__":
    for name, value in figures().items():
        print(f"{name:34} {value:10.3f}")
