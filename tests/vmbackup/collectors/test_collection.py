"""Collectors run beside each other under one deadline; what hangs or fails takes nothing else with it."""

from __future__ import annotations

import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from in_process import Sent, near
from saying import refused
from vmbackup.collectors import collect, slowest_chain_ms
from vmbackup.facts import schema
from vmbackup.facts.azure import FACTS
from vmbackup.model import Fact, FactStatus
from worlds import examine, world


@pytest.mark.parametrize("name", ["healthy_linux", "healthy_windows"])
def test_every_fact_of_a_healthy_vm_is_answered_in_its_shape_and_says_how(name: str) -> None:
    evidence = examine(name)
    assert list(evidence) == list(FACTS)
    assert {fact for fact in evidence if evidence[fact].status is not FactStatus.OK} == {
        "backup.failed_job",
        "backup.running_job",
    }
    for fact, found in evidence.items():
        if found.status is FactStatus.OK:
            assert found.how
            assert found.taken_at == "2026-11-23T03:00:00Z"
            assert schema.error(found.data, FACTS[fact], fact) is None


def test_each_fact_is_told_as_it_comes_in() -> None:
    told: list[str] = []
    with world("healthy_linux") as (_, azure, target):
        collect(azure, target, deadline_s=20, on_fact=lambda name, fact: told.append(name))
    assert sorted(told) == sorted(FACTS)


@pytest.mark.parametrize(
    ("only", "paths"),
    [(["vm.agent"], 1), (["network.subnets"], 3), (["backup.policy"], 4), (["guest.dhcp"], 0)],
)
def test_only_what_is_needed_is_asked_again(only: list[str], paths: int) -> None:
    with world("healthy_linux") as (simulator, azure, target):
        evidence = collect(azure, target, deadline_s=20, only=only)
        assert len(simulator.requests) == paths
    assert set(evidence) == set(only) & set(FACTS)


def test_a_collector_that_hangs_ends_before_the_deadline_and_others_go_on_without_it(tmp_path: Path) -> None:
    hanging = tmp_path / "hanging.yaml"
    hanging.write_text('os: linux\nfaults: [{match: "GET .*/backupJobs", mode: slow, seconds: 60}]', "utf-8")
    with world(str(hanging)) as (_, azure, target):
        begun = time.monotonic()
        evidence = collect(azure, target, deadline_s=50, longest_s=3)
        assert time.monotonic() - begun < 45
    late = evidence["backup.jobs"]
    assert (late.why, dict(late.details)) == ("timeout", {"seconds": "3"})
    assert "/backupJobs" in late.how[0]
    assert evidence["backup.failed_job"].details["fact"] == "backup.jobs"
    assert evidence["vm.metrics"].data["window"] == "last_hour"


def test_a_hanging_request_does_not_keep_the_process_alive() -> None:
    script = (
        "from worlds import world\nfrom vmbackup.collectors import collect\n"
        "with world('error_slow') as (_, azure, target):\n"
        "    print(collect(azure, target, deadline_s=2, only=['vm.metrics'])['vm.metrics'].why)"
    )
    folder = Path(__file__).parents[2]
    begun = time.monotonic()
    done = subprocess.run([sys.executable, "-c", script], cwd=folder, capture_output=True, text=True, timeout=90)
    assert done.stdout == "timeout\n", done.stderr
    assert time.monotonic() - begun < 50


def test_a_missing_sign_in_stops_the_run_at_once() -> None:
    begun = time.monotonic()
    with refused("az login"):
        examine("error_401", deadline_s=60)
    assert time.monotonic() - begun < 50


def test_the_slowest_chain_is_the_sum_along_what_a_fact_waits_for() -> None:
    took = {"vm.model": 100, "backup.protection": 50, "backup.item": 30, "backup.policy": 20, "vm.health": 40}
    evidence = {name: Fact(FactStatus.OK, took_ms=ms) for name, ms in took.items()}
    assert slowest_chain_ms(evidence) == 200


def without_date(line: str, sent: Sent) -> Sent:
    return replace(sent, headers={name: value for name, value in sent.headers.items() if name != "Date"})


def test_without_azures_clock_nothing_rests_on_this_machines() -> None:
    there = near("agent_stopped_linux")
    there.loopback.damage = without_date
    evidence = collect(there.azure, there.target, deadline_s=20)
    assert evidence["vm.agent"].data["age_s"] is None
    assert {evidence[name].why for name in ("backup.jobs", "vm.activity", "vm.metrics")} == {"no_date"}
    assert all(fact.taken_at is None for fact in evidence.values())


def test_azures_clock_is_asked_for_where_nobody_heard_it_yet() -> None:
    there = near("healthy_linux")
    assert there.azure.now().isoformat() == "2026-11-23T03:00:00+00:00"
    assert there.azure.now() == there.azure.heard()
    assert there.azure.calls == 1
