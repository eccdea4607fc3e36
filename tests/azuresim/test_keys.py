"""What a world's keys do to Azure's answers: disks, vaults, points, jobs and what backupStatus says."""

from __future__ import annotations

from typing import Any

import pytest

from azuresim.ids import subscription_id
from simulated import Caller

GRAPH = "/providers/Microsoft.ResourceGraph/resources"
ITEMS = "RecoveryServicesResources | where type =~ 'x/protecteditems'"


def disks(caller: Caller) -> list[Any]:
    listed = caller.all(f"{caller.world.group_id}/providers/Microsoft.Compute/disks")
    return [disk["properties"] for disk in listed]


def test_a_disk_says_who_may_reach_it_and_how_it_is_secured() -> None:
    private = {
        "network_access": "AllowPrivate",
        "public_access": "Disabled",
        "data_access_auth": "AzureActiveDirectory",
    }
    system, data = disks(Caller({"vm": {"security_type": "TrustedLaunch"}, "data_disks": [private]}))
    assert system["securityProfile"] == {"securityType": "TrustedLaunch"}
    assert (system["networkAccessPolicy"], system["publicNetworkAccess"]) == ("AllowAll", "Enabled")
    assert (data["networkAccessPolicy"], data["publicNetworkAccess"]) == ("AllowPrivate", "Disabled")
    assert data["dataAccessAuthMode"] == "AzureActiveDirectory"
    assert data["diskAccessId"].endswith("/diskAccesses/private")
    assert not {"securityProfile", "dataAccessAuthMode", "diskAccessId"} & set(disks(Caller({}))[1])


def test_a_vault_says_how_it_stores_backups() -> None:
    caller = Caller({"vault": {"redundancy": "ZoneRedundant"}})
    settings = caller.get(caller.world.vault_id)["properties"]["redundancySettings"]
    assert settings == {"standardTierStorageRedundancy": "ZoneRedundant", "crossRegionRestore": "Disabled"}
    stored = caller.get(caller.world.vault_id + "/backupstorageconfig/vaultstorageconfig")["properties"]
    assert (stored["storageType"], stored["storageTypeState"]) == ("ZoneRedundant", "Locked")


def test_a_vault_in_another_subscription_is_found_there_alone() -> None:
    caller = Caller({"vault": {"subscription": "central"}})
    world, vm_subscription, there = caller.world, caller.world.subscription, subscription_id("central")
    assert world.vault_id.startswith(f"/subscriptions/{there}/resourceGroups/{world.vault_group}/")
    assert [job["id"].split("/")[2] for job in caller.all(f"{world.vault_id}/backupJobs")] == [there] * 6
    assert caller.get(caller.item)["properties"]["sourceResourceId"] == caller.vm
    vaults = "/providers/Microsoft.RecoveryServices/vaults"
    assert caller.all(f"/subscriptions/{vm_subscription}{vaults}") == []
    assert [vault["name"] for vault in caller.all(f"/subscriptions/{there}{vaults}")] == [world.vault]
    assert caller.all(f"/subscriptions/{there}/providers/Microsoft.Compute/virtualMachines") == []
    assert caller.ask("GET", f"{world.group_id}{vaults}/{world.vault}").status == 404
    assert {entry["subscriptionId"] for entry in caller.all("/subscriptions")} == {vm_subscription, there}
    for subscription, count in ((vm_subscription, 0), (there, 1)):
        asked = caller.ask("POST", GRAPH, {"query": ITEMS, "subscriptions": [subscription]}).body
        assert asked["totalRecords"] == count
    told = {"resourceType": "VM", "resourceId": caller.vm}
    where = f"/subscriptions/{vm_subscription}/providers/Microsoft.RecoveryServices/locations/westeurope/backupStatus"
    assert caller.ask("POST", where, told).body["vaultId"] == world.vault_id
    assert caller.back_up()["properties"]["status"] == "Completed"


def test_backup_status_can_say_that_protecting_failed() -> None:
    code = "UserErrorGuestAgentStatusUnavailable"
    given = {"protection_status": "ProtectionFailed", "error_code": code, "error_message": "VM agent is silent."}
    caller = Caller({"protected": False, "backup_status": given})
    path = f"/subscriptions/{caller.world.subscription}/providers/Microsoft.RecoveryServices/locations/x/backupStatus"
    said = caller.ask("POST", path, {"resourceType": "VM", "resourceId": caller.vm}).body
    assert (said["protectionStatus"], said["errorCode"]) == ("ProtectionFailed", code)
    assert said["vaultId"] == caller.world.vault_id
    assert "policyName" not in said


def test_a_vm_was_made_when_the_world_says() -> None:
    created = Caller({"vm": {"created_hours_ago": 0.25}})
    assert created.get(created.vm)["properties"]["timeCreated"] == "2026-11-23T02:45:00.0000000+00:00"


def test_an_extension_may_stand_in_the_model_alone() -> None:
    wrong = {"name": "VMSnapshot", "publisher": "Microsoft.Azure.RecoveryServices", "reported": False}
    caller = Caller({"os": "linux", "extensions": [wrong]})
    shown = caller.get(caller.vm + "?$expand=instanceView")["properties"]["instanceView"]
    assert "VMSnapshot" in [entry["name"] for entry in caller.all(caller.vm + "/extensions")]
    assert "VMSnapshot" not in [entry["name"] for entry in shown["extensions"]]
    handlers = [entry["type"] for entry in shown["vmAgent"]["extensionHandlers"]]
    assert "Microsoft.Azure.RecoveryServices.VMSnapshot" not in handlers


def collections(caller: Caller) -> dict[str, list[str]]:
    sub = f"/subscriptions/{caller.world.subscription}"
    listed = caller.all(f"{sub}/providers/Microsoft.Compute/restorePointCollections")
    full = [caller.get(entry["id"] + "?$expand=restorePoints") for entry in listed]
    return {
        entry["id"].split("/")[4]: [
            point["properties"]["timeCreated"][:13] for point in entry["properties"]["restorePoints"]
        ]
        for entry in full
    }


def test_the_backups_own_restore_points_lie_apart_as_the_policy_runs() -> None:
    others = [{"name": "before-upgrade", "count": 3}]
    caller = Caller({"policy": {"type": "V2"}, "restore_points": {"count": 42}, "other_collections": others})
    found = collections(caller)
    own = found[caller.world.restore_point_group]
    assert own[:3] == ["2026-11-22T23", "2026-11-22T19", "2026-11-22T15"]
    assert own[-1] == "2026-11-16T03"
    assert len(found[caller.world.resource_group]) == 3
    daily = collections(Caller({"restore_points": {"newest_hours_ago": 10}}))
    assert list(daily.values()) == [["2026-11-22T17", "2026-11-21T17"]]


def test_an_enhanced_policy_runs_every_four_hours_unless_it_says_otherwise() -> None:
    def starts(**policy: Any) -> list[str]:
        caller = Caller({"policy": {"type": "V2", **policy}, "history": 4})
        return [job["properties"]["startTime"][8:13] for job in caller.all(f"{caller.world.vault_id}/backupJobs")]

    assert starts() == ["22T23", "22T19", "22T15", "22T11"]
    assert starts(times=["08:00"], window_h=12) == ["22T16", "22T12", "22T08", "21T16"]
    assert starts(frequency="Daily") == ["22T23", "21T23", "20T23", "19T23"]


def test_a_recovery_point_tells_its_tiers_and_threats() -> None:
    points = [
        {"hours_ago": 4, "threat_status": "UnHealthy"},
        {"hours_ago": 28, "tiers": {"IASnapshotRP": "Valid"}},
        {"hours_ago": 100},
    ]
    caller = Caller({"recovery_points": points})
    young, chosen, old = [point["properties"] for point in caller.all(f"{caller.item}/recoveryPoints")]
    assert young["threatStatus"] == "UnHealthy"
    assert young["recoveryPointTierDetails"][0] == {"type": "InstantRP", "status": "Valid"}
    assert chosen["recoveryPointTierDetails"] == [{"type": "IASnapshotRP", "status": "Valid"}]
    assert old["recoveryPointTierDetails"][0] == {"type": "InstantRP", "status": "Deleted"}
    assert "threatStatus" not in old


@pytest.mark.parametrize(
    ("job", "errors"),
    [
        ({"status": "CompletedWithWarnings", "failure": {"code": "UserErrorFsFreezeFailed"}},
         ["UserErrorFsFreezeFailed"]),
        ({"status": "Cancelled", "failure": {"code": "UserErrorJobSuccessfullyCancelled"}},
         ["UserErrorJobSuccessfullyCancelled"]),
        ({"status": "InProgress"}, []),
        ({"operation": "ConfigureBackup", "status": "Failed",
          "failure": {"code": "UserErrorKeyVaultPermissionsNotConfigured", "dynamic_message": "no access"}},
         ["UserErrorKeyVaultPermissionsNotConfigured"]),
    ],
    ids=lambda value: value.get("status") if isinstance(value, dict) else "",
)  # fmt: skip
def test_a_job_ended_as_the_world_says_or_still_runs(job: dict[str, Any], errors: list[str]) -> None:
    """Also where the VM is not protected: a failed ConfigureBackup is why."""
    caller = Caller(
        {"protected": "operation" not in job, "history": 0, "jobs": [{"hours_ago": 5, "minutes": 20, **job}]}
    )
    (listed,) = caller.all(f"{caller.world.vault_id}/backupJobs")
    shown = caller.get(listed["id"])["properties"]
    assert shown["status"] == job["status"]
    assert [entry["errorTitle"] for entry in shown.get("errorDetails", [])] == errors
    assert shown["duration"] == ("PT5H" if job["status"] == "InProgress" else "PT20M")
    assert shown["extendedInfo"].get("dynamicErrorMessage") == job.get("failure", {}).get("dynamic_message")
