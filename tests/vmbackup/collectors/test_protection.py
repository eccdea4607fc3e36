"""Which vault protects the VM."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from vmbackup.arm.errors import Unreadable
from vmbackup.collectors import collect
from vmbackup.collectors.protection import read_backup_status, read_graph_item
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


def test_a_vault_of_another_subscription_is_found_without_the_right_to_ask_for_the_status(tmp_path: Path) -> None:
    deny = "permissions: {deny: [Microsoft.RecoveryServices/locations/backupStatus/action]}"
    (tmp_path / "other.yaml").write_text(f"{deny}\nvault: {{subscription: other, resource_group: rg-vault}}\n", "utf-8")
    evidence = examine(str(tmp_path / "other.yaml"))
    assert evidence["backup.protection"].data["via"] == "resource_graph"
    assert evidence["backup.vault"].data["same_subscription"] is False
    assert evidence["backup.jobs"].status is FactStatus.OK
