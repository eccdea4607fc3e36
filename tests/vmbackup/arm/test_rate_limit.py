"""Many workers within Azure's limits: they share what is left, wait together, and no VM fails of it."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from itertools import accumulate
from pathlib import Path
from subprocess import PIPE

import pytest

from azuresim.fleet import fleet
from azuresim.storm import Storm
from each import for_each
from expected_verdicts import observed
from vmbackup.arm.call import calling, pause
from vmbackup.arm.rate_limit import AT_ONCE_PER_VAULT, RateLimiter, kinds, vault_of
from vmbackup.collectors import collect
from vmbackup.collectors.guest import probe
from vmbackup.model import Fact
from worlds import connected, serving, world

ARM = "https://management.azure.com"
VM = "/subscriptions/S/resourceGroups/g/providers/Microsoft.Compute/virtualMachines/vm"


@for_each(
    [
        ("GET", VM, ("s", ["reads"])),
        ("POST", f"{VM}/runCommand", ("s", ["writes"])),
        ("DELETE", f"{VM}/extensions/x", ("s", ["deletes"])),
        ("GET", "/subscriptions/s/providers/Microsoft.Compute/disks", ("s", ["reads", "compute lists"])),
        (
            "GET",
            "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/networkInterfaces/n",
            ("s", ["reads", "network"]),
        ),
        ("POST", "/providers/Microsoft.ResourceGraph/resources", ("", ["graph"])),
        ("POST", "/subscriptions/S/metrics:getBatch", ("s", ["metrics"])),
    ]
)
def test_a_request_counts_for_its_subscription_and_kinds(case: tuple[str, str, tuple[str, list[str]]]) -> None:
    method, path, wanted = case
    assert kinds(method, f"{ARM}{path}?api-version=1") == wanted


def test_vaults_of_one_name_in_two_subscriptions_do_not_wait_for_each_other() -> None:
    vault = "/resourceGroups/g/providers/Microsoft.RecoveryServices/vaults/v"
    items = [f"{ARM}/subscriptions/{name}{vault}/backupProtectedItems?api-version=1" for name in ("a", "b", "A")]
    first, other, again = map(vault_of, items)
    assert first == again == f"/subscriptions/a{vault}".lower()
    assert first != other
    assert vault_of(f"{ARM}{VM}") == ""


def test_what_is_used_up_is_waited_for(tmp_path: Path) -> None:
    limiter = RateLimiter(str(tmp_path / "rates"), share=0.01)  # 2 reads in 10 s
    begun = time.monotonic()
    for _ in range(2):
        limiter.wait("s", ["reads"])
    limiter.wait("other", ["reads"])
    assert time.monotonic() - begun < 1
    assert limiter._full_s("s", "reads") > 5


def test_many_subscriptions_need_no_more_open_files_and_none_is_forgotten(tmp_path: Path) -> None:
    limiter = RateLimiter(str(tmp_path / "rates"), share=0.01)
    limiter.wait("first", ["reads"])
    before = len(os.listdir("/proc/self/fd"))
    for number in range(60):
        limiter.wait(f"subscription {number}", ["reads"])
    assert len(os.listdir("/proc/self/fd")) - before < 60
    limiter.wait("first", ["reads"])
    assert limiter._full_s("first", "reads") > 0


OTHER = """
import sys
from vmbackup.arm.rate_limit import RateLimiter
limiter = RateLimiter(sys.argv[1], 0.01)
print("ready", flush=True)
sys.stdin.readline()
limiter.wait("s", ["reads"])
print(limiter._full_s("s", "reads") > 0, limiter._paused_s("s", "writes") > 0, limiter._paused_s("t", "writes") > 0)
"""


def test_all_processes_share_the_limits_and_the_pauses(tmp_path: Path) -> None:
    file = str(tmp_path / "rates")
    with subprocess.Popen([sys.executable, "-c", OTHER, file], stdin=PIPE, stdout=PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "ready\n"
        RateLimiter(file, 0.01).wait("s", ["reads"])  # 2 reads in 10 s
        RateLimiter(file, 0.01).hold("s", ["writes"], 30)
        said, _ = other.communicate("go on\n", timeout=60)
    assert said.split() == ["True", "True", "False"]


WORKER = """
import os, sys, threading, time
from vmbackup.arm.rate_limit import RateLimiter
def work(limiter, kind, log):
    with limiter.slot("vault") if kind == "slot" else limiter.alone("vm"):
        os.write(log, b"+")
        time.sleep(0.05)
        os.write(log, b"-")
threads = []
for file, share, kind in (case.split(",") for case in sys.argv[1:]):
    limiter, log = RateLimiter(file, float(share)), os.open(file + ".log", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    threads += [threading.Thread(target=work, args=(limiter, kind, log)) for _ in range(4)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
"""


def test_all_workers_together_have_so_many_places(tmp_path: Path) -> None:
    cases = {("slot", 1.0): AT_ONCE_PER_VAULT, ("slot", 0.5): 2, ("alone", 1.0): 1}
    words = [f"{tmp_path}/{kind}-{share},{share},{kind}" for kind, share in cases]
    workers = [subprocess.Popen([sys.executable, "-c", WORKER, *words]) for _ in range(3)]
    assert [worker.wait(60) for worker in workers] == [0, 0, 0]
    for (kind, share), places in cases.items():
        steps = (tmp_path / f"{kind}-{share}.log").read_text()
        taken = list(accumulate(1 if step == "+" else -1 for step in steps))
        assert len(steps) == 24
        assert max(taken) <= places, (kind, share)
        assert places < AT_ONCE_PER_VAULT or max(taken) == places


def test_a_fleets_probe_waits_until_no_other_run_command_is_on_its_vm(tmp_path: Path) -> None:
    rates = str(tmp_path / "rates")
    with world("vss_writer_windows") as (simulator, _, target):
        azure = connected(simulator, simulator.azure.worlds[0], rate_file=rates)[0]
        evidence = collect(azure, target, only=["vm.model"])
        done = threading.Event()

        def examine() -> None:
            probe(azure, target, evidence, 20, {}, lambda addresses: None)
            done.set()

        with RateLimiter(rates).alone(target.vm_id):
            threading.Thread(target=examine, daemon=True).start()
            assert not done.wait(0.5)
            assert not [path for _, path in simulator.requests if path.endswith("/runCommand")]
        assert done.wait(20)
        assert [path for _, path in simulator.requests if path.endswith("/runCommand")]


def test_waiting_for_a_turn_costs_a_call_no_time_and_a_stopped_one_waits_no_longer() -> None:
    with calling(deadline_s=10) as outer, calling(deadline_s=5) as inner:
        pause(0.3)
        assert inner.remaining_s() == pytest.approx(5, abs=0.1)
        assert outer.remaining_s() == pytest.approx(10, abs=0.1)
        outer.stop()
        with pytest.raises(TimeoutError):
            pause(60)


def test_a_storm_of_429_slows_a_fleet_and_changes_no_verdict(tmp_path: Path) -> None:
    worlds = list(fleet(12, vaults=2, seed=4, healthy=0.2))
    with serving(*worlds) as simulator:
        calm = [verdicts(collect(*connected(simulator, world))) for world in worlds]
        simulator.azure.storm = Storm(throttled=0.25, retry_after_s=0.05)
        before = len(simulator.requests)
        rated = {"rate_file": str(tmp_path / "rates")}
        stormy = [verdicts(collect(*connected(simulator, world, **rated))) for world in worlds]
        tries = len(simulator.requests) - before
    assert stormy == calm
    assert tries > before * 1.15


def verdicts(facts: dict[str, Fact]) -> dict[str, object]:
    assert [name for name, fact in facts.items() if fact.why == "throttled"] == []
    return observed(facts, "agent_unreachable")
