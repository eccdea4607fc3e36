"""Each failure of Azure ends as a reasoned fact, and everything else goes on."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from saying import refused
from vmbackup.model import FactStatus
from worlds import examine

DENIED = {
    "error_403_activity_log": ("vm.activity", "Microsoft.Insights/eventtypes/values/read"),
    "error_403_disks": ("vm.disks", "Microsoft.Compute/disks/read"),
    "error_403_effective_routes": ("network.routes", "networkInterfaces/effectiveRouteTable/action"),
    "error_403_effective_rules": ("network.rules", "networkInterfaces/effectiveNetworkSecurityGroups/action"),
    "error_403_extension_versions": ("vm.extension_versions", "publishers/artifacttypes/types/versions/read"),
    "error_403_locks": ("vm.locks", "Microsoft.Authorization/locks/read"),
    "error_403_metrics": ("vm.metrics", "Microsoft.Insights/metrics/read"),
    "error_403_nics": ("network.nics", "Microsoft.Network/networkInterfaces/read"),
    "error_403_recovery_points": ("backup.recovery_points", "recoveryPoints/read"),
    "error_403_resource_health": ("vm.health", "Microsoft.ResourceHealth/availabilityStatuses/read"),
    "error_403_restore_points": ("vm.restore_points", "Microsoft.Compute/restorePointCollections/read"),
    "error_403_subnets": ("network.subnets", "Microsoft.Network/virtualNetworks/subnets/read"),
    "error_403_vault_items": ("backup.item", "protectedItems/read"),
    "error_403_vault_jobs": ("backup.jobs", "backupJobs/read"),
    "error_403_vault_policies": ("backup.policy", "backupPolicies/read"),
    "error_403_vm_extensions": ("vm.extensions", "Microsoft.Compute/virtualMachines/extensions/read"),
}


@pytest.mark.parametrize("world", DENIED)
def test_a_missing_right_is_named_and_ends_nothing_else(world: str) -> None:
    fact, action = DENIED[world]
    evidence = examine(world)
    assert evidence[fact].why == "missing_action"
    assert action.lower() in evidence[fact].details["action"].lower()
    others = [name for name in evidence if evidence[name].status is FactStatus.DENIED and name != fact]
    assert others == []


@pytest.mark.parametrize("world", ["error_403_effective_rules", "error_403_effective_routes"])
def test_without_the_right_to_compute_rules_they_are_read_as_written(world: str) -> None:
    evidence = examine(world)
    fact = evidence[DENIED[world][0]]
    assert fact.status is FactStatus.OK
    assert fact.data["source"] == "objects"


def test_without_backup_status_resource_graph_finds_the_vault_and_the_missing_right_is_named() -> None:
    found = examine("error_403_backup_status")["backup.protection"]
    assert (found.data["via"], found.why) == ("resource_graph", "missing_action")
    assert found.details["action"] == "Microsoft.RecoveryServices/locations/backupStatus/action"
    assert found.details["scope"].startswith("/subscriptions/")


def test_without_the_right_to_see_the_vm_its_backup_is_examined_all_the_same(tmp_path: Path) -> None:
    unseen = tmp_path / "unseen.yaml"
    unseen.write_text(
        "os: linux\nfailure: {code: GuestAgentSnapshotTaskStatusError}\n"
        "permissions: {deny: [Microsoft.Compute/virtualMachines/read]}",
        "utf-8",
    )
    evidence = examine(str(unseen))
    assert evidence["vm.model"].details["action"] == "Microsoft.Compute/virtualMachines/read"
    told = {name for name, fact in evidence.items() if fact.answered}
    assert {"backup.protection", "backup.item", "backup.policy", "backup.failed_job", "vm.metrics", "vm.locks"} <= told


def test_of_a_vm_that_is_not_seen_no_vault_is_no_answer(tmp_path: Path) -> None:
    unseen = tmp_path / "unseen.yaml"
    unseen.write_text(
        "os: linux\nprotected: false\npermissions: {deny: [Microsoft.Compute/virtualMachines/read]}", "utf-8"
    )
    assert examine(str(unseen))["backup.protection"].status is FactStatus.SKIPPED


@pytest.mark.parametrize(
    ("world", "fact", "why"),
    [
        ("error_404_below_vm", "network.nics", "refused"),
        ("error_409", "network.rules", "conflict"),
        ("error_429", "vm.metrics", "throttled"),
        ("error_500", "vm.locks", "server_error"),
        ("error_503", "backup.jobs", "server_error"),
        ("error_cut_off", "vm.disks", "cut_off"),
        ("error_operation_failed", "network.rules", "operation_failed"),
        ("error_garbage_json", "network.nics", "unreadable"),
        ("error_not_utf8", "vm.disks", "unreadable"),
        ("error_50_mb", "backup.jobs", "too_large"),
        ("error_missing_fields", "backup.protection", "unreadable"),
        ("not_protected_linux", "backup.item", "not_protected"),
        ("snapshot_shutdown_linux", "network.rules", "refused"),
    ],
)
def test_each_failure_has_its_reason(world: str, fact: str, why: str) -> None:
    assert examine(world)[fact].why == why


def test_what_takes_too_long_fails_at_the_deadline() -> None:
    evidence = examine("error_never_ending_operation", deadline_s=3)
    assert evidence["network.rules"].why == "timeout"
    assert evidence["vm.agent"].answered


@pytest.mark.parametrize(("world", "says"), [("error_401", "az login"), ("error_404_vm", "does not know the VM")])
def test_only_sign_in_and_the_vm_itself_stop_a_run(world: str, says: str) -> None:
    with refused(says):
        examine(world)


@pytest.mark.parametrize(
    ("path", "fact"),
    [
        ("GET .*/extensions$", "vm.extensions"),
        ("GET .*/restorePointCollections$", "vm.restore_points"),
        ("GET .*/locks$", "vm.locks"),
        ("GET .*/values$", "vm.activity"),
        ("GET .*/backupJobs$", "backup.jobs"),
        ("GET .*/recoveryPoints$", "backup.recovery_points"),
        ("GET .*/backupProtectedItems$", "backup.neighbours"),
        ("POST .*/effectiveNetworkSecurityGroups$", "network.rules"),
        ("POST .*/effectiveRouteTable$", "network.routes"),
    ],
)
@pytest.mark.parametrize("body", ["{}", '{"value": null}'])
def test_a_list_that_is_missing_from_its_answer_is_not_empty(tmp_path: Path, path: str, fact: str, body: str) -> None:
    fault = {
        "match": path,
        "status": 200,
        "mode": "plain",
        "body": body,
        "headers": {"Content-Type": "application/json"},
    }
    damaged = tmp_path / "damaged.yaml"
    damaged.write_text(json.dumps({"os": "linux", "faults": [fault]}), "utf-8")
    assert examine(str(damaged))[fact].why == "unreadable"


def test_a_failed_job_whose_details_are_gone_is_still_a_failed_job(tmp_path: Path) -> None:
    gone = tmp_path / "gone.yaml"
    gone.write_text(
        "os: linux\nfailure: {code: GuestAgentSnapshotTaskStatusError}\n"
        'faults: [{match: "GET .*/backupJobs/.", status: 404, code: BMSUserErrorObjectNotFound}]',
        "utf-8",
    )
    assert examine(str(gone))["backup.failed_job"].why == "refused"


def test_hostile_names_arrive_as_they_are_and_nothing_is_lost() -> None:
    evidence = examine("error_hostile_names")
    assert any("<script>" in extension["name"] for extension in evidence["vm.extensions"].data)
    assert all(fact.answered for fact in evidence.values())


NO_ANSWER = "<html><body><h1>404 Not Found</h1>proxy.example</body></html>"


@pytest.mark.parametrize(
    ("path", "fact"),
    [
        ("GET .*/extensions$", "vm.extensions"),
        ("GET .*/versions$", "vm.extension_versions"),
        ("GET .*/disks/", "vm.disks"),
        ("GET .*/restorePointCollections$", "vm.restore_points"),
        ("GET .*/locks$", "vm.locks"),
        ("GET .*/values$", "vm.activity"),
        ("GET .*/metrics$", "vm.metrics"),
        ("GET .*/availabilityStatuses/", "vm.health"),
        ("GET .*/networkInterfaces/[^/]*$", "network.nics"),
        ("GET .*/subnets/", "network.subnets"),
        ("POST .*/effectiveNetworkSecurityGroups$", "network.rules"),
        ("POST .*/effectiveRouteTable$", "network.routes"),
        ("POST .*/backupStatus$", "backup.protection"),
        ("GET .*/protectedItems/[^/]*$", "backup.item"),
        ("GET .*/backupPolicies/", "backup.policy"),
        ("GET .*/backupJobs$", "backup.jobs"),
        ("GET .*/recoveryPoints$", "backup.recovery_points"),
        ("GET .*/backupProtectedItems$", "backup.neighbours"),
    ],
)
def test_a_404_of_a_proxy_is_no_answer_and_nor_is_one_of_a_list(tmp_path: Path, path: str, fact: str) -> None:
    page = {"match": path, "mode": "plain", "status": 404, "body": NO_ANSWER}
    own = {"match": path, "status": 404, "code": "ResourceNotFound", "message": "The resource was not found."}
    for fault in (page, own):
        lost = tmp_path / "lost.yaml"
        lost.write_text(json.dumps({"os": "linux", "faults": [fault, {**fault, "match": "ResourceGraph"}]}), "utf-8")
        found = examine(str(lost))[fact]
        is_the_disk_itself = fault is own and fact == "vm.disks"
        assert found.status is (FactStatus.OK if is_the_disk_itself else FactStatus.FAILED)


def test_a_protected_item_that_the_vault_does_not_have_is_absent_and_one_of_a_lost_vault_is_not(tmp_path: Path) -> None:
    for code, status in (("BMSUserErrorObjectNotFound", FactStatus.ABSENT), ("ResourceNotFound", FactStatus.FAILED)):
        fault = {"match": "GET .*/protectedItems/[^/]*$", "status": 404, "code": code}
        lost = tmp_path / "lost.yaml"
        lost.write_text(json.dumps({"os": "linux", "faults": [fault]}), "utf-8")
        assert examine(str(lost))["backup.item"].status is status


def test_metrics_that_are_refused_are_not_empty(tmp_path: Path) -> None:
    refused = tmp_path / "refused.yaml"
    fault = {"match": "/metrics", "status": 400, "code": "BadRequest", "message": "Invalid timespan."}
    refused.write_text(json.dumps({"os": "linux", "faults": [fault]}), "utf-8")
    fact = examine(str(refused))["vm.metrics"]
    assert (fact.status, fact.why, fact.details["message"]) == (FactStatus.FAILED, "refused", "Invalid timespan.")
