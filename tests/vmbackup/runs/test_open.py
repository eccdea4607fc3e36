"""A simulated run brings its identity and its trust with it, and takes them away; a live run never meets them."""

from __future__ import annotations

import gc
import os
import socket
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests

from vmbackup.collectors import collect
from vmbackup.model import Target
from vmbackup.parameters import Parameters
from vmbackup.runs.open import connect_azure, connect_simulator, open_run


def test_a_simulated_run_leaves_nothing_in_the_environment(tmp_path: Path) -> None:
    before = dict(os.environ)
    run = open_run(Parameters(scenario="agent_never_reported_windows", run_folder=str(tmp_path)), None)
    run.collect()
    assert dict(os.environ) == before
    assert run.evidence["vm.model"].answered
    assert run.evidence["guest.boot_report"].answered


def test_simulators_beside_each_other_answer_their_own_connection() -> None:
    opened = [connect_simulator([name]) for name in ("healthy_linux", "healthy_windows")]
    for azure, (world,) in reversed(opened):
        vm = world.vms[0]
        target = Target(vm["subscription_id"], vm["resource_group"], vm["vm_name"])
        assert collect(azure, target, only=["vm.model"])["vm.model"].data["id"].lower() == target.vm_id.lower()
        assert azure.who() != "unknown"


def test_a_live_run_after_a_simulated_one_neither_trusts_nor_asks_the_simulator() -> None:
    simulated, _ = connect_simulator(["healthy_linux"])
    live = connect_azure("00000000-0000-0000-0000-000000000000")
    assert live.connection.ca_file is None
    assert live.connection.endpoint != simulated.connection.endpoint
    with pytest.raises(requests.exceptions.SSLError):
        requests.get(simulated.connection.endpoint, timeout=5)


def test_a_simulator_ends_with_its_connection() -> None:
    azure, _ = connect_simulator(["healthy_linux"])
    parts, trusted = urlsplit(azure.connection.endpoint), Path(str(azure.connection.ca_file))
    assert trusted.exists()
    del azure
    gc.collect()
    assert not trusted.exists()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((parts.hostname, parts.port), timeout=5)
