"""Worlds can be cured: a backup fails while the cause is there, and completes once it is gone."""

from __future__ import annotations

from typing import Any

import pytest

from simulated import Caller

RULE = {"priority": 150, "direction": "Outbound", "access": "Allow", "protocol": "Tcp", "sourceAddressPrefix": "*",
        "sourcePortRange": "*", "destinationAddressPrefix": "Storage", "destinationPortRange": "443"}  # fmt: skip
ROUTE = {"addressPrefix": "Storage.westeurope", "nextHopType": "Internet"}
NSG = "{group}/providers/Microsoft.Network/networkSecurityGroups/nsg-nic/securityRules"
TABLE = "{group}/providers/Microsoft.Network/routeTables/routes/routes"
LOCK = "{points}/providers/Microsoft.Authorization/locks/no-delete"
Change = tuple[str, str, Any]


def script(words: str) -> Change:
    return "POST", "{vm}/runCommand", {"commandId": "RunPowerShellScript", "script": [words]}


CURES: list[tuple[str, list[Change]]] = [
    ("no_internet_linux", [("PUT", NSG + "/allow-storage", {"properties": RULE})]),
    ("no_internet_windows", [("DELETE", NSG + "/deny-storage", None), ("DELETE", NSG + "/deny-internet", None)]),
    ("no_internet_route", [("DELETE", TABLE + "/blackhole", None)]),
    ("no_internet_route", [("PUT", TABLE + "/s", {"properties": ROUTE})]),
    ("agent_stopped_windows", [("POST", "{vm}/restart", None)]),
    ("agent_stopped_linux", [("POST", "{vm}/redeploy", None)]),
    ("snapshot_rdp_shutdown_windows", [("POST", "{vm}/start", None)]),
    ("snapshot_shutdown_linux", [("POST", "{vm}/deallocate", None), ("POST", "{vm}/start", None)]),
    ("snapshot_state_misreported_windows", [("POST", "{vm}/restart", None)]),
    ("extension_failed_windows", [("DELETE", "{vm}/extensions/VMSnapshot", None)]),
    ("extension_failed_linux", [("DELETE", "{vm}/extensions/VMSnapshotLinux", None)]),
    ("extension_old_linux", [("DELETE", "{vm}/extensions/VMSnapshotLinux", None)]),
    ("other_extension_failed_linux", [("DELETE", "{vm}/extensions/OmsAgentForLinux", None)]),
    ("extension_operations_disallowed_windows",
     [("PATCH", "{vm}", {"properties": {"osProfile": {"allowExtensionOperations": True}}})]),
    ("vm_provisioning_failed_linux", [("POST", "{vm}/reapply", None)]),
    ("restore_points_limit_linux", [("DELETE", "{collection}", None)]),
    ("restore_points_lock_windows", [("DELETE", LOCK, None)]),
    ("com_plus_windows", [script("remedy = 'start_com_plus'")]),
    ("vss_writer_windows", [script("remedy = 'restart_vss'")]),
]  # fmt: skip


def exclude(*luns: int) -> Change:
    exclusion = {"diskExclusionProperties": {"diskLunList": list(luns), "isInclusionList": False}}
    return "PUT", "{item}", {"properties": {"policyId": "/policy", "extendedProperties": exclusion}}


CURES += [
    ("disk_too_large_linux", [exclude(1)]),
    ("disk_shared_linux", [exclude(1)]),
    ("protection_stopped_linux", [("PUT", "{item}", {"properties": {"policyId": "/policy"}})]),
]


def places(caller: Caller) -> dict[str, str]:
    world = caller.world
    points = f"/subscriptions/{world.subscription}/resourceGroups/{world.restore_point_group}"
    collections = f"/subscriptions/{world.subscription}/providers/Microsoft.Compute/restorePointCollections"
    first = next(iter(caller.all(collections)), {"id": ""})
    return {"vm": caller.vm, "group": world.group_id, "item": caller.item, "points": points, "collection": first["id"]}


@pytest.mark.parametrize(("scenario", "changes"), CURES, ids=[f"{name}-{len(c)}" for name, c in CURES])
def test_the_backup_fails_before_the_cure_and_completes_after_it(scenario: str, changes: list[Change]) -> None:
    caller = Caller(scenario)
    failed = caller.back_up()
    assert "Failed" in (failed.get("status"), failed.get("properties", {}).get("status"))
    points = len(caller.all(f"{caller.item}/recoveryPoints"))
    known = places(caller)
    for method, path, body in changes:
        assert caller.do(method, path.format(**known), body)["status"] == "Succeeded"
    job = caller.back_up()["properties"]
    assert (job["status"], job.get("errorDetails")) == ("Completed", None)
    assert len(caller.all(f"{caller.item}/recoveryPoints")) == points + 1
    item = caller.get(caller.item)["properties"]
    assert (item["lastBackupStatus"], item["healthStatus"]) == ("Completed", "Passed")


@pytest.mark.parametrize(
    ("scenario", "change"),
    [
        ("no_internet_linux", ("PUT", NSG + "/late", {"properties": RULE | {"priority": 4000}})),
        ("no_internet_linux", ("PUT", NSG + "/port", {"properties": RULE | {"destinationPortRange": "80"}})),
        ("agent_never_reported_windows", ("POST", "{vm}/restart", None)),
        ("extension_failed_windows", ("DELETE", "{vm}/extensions/AzureMonitorWindowsAgent", None)),
        ("vm_provisioning_failed_linux", ("POST", "{vm}/restart", None)),
        ("disk_shared_linux", exclude(0)),
    ],
    ids=["rule too late", "wrong port", "agent dead for good", "wrong extension", "no reapply", "wrong disk"],
)
def test_what_does_not_cure_leaves_the_backup_failing(scenario: str, change: Change) -> None:
    caller = Caller(scenario)
    method, path, body = change
    caller.do(method, path.format(**places(caller)), body)
    job = caller.back_up()["properties"]
    assert (job["status"], job["extendedInfo"]["tasksList"][0]["status"]) == ("Failed", "Failed")
    assert job["errorDetails"][0]["errorTitle"] == caller.world.spec["failure"]["code"]


def test_with_a_dead_agent_an_extension_cannot_be_deleted() -> None:
    caller = Caller("two_s1_agent_unreachable_linux")
    ended = caller.do("DELETE", caller.vm + "/extensions/VMSnapshotLinux")
    assert (ended["status"], ended["error"]["code"]) == ("Failed", "VMAgentStatusCommunicationError")
    assert caller.get(caller.vm + "/extensions/VMSnapshotLinux")["properties"]["provisioningState"] == "Failed"


def test_a_hidden_backup_extension_goes_from_the_instance_view_too() -> None:
    caller = Caller("extension_old_linux")
    assert caller.ask("GET", caller.vm + "/extensions/VMSnapshotLinux").status == 404
    caller.do("DELETE", caller.vm + "/extensions/VMSnapshotLinux")
    handlers = caller.get(caller.vm + "/instanceView")["vmAgent"]["extensionHandlers"]
    assert not [handler for handler in handlers if handler["type"].endswith("VMSnapshotLinux")]


def test_a_lock_forbids_deleting_what_is_below_it() -> None:
    caller = Caller("restore_points_lock_windows")
    refused = caller.ask("DELETE", places(caller)["collection"])
    assert (refused.status, refused.body["error"]["code"]) == (409, "ScopeLocked")


def test_one_backup_at_a_time_and_cancelling_makes_room() -> None:
    caller = Caller("backup_in_progress_windows")
    assert caller.back_up()["error"]["code"] == "UserErrorBackupOperationInProgress"
    filter_ = "?$filter=status%20eq%20'InProgress'"
    running = caller.all(f"{caller.world.vault_id}/backupJobs{filter_}")[0]
    caller.do("POST", running["id"] + "/cancel")
    assert caller.get(running["id"])["properties"]["status"] == "Cancelled"
    assert caller.back_up()["properties"]["status"] == "Completed"


def test_a_fault_that_the_service_hides_shows_in_the_recovery_point_only() -> None:
    caller = Caller("crash_consistent_downgrade_linux")
    assert caller.back_up()["properties"]["status"] == "Completed"
    newest = caller.all(f"{caller.item}/recoveryPoints")[0]["properties"]
    assert newest["recoveryPointType"] == "CrashConsistent"
    caller.subject["guest"]["duplicate_mount"] = False
    caller.back_up()
    newest = caller.all(f"{caller.item}/recoveryPoints")[0]["properties"]
    assert newest["recoveryPointType"] == "FileSystemConsistent"


def test_after_nine_attempts_a_day_azure_takes_no_more() -> None:
    caller = Caller("healthy_linux")
    for _ in range(9):
        assert caller.back_up()["properties"]["status"] == "Completed"
    assert caller.back_up()["error"]["code"] == "UserErrorAdhocBackupLimitReached"


def test_a_vm_is_updating_while_it_is_reapplied() -> None:
    caller = Caller("vm_provisioning_failed_linux")
    caller.ask("POST", f"{caller.vm}/reapply")
    assert caller.get(caller.vm)["properties"]["provisioningState"] == "Updating"
