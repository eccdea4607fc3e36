"""A fleet on a Dask cluster: a worker that is killed in the middle of a VM loses none, and its kernels end with it.
Where none is left the fleet stops."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from saying import refused
from vmbackup.fleet import pool
from vmbackup.fleet.coordinator import FleetRun
from vmbackup.fleet.ledger import Ledger

from .fleet_process import specs

SLOW = """
import json, os, pathlib, time
folder = pathlib.Path(run_folder)
(folder.parent.parent / f"begun-{folder.name}").touch()
time.sleep(1)
(folder / "result.json").write_text(json.dumps({"outcome": "no_cause_found"}))
"""


@pytest.mark.filterwarnings("ignore")  # Dask's own threads and sockets at its end
def test_a_worker_that_is_killed_loses_no_vm(tmp_path: Path) -> None:
    from distributed import LocalCluster

    options = {"dashboard_address": None, "host": "127.0.0.1", "threads_per_worker": 1}
    with LocalCluster(n_workers=2, processes=True, **options) as cluster:
        orders, ledger = specs(tmp_path, 3, SLOW), Ledger(str(tmp_path / "fleet"))
        with ledger.held(), pool.cluster(cluster.scheduler_address) as workers:
            victim = next(iter(cluster.workers.values())).pid
            run = FleetRun(ledger, orders)
            running = run.run(workers)
            first = next(running)
            os.kill(victim, signal.SIGKILL)
            ended = [first, *running]
    assert sorted(each.spec.name for each in ended) == ["vm-0", "vm-1", "vm-2"], "each VM has exactly one end"
    assert [each.error for each in ended] == [None] * 3
    assert ledger.finished() == {"vm-0", "vm-1", "vm-2"}


@pytest.mark.filterwarnings("ignore")
def test_when_no_worker_is_left_the_fleet_stops_and_can_be_resumed(tmp_path: Path) -> None:
    from distributed import LocalCluster

    options = {"dashboard_address": None, "host": "127.0.0.1", "threads_per_worker": 1}
    orders, ledger = specs(tmp_path, 4, SLOW), Ledger(str(tmp_path / "fleet"))
    with (
        LocalCluster(n_workers=1, processes=True, **options) as cluster,
        ledger.held(),
        pool.cluster(cluster.scheduler_address, patience_s=2) as workers,
    ):
        running = FleetRun(ledger, orders).run(workers)
        next(running)
        cluster.scale(0)
        with refused("no worker for 2 seconds.*--resume"):
            list(running)
    finished = ledger.finished()
    assert finished, "what has finished is kept"
    waiting = {spec.name for spec in FleetRun(ledger, orders).waiting}
    assert waiting == {"vm-0", "vm-1", "vm-2", "vm-3"} - finished != set(), "a resumed run does the rest"


def test_where_no_scheduler_answers_that_is_said() -> None:
    begun = time.monotonic()
    with refused("cannot be reached"), pool.cluster("tcp://127.0.0.1:9"):
        raise AssertionError("never reached")
    assert time.monotonic() - begun < 40
