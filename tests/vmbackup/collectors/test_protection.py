"""Which vault protects the VM, and how it sees it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from saying import refused
from vmbackup.arm.errors import Unreadable
from vmbackup.collectors import collect
from vmbackup.collectors.protection import (
    read_backup_status,
    read_graph_item,
    read_item,
    read_neighbours,
    read_recovery_point,
)
from vmbackup.model import FactStatus
from worlds import examine, world

FULL = {"protectionStatus": "Protected", "vaultId": "/v", "containerName": "c", "protectedItemName": "i"}


def test_backup_status_names_vault_and_item() -> None:
    found = read_backup_status({**FULL, "policyName": "Daily"})
    assert found is not None
    assert (found["vault_id"], found["policy_name"], found["via"]) == ("/v", "Daily", "backupStatus")


def test_not_protected_is_an_answer_and_an_empty_one_is_none() -> None:
    assert read_backup_status({"protectionStatus": "NotProtected"}) is None
    for gap in ({}, {**FULL, "vaultId": None}, {"protectionStatus": None}):
        with pytest.raises(Unreadable):
            read_backup_status(gap)


def test_resource_graph_tells_the_vault_by_the_items_id_in_any_case() -> None:
    item = "/subscriptions/s/vaults/v/backupfabrics/Azure/protectioncontainers/c/protecteditems/i"
    found = read_graph_item({"id": item, "properties": {"protectionState": "Protected"}})
    assert (found["vault_id"], found["container"], found["item"]) == ("/subscriptions/s/vaults/v", "c", "i")


def test_a_given_vault_is_taken_as_given() -> None:
    with world("healthy_linux") as (simulator, azure, target):
        vault = collect(azure, target, deadline_s=20, only=["backup.protection"])["backup.protection"].data["vault_id"]
        before = len(simulator.requests)
        evidence = collect(azure, replace(target, vault_id=vault), deadline_s=20, only=["backup.item"])
        assert not any("backupStatus" in path for _, path in simulator.requests[before:])
    assert evidence["backup.item"].status is FactStatus.OK


def test_a_given_vault_that_does_not_exist_stops_the_run() -> None:
    with world("healthy_linux") as (_, azure, target):
        missing = f"{target.vm_id.partition('/providers/')[0]}/providers/Microsoft.RecoveryServices/vaults/nowhere"
        with refused("does not know the vault"):
            collect(azure, replace(target, vault_id=missing), deadline_s=20)


def test_neither_status_nor_graph_is_denied_and_not_unprotected(tmp_path: Path) -> None:
    """An empty answer of the graph proves nothing to one who may not see the vault."""
    denied = tmp_path / "denied.yaml"
    denied.write_text(
        "os: linux\nprotected: false\npermissions: {deny: [Microsoft.RecoveryServices/locations/backupStatus/action]}",
        "utf-8",
    )
    fact = examine(str(denied))["backup.protection"]
    assert (fact.status, fact.details["action"]) == (
        FactStatus.DENIED,
        "Microsoft.RecoveryServices/locations/backupStatus/action",
    )


@pytest.mark.parametrize(
    ("said", "read"),
    [
        ({"lastBackupTime": "2001-01-01T00:00:00Z"}, {"last_backup_time": None}),
        ({"lastBackupTime": "2026-11-22T23:00:00.1234567Z"}, {"last_backup_time": "2026-11-22T23:00:00Z"}),
        ({"policyId": "/v/backupPolicies/Daily"}, {"policy_name": "Daily"}),
        ({"isScheduledForDeferredDelete": True}, {"soft_deleted": True}),
        ({"isScheduledForDeferredDelete": None}, {"soft_deleted": False}),
        ({"extendedProperties": {}}, {"disk_luns": None, "disk_luns_included": None}),
        (
            {"extendedProperties": {"diskExclusionProperties": {"diskLunList": [0, 2], "isInclusionList": False}}},
            {"disk_luns": [0, 2], "disk_luns_included": False},
        ),
        (
            {"extendedProperties": {"diskExclusionProperties": {"diskLunList": ["0", 2.0], "isInclusionList": "true"}}},
            {"disk_luns": [0, 2], "disk_luns_included": True},
        ),
        (
            {"healthDetails": [{"code": 400239, "title": "t", "message": None, "recommendations": []}]},
            {"health_details": [{"code": 400239, "title": "t", "message": None, "recommendations": []}]},
        ),
    ],
)
def test_an_item_is_read_as_azure_means_it(said: dict[str, Any], read: dict[str, Any]) -> None:
    item = read_item({"id": "/i", "properties": said})
    assert {name: item[name] for name in read} == read  # type: ignore[literal-required]


def item(name: str, policy: str = "Daily", **said: Any) -> dict[str, Any]:
    return {"id": f"/{name}", "properties": {"policyName": policy, "sourceResourceId": f"/vms/{name}", **said}}


def test_neighbours_are_the_others_that_the_policy_starts() -> None:
    listed = [
        item("me"),
        item("other", policy="daily"),
        item("elsewhere", policy="Weekly"),
        item("stopped", protectionState="ProtectionStopped"),
        item("deleted", isScheduledForDeferredDelete=True),
        item("ill", protectionState="ProtectionError"),
    ]
    found = read_neighbours(listed, "/ME", "Daily")
    assert [each["name"] for each in found["same_time"]] == ["other", "ill"]


def test_no_neighbours_are_an_empty_list() -> None:
    assert examine("healthy_linux")["backup.neighbours"].data["same_time"] == []


def test_sixty_neighbours_come_on_several_pages() -> None:
    assert len(examine("snapshot_same_schedule_linux")["backup.neighbours"].data["same_time"]) >= 60


def test_a_recovery_point_without_a_time_hides_which_is_the_newest() -> None:
    with pytest.raises(Unreadable):
        read_recovery_point({"name": "p", "properties": {"recoveryPointType": "CrashConsistent"}})


def test_the_newest_recovery_point_comes_first() -> None:
    points = examine("healthy_windows")["backup.recovery_points"].data
    assert points[0]["type"] == "AppConsistent"
    assert [point["time"] for point in points] == sorted((point["time"] for point in points), reverse=True)


def test_a_vm_without_a_region_is_looked_up_in_the_graph_or_said_to_have_none(tmp_path: Path) -> None:
    nowhere = (
        "os: linux\nfaults:\n- {match: 'GET .*virtualMachines/[^/]+$', mode: plain, status: 200, body: '{}',"
        " headers: {Content-Type: application/json}}\n"
    )
    (tmp_path / "nowhere.yaml").write_text(nowhere, "utf-8")
    (tmp_path / "nor.yaml").write_text(f"{nowhere}- {{match: resourceGraph, status: 400, code: BadRequest}}\n", "utf-8")
    with world(tmp_path / "nowhere.yaml") as (_, azure, target):
        found = collect(azure, target, deadline_s=20, only=["backup.protection"])["backup.protection"]
    with world(tmp_path / "nor.yaml") as (_, azure, target):
        missing = collect(azure, target, deadline_s=20, only=["backup.protection"])["backup.protection"]
    assert found.data["via"] == "resource_graph"
    assert (missing.why, missing.details["detail"]) == ("unreadable", "the VM names no region")


def test_why_a_vm_is_not_protected_is_kept_where_azure_says_it(tmp_path: Path) -> None:
    said = "{error_code: UserErrorVmVaultLocationMismatch, error_message: different region}"
    (tmp_path / "refused.yaml").write_text(f"os: linux\nprotected: false\nbackup_status: {said}\n", "utf-8")
    found = examine(str(tmp_path / "refused.yaml"))["backup.protection"]
    assert found.status is FactStatus.ABSENT
    assert found.details == {"errorCode": "UserErrorVmVaultLocationMismatch", "errorMessage": "different region"}


def test_a_failed_protection_carries_the_error() -> None:
    found = read_backup_status({**FULL, "protectionStatus": "ProtectionFailed", "errorCode": "C", "errorMessage": "m"})
    assert found is not None
    assert (found["status"], found["error_code"], found["error_message"]) == ("ProtectionFailed", "C", "m")


def test_the_vault_says_how_it_stores_backups_and_where_it_is(tmp_path: Path) -> None:
    vault = "{subscription: other, resource_group: rg-vault, redundancy: LocallyRedundant, cross_region_restore: true}"
    for world_says, same in ((f"vault: {vault}", False), ("os: linux", True)):
        (tmp_path / "vault.yaml").write_text(f"{world_says}\n", "utf-8")
        found = examine(str(tmp_path / "vault.yaml"))["backup.vault"].data
        assert found["same_subscription"] is same
    assert found["redundancy"] == "GeoRedundant"


def test_a_vault_of_another_subscription_is_found_without_the_right_to_ask_for_the_status(tmp_path: Path) -> None:
    deny = "permissions: {deny: [Microsoft.RecoveryServices/locations/backupStatus/action]}"
    (tmp_path / "other.yaml").write_text(f"{deny}\nvault: {{subscription: other, resource_group: rg-vault}}\n", "utf-8")
    evidence = examine(str(tmp_path / "other.yaml"))
    assert evidence["backup.protection"].data["via"] == "resource_graph"
    assert evidence["backup.vault"].data["same_subscription"] is False
    assert evidence["backup.jobs"].status is FactStatus.OK


def test_a_recovery_point_says_its_threat_and_where_it_lies(tmp_path: Path) -> None:
    tiers = "{InstantRP: Valid, HardenedRP: Deleted}"
    points = f"[{{hours_ago: 4, type: AppConsistent, threat_status: UnHealthy, tiers: {tiers}}}]"
    (tmp_path / "points.yaml").write_text(f"os: windows\nrecovery_points: {points}\n", "utf-8")
    [point] = examine(str(tmp_path / "points.yaml"))["backup.recovery_points"].data
    assert (point["threat"], point["tiers"]) == ("UnHealthy", ["InstantRP"])
