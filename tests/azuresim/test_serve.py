"""Over the wire: real HTTPS, the unmodified SDK, and the ways a connection can go wrong."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest
import requests
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
from azure.identity import DefaultAzureCredential
from azure.mgmt.compute import ComputeManagementClient
from azure.mgmt.compute.models import RunCommandInput
from azure.mgmt.monitor import MonitorManagementClient
from azure.mgmt.network import NetworkManagementClient
from azure.mgmt.recoveryservicesbackup import RecoveryServicesBackupClient
from azure.mgmt.recoveryservicesbackup import models as backup
from azure.mgmt.resource.locks import ManagementLockClient
from azure.mgmt.resourcegraph import ResourceGraphClient
from azure.mgmt.resourcegraph.models import QueryRequest
from azure.mgmt.resourcehealth import ResourceHealthMgmtClient

from azuresim.loading import load_world
from azuresim.serve import Simulator
from azuresim.world import World
from processes import started


@contextmanager
def running(*scenarios: str, latency_ms: int = 0) -> Iterator[tuple[Simulator, World]]:
    worlds = [load_world(name) for name in scenarios]
    before = dict(os.environ)
    with Simulator(worlds, latency_ms) as simulator:
        os.environ.update(simulator.environment)
        try:
            yield simulator, worlds[0]
        finally:
            os.environ.clear()
            os.environ.update(before)
        assert simulator.crashes == []


def client(kind: Any, simulator: Simulator, *subscription: str) -> Any:
    options = {"credential_scopes": [simulator.endpoint + "/.default"], "polling_interval": 0.01, "retry_total": 0}
    return kind(DefaultAzureCredential(), *subscription, base_url=simulator.endpoint, **options)


def token(simulator: Simulator) -> str:
    own = simulator.environment
    headers = {"X-IDENTITY-HEADER": own["IDENTITY_HEADER"]}
    url = f"{own['IDENTITY_ENDPOINT']}?api-version=2019-08-01&resource=arm"
    return str(requests.get(url, headers=headers, verify=own["REQUESTS_CA_BUNDLE"], timeout=30).json()["access_token"])


def test_compute_and_network_clients() -> None:
    with running("healthy_windows") as (simulator, world):
        compute = client(ComputeManagementClient, simulator, world.subscription)
        group, name = world.resource_group, world.vms[0]["vm_name"]
        shown = compute.virtual_machines.get(group, name, expand="instanceView")
        assert shown.instance_view.vm_agent.statuses[0].display_status == "Ready"
        assert [vm.name for vm in compute.virtual_machines.list_all()] == [name]
        assert len(list(compute.disks.list_by_resource_group(group))) == 2
        collection = next(iter(compute.restore_point_collections.list_all()))
        full = compute.restore_point_collections.get(
            collection.id.split("/")[4], collection.name, expand="restorePoints"
        )
        assert len(full.restore_points) == 2
        ran = compute.virtual_machines.begin_run_command(
            group, name, RunCommandInput(command_id="RunPowerShellScript", script=["hostname"])
        ).result()
        assert ran.value[0].code == "ComponentStatus/StdOut/succeeded"
        network = client(NetworkManagementClient, simulator, world.subscription)
        rules = network.network_interfaces.begin_list_effective_network_security_groups(group, f"{name}-nic0").result()
        assert len(rules.value[0].effective_security_rules) == 6
        routes = network.network_interfaces.begin_get_effective_route_table(group, f"{name}-nic0").result()
        assert {route.next_hop_type for route in routes.value} == {"VnetLocal", "Internet", "None"}


def test_backup_client() -> None:
    with running("agent_stopped_linux") as (simulator, world):
        vaults = client(RecoveryServicesBackupClient, simulator, world.subscription)
        where = (world.vault, world.resource_group)
        asked = backup.BackupStatusRequest(resource_type="VM", resource_id=world.vm_id(world.machines[0]))
        status = vaults.backup_status.get("westeurope", asked)
        item = ("Azure", status.container_name, status.protected_item_name)
        shown = vaults.protected_items.get(*where, *item).as_dict()["properties"]
        assert shown["healthDetails"][0]["title"] == "UserErrorGuestAgentStatusUnavailable"
        job = next(iter(vaults.backup_jobs.list(*where, filter="status eq 'Failed'")))
        full = vaults.job_details.get(*where, job.name).properties
        assert full.error_details[0].error_code == 400196
        assert full.extended_info.tasks_list[0].task_id == "Take Snapshot"
        assert len(list(vaults.recovery_points.list(*where, *item))) == 4
        policy = vaults.protection_policies.get(*where, "DailyPolicy").properties
        assert policy.schedule_policy.schedule_run_times[0].hour == 23


def test_the_other_clients() -> None:
    with running("restore_points_lock_windows") as (simulator, world):
        vm = world.vm_id(world.machines[0])
        monitor = client(MonitorManagementClient, simulator, world.subscription)
        span = "2026-11-22T23:00:00Z/2026-11-22T23:05:00Z"
        shown = monitor.metrics.list(
            vm, timespan=span, interval="PT1M", metricnames="Percentage CPU", aggregation="Average"
        )
        assert len(shown.value[0].timeseries[0].data) == 5
        since = f"eventTimestamp ge '2026-11-01T00:00:00Z' and resourceUri eq '{vm}'"
        assert list(monitor.activity_logs.list(filter=since)) == []
        locks = client(ManagementLockClient, simulator, world.subscription).management_locks
        assert [lock.level for lock in locks.list_at_resource_group_level(world.restore_point_group)] == [
            "CanNotDelete"
        ]
        assert list(locks.list_by_scope(vm.lstrip("/"))) == []
        assert (
            list(
                locks.list_at_resource_level(
                    world.resource_group, "Microsoft.Compute", "", "virtualMachines", vm.split("/")[-1]
                )
            )
            == []
        )
        health = client(ResourceHealthMgmtClient, simulator, world.subscription).availability_statuses
        assert health.get_by_resource(vm.lstrip("/")).properties.availability_state == "Available"
        graph = client(ResourceGraphClient, simulator)
        query = "RecoveryServicesResources | where type =~ 'microsoft.recoveryservices/vaults/backupjobs'"
        answer = graph.resources(QueryRequest(subscriptions=[world.subscription], query=query))
        assert (answer.total_records, str(answer.result_truncated)) == (6, "false")


def test_errors_arrive_as_the_sdks_errors() -> None:
    with running("healthy_linux") as (simulator, world):
        compute = client(ComputeManagementClient, simulator, world.subscription)
        with pytest.raises(ResourceNotFoundError) as missing:
            compute.virtual_machines.get(world.resource_group, "nobody")
        assert missing.value.error.code == "ResourceNotFound"
        monitor = client(MonitorManagementClient, simulator, world.subscription)
        with pytest.raises(HttpResponseError, match="Failed to find metric configuration"):
            monitor.metrics.list(world.vm_id(world.machines[0]), metricnames="Nonsense")


def test_the_identity_endpoint_wants_its_secret() -> None:
    with running("healthy_linux") as (simulator, _):
        own = simulator.environment
        url = f"{own['IDENTITY_ENDPOINT']}?api-version=2019-08-01&resource=arm"
        assert requests.get(url, verify=own["REQUESTS_CA_BUNDLE"], timeout=30).status_code == 401


def test_a_connection_is_kept_and_costs_little() -> None:
    with running("healthy_linux") as (simulator, world), requests.Session() as session:
        session.headers["Authorization"] = f"Bearer {token(simulator)}"
        url = f"{simulator.endpoint}{world.vm_id(world.machines[0])}?api-version=2026-04-01"
        session.get(url, timeout=30)
        took = []
        for _ in range(20):
            begun = time.perf_counter()
            assert session.get(url, timeout=30).status_code == 200
            took.append(time.perf_counter() - begun)
        # On a busy machine many wait, but not all.
        assert min(took) < 0.03, "Nagle's algorithm or a new handshake for each request?"


def test_latency_is_added_to_all_answers_but_the_token() -> None:
    with running("healthy_linux", latency_ms=150) as (simulator, world):
        took = []
        for _ in range(5):
            begun = time.perf_counter()
            bearer = {"Authorization": f"Bearer {token(simulator)}"}
            took.append(time.perf_counter() - begun)
        assert min(took) < 0.15
        begun = time.perf_counter()
        url = f"{simulator.endpoint}{world.group_id}?api-version=1"
        requests.get(url, headers=bearer, timeout=30)
        assert time.perf_counter() - begun > 0.15


def test_answers_do_not_wait_for_each_other() -> None:
    with running("healthy_linux", latency_ms=1000) as (simulator, world):
        bearer = {"Authorization": f"Bearer {token(simulator)}"}
        url = f"{simulator.endpoint}{world.group_id}?api-version=1"
        begun = time.perf_counter()
        with ThreadPoolExecutor(8) as pool:
            codes = list(pool.map(lambda _: requests.get(url, headers=bearer, timeout=30).status_code, range(8)))
        assert codes == [200] * 8
        assert time.perf_counter() - begun < 7


@pytest.mark.parametrize("scenario", ["error_cut_off", "error_not_utf8"])
def test_broken_answers_break_at_the_client(scenario: str) -> None:
    with running(scenario) as (simulator, world):
        bearer = {"Authorization": f"Bearer {token(simulator)}"}
        disk = simulator.endpoint + world.compute_id("disks", world.machines[0]["disks"][0]["name"])
        with pytest.raises((requests.exceptions.RequestException, UnicodeDecodeError)):
            requests.get(disk + "?api-version=1", headers=bearer, timeout=30).content.decode("utf-8")


def test_every_request_is_written_down_but_the_token() -> None:
    with running("healthy_linux") as (simulator, world):
        bearer = {"Authorization": f"Bearer {token(simulator)}"}
        requests.get(f"{simulator.endpoint}{world.group_id}?api-version=1", headers=bearer, timeout=30)
        assert simulator.requests == [("GET", world.group_id)]


def test_the_ca_is_thrown_away_at_the_end() -> None:
    with running("healthy_linux") as (simulator, _):
        path = simulator.environment["REQUESTS_CA_BUNDLE"]
        assert os.path.exists(path)
    assert not os.path.exists(path)


def test_served_from_the_command_line_until_interrupted() -> None:
    command = [sys.executable, "-m", "azuresim", "healthy_linux", "no_internet_linux"]
    with started(command) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(8)]
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == 0
    assert lines[0].startswith("# https://127.0.0.1:")
    exported = {line.split("=")[0].removeprefix("export ") for line in lines[1:7]}
    sign_in = {"IDENTITY_ENDPOINT", "IDENTITY_HEADER", "AZURE_TOKEN_CREDENTIALS", "REQUESTS_CA_BUNDLE"}
    assert exported == sign_in | {"VMBACKUP_ARM_ENDPOINT", "VMBACKUP_METRICS_ENDPOINT"}


@pytest.mark.parametrize(("words", "code", "said"), [([], 0, "healthy_linux"), (["nowhere"], 2, "there is no world")])
def test_the_command_line_lists_and_refuses(words: list[str], code: int, said: str) -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "azuresim", *words], capture_output=True, text=True, timeout=30, check=False
    )
    assert ran.returncode == code
    assert said in ran.stdout + ran.stderr
