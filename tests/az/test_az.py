"""The real az drives the simulator: an independent client, with SDKs of its own, that knows nothing of this project."""

from __future__ import annotations

import os
from collections.abc import Iterator
from types import SimpleNamespace

import pytest

from az.commands import AzFailed, Run, reads, signed_in
from azuresim.loading import load_world
from azuresim.serve import Simulator

AZ = os.environ.get("VMBACKUP_AZ", "")
pytestmark = [
    pytest.mark.az,
    pytest.mark.skipif(not AZ, reason="VMBACKUP_AZ names no az; `make test-az` installs one and sets it"),
]

WORLD = load_world("two_s3_snapshot_extension_failed_linux")
GROUP, VM, VAULT = WORLD.resource_group, WORLD.vms[0]["vm_name"], WORLD.vault
NIC = f"{VM}-nic0"


@pytest.fixture(scope="module")
def az(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """az, registered and signed in at a simulator that runs for all tests of this module, in their order."""
    with Simulator(WORLD) as simulator, signed_in(AZ, simulator, str(tmp_path_factory.mktemp("az"))) as run:
        yield run
        assert simulator.crashes == []


def test_login_finds_the_subscription(az: Run) -> None:
    assert [entry["id"] for entry in az("account", "list")] == [WORLD.subscription]


def test_instance_view(az: Run) -> None:
    view = az("vm", "get-instance-view", "-g", GROUP, "-n", VM)["instanceView"]
    assert view["vmAgent"]["vmAgentVersion"] == "2.2.18"
    assert view["statuses"][1]["code"] == "PowerState/running"


def test_run_command(az: Run) -> None:
    WORLD.machines[0]["run_command"]["output"] = "uid=0(root)"
    ran = az("vm", "run-command", "invoke", "-g", GROUP, "-n", VM, "--command-id", "RunShellScript", "--scripts", "id")
    assert "[stdout]\nuid=0(root)" in ran["value"][0]["message"]


def test_effective_nsg(az: Run) -> None:
    groups = az("network", "nic", "list-effective-nsg", "-g", GROUP, "-n", NIC)["value"]
    names = [rule["name"] for rule in groups[0]["effectiveSecurityRules"]]
    assert "defaultSecurityRules/AllowInternetOutBound" in names


def test_jobs(az: Run) -> None:
    jobs = az("backup", "job", "list", "-g", GROUP, "-v", VAULT)
    assert len(jobs) == 6
    newest = az("backup", "job", "show", "-g", GROUP, "-v", VAULT, "-n", jobs[0]["name"])["properties"]
    assert newest["status"] == "Failed"
    assert newest["errorDetails"][0]["errorTitle"] == "ExtensionOperationFailedForManagedDisks"


def test_items(az: Run) -> None:
    items = az("backup", "item", "list", "-g", GROUP, "-v", VAULT)
    assert [item["properties"]["friendlyName"] for item in items] == [VM]


def test_backup_now(az: Run) -> None:
    words = ["-g", GROUP, "-v", VAULT, "-c", VM, "-i", VM, "--retain-until", "23-12-2026"]
    job = az("backup", "protection", "backup-now", *words, "--backup-management-type", "AzureIaasVM")
    assert job["properties"]["status"] == "InProgress"
    assert job["properties"]["isUserTriggered"] is True


def test_metrics(az: Run) -> None:
    words = ["--resource", WORLD.vm_id(WORLD.machines[0]), "--metric", "Percentage CPU", "--interval", "PT1M"]
    span = ["--start-time", "2026-11-22T23:00:00Z", "--end-time", "2026-11-22T23:10:00Z"]
    series = az("monitor", "metrics", "list", *words, *span)["value"][0]["timeseries"][0]["data"]
    assert len(series) == 10
    assert all(13 < point["average"] < 15 for point in series)


def test_extensions_are_listed_and_deleted(az: Run) -> None:
    before = [entry["name"] for entry in az("vm", "extension", "list", "-g", GROUP, "--vm-name", VM)]
    assert before == ["AzureMonitorLinuxAgent", "VMSnapshotLinux"]
    az("vm", "extension", "delete", "-g", GROUP, "--vm-name", VM, "-n", "VMSnapshotLinux")
    after = [entry["name"] for entry in az("vm", "extension", "list", "-g", GROUP, "--vm-name", VM)]
    assert after == ["AzureMonitorLinuxAgent"]


def test_errors_come_out_in_azures_words(az: Run) -> None:
    with pytest.raises(AzFailed, match="ResourceNotFound"):
        az("vm", "show", "-g", GROUP, "-n", "nobody")


def test_everything_that_one_reads_about_a_vm_can_be_read(az: Run) -> None:
    subject = WORLD.vms[0]
    for words in reads(SimpleNamespace(**subject)):
        az(*words)
