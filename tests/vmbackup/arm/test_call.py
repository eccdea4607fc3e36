"""Any number of calls share one connection: none takes another's deadline, requests, clock or consent."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from threading import Barrier

import pytest
from azure.identity import DefaultAzureCredential

from azuresim.loading import make_world
from azuresim.serve import Simulator
from vmbackup.arm.audit import Audit, allow_changes, rows
from vmbackup.arm.call import calling, current, gather, remaining_s, start_thread
from vmbackup.arm.client import Arm
from vmbackup.arm.connection import Azure, Connection
from vmbackup.collectors import collect
from vmbackup.model import RemedyRefused, Target
from vmbackup.runs.folder import AUDIT, RunFolder

VMS, HURRIED, CHANGING = 16, 4, (1, 2)
ASKED = ["vm.agent", "network.rules", "backup.jobs"]


@contextmanager
def many(count: int, latency_ms: int) -> Iterator[tuple[Azure, list[Target]]]:
    """One connection to a simulated Azure with this many worlds, and their VMs."""
    worlds = [make_world(f"fleet-{number}", {"os": "linux"}) for number in range(count)]
    targets = [Target(vm["subscription_id"], vm["resource_group"], vm["vm_name"]) for vm in (w.vms[0] for w in worlds)]
    before = dict(os.environ)
    with Simulator(worlds, latency_ms=latency_ms) as simulator:
        os.environ.update(simulator.environment)
        try:
            connection = Connection(simulator.endpoint, polling_interval_s=0.02)
            yield Azure(DefaultAzureCredential(), targets[0].subscription_id, connection), targets
        finally:
            os.environ.clear()
            os.environ.update(before)


def test_sixteen_calls_about_sixteen_vms_share_one_connection(tmp_path: Path) -> None:
    begin = Barrier(VMS, timeout=60)

    def restart(azure: Azure, target: Target, number: int) -> None:
        with (
            calling(target.vm_id),
            allow_changes(Audit(RunFolder(tmp_path / f"{number}").log(AUDIT), "ada"), "restart_vm"),
        ):
            Arm.on(azure).complete("POST", f"{target.vm_id}/restart")

    def one(azure: Azure, target: Target, number: int) -> set[str | None]:
        begin.wait()
        if number in CHANGING:
            restart(azure, target, number)
        facts = collect(azure, target, deadline_s=0.1 if number % HURRIED == 0 else 20, only=ASKED)
        with pytest.raises(RemedyRefused):
            Arm.on(azure).request("POST", f"{target.vm_id}/restart")
        assert all(target.vm_id in line for name in ASKED[:1] for line in facts[name].how)
        return {facts[name].why for name in ASKED}

    with many(VMS, latency_ms=60) as (azure, targets), ThreadPoolExecutor(VMS) as pool:
        why = list(pool.map(one, [azure] * VMS, targets, range(VMS)))
    assert [number for number in range(VMS) if "timeout" in why[number]] == list(range(0, VMS, HURRIED))
    assert all(why[number] == {None} for number in range(VMS) if number % HURRIED)
    assert {path.name for path in tmp_path.iterdir()} == {f"{number}" for number in CHANGING}
    for number in CHANGING:
        (row,) = rows(RunFolder(tmp_path / f"{number}").log(AUDIT))
        assert row["vm"] == targets[number].vm_id
        assert row["resource"] == f"{targets[number].vm_id}/restart"


def test_a_thread_that_outlives_the_consent_changes_nothing(tmp_path: Path) -> None:
    with many(1, latency_ms=0) as (azure, (target,)):
        ended: list[BaseException | None] = []
        closed = Barrier(2, timeout=60)

        def late() -> None:
            closed.wait()
            try:
                Arm.on(azure).request("POST", f"{target.vm_id}/restart")
            except RemedyRefused as error:
                ended.append(error)

        with allow_changes(Audit(RunFolder(tmp_path).log(AUDIT), "ada"), "restart_vm"):
            thread = start_thread(late)
        closed.wait()
        thread.join(10)
    assert len(ended) == 1
    assert not (tmp_path / "audit.jsonl").exists()


def test_a_part_can_only_shorten_what_is_left_of_the_whole() -> None:
    with calling("vm", deadline_s=5) as whole:
        with calling(deadline_s=50) as part:
            assert (part.vm_id, part.remaining_s() <= 5) == ("vm", True)
        with calling(deadline_s=1):
            assert remaining_s() <= 1
        assert 1 < remaining_s() <= 5
        with calling(deadline_s=50):
            whole.stop()
            assert remaining_s() <= 0
    assert current() is None


def test_works_that_are_done_together_belong_to_the_call_and_its_deadline() -> None:
    with calling("vm") as call:
        assert gather([current, current, current]) == [call] * 3
    with pytest.raises(ZeroDivisionError):
        gather([lambda: 1, lambda: 1 // 0])
    with calling(deadline_s=0.05), pytest.raises(TimeoutError):
        gather([lambda: time.sleep(0.5), lambda: None])
