"""What the simulator serves exists in the SDK's models: no misspelt, no misplaced property, in any world.

The oracle is the SDK's own table of REST names; models of compute, network and backup carry one. A dictionary of free
keys ends the search below it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from azure.mgmt.compute import models as compute
from azure.mgmt.network import models as network
from azure.mgmt.recoveryservicesbackup import models as backup

from azuresim.loading import scenario_names
from simulated import Caller


def strangers(model: Any, path: str = "") -> Iterator[str]:
    """The paths of all keys that the model's class does not know."""
    if isinstance(model, list):
        for index, entry in enumerate(model):
            yield from strangers(entry, f"{path}[{index}]")
        return
    fields = getattr(model, "_attr_to_rest_field", None)
    if fields is None:
        return
    known = {field._rest_name: name for name, field in fields.items()}
    for key in model.keys():  # noqa: SIM118 - a model is no mapping to iterate over
        if key not in known:
            yield f"{path}/{key}"
        else:
            yield from strangers(getattr(model, known[key]), f"{path}/{key}")


def checked(model: Any, body: Any) -> list[str]:
    """``body`` read as the SDK reads it, discriminated types included."""
    return list(strangers(model._deserialize(body, [])))


# What no scenario says.
UNSAID: dict[str, Any] = {
    "vm": {"security_type": "TrustedLaunch", "created_hours_ago": 1},
    "vault": {"subscription": "central", "redundancy": "ZoneRedundant"},
    "data_disks": [{"network_access": "AllowPrivate", "data_access_auth": "AzureActiveDirectory"}],
    "recovery_points": [{"hours_ago": 4, "threat_status": "Warning", "tiers": {"IASnapshotRP": "Valid"}}],
    "other_collections": [{"name": "mine", "count": 1}],
    "policy": {"type": "V2"},
}


@pytest.mark.parametrize(
    "scenario", [*scenario_names(), UNSAID], ids=lambda it: it if isinstance(it, str) else "unsaid"
)
def test_every_property_is_known_to_the_sdk(scenario: str | dict[str, Any]) -> None:
    caller = Caller(scenario)
    caller.world.spec |= {"faults": [], "permissions": {}, "exists": True, "vault_exists": True}
    world, sub = caller.world, f"/subscriptions/{caller.world.subscription}"
    group, vault = world.group_id, world.vault_id
    found = checked(compute.VirtualMachine, caller.get(caller.vm + "?$expand=instanceView"))
    lists: list[tuple[Any, str]] = [
        (compute.VirtualMachineExtension, caller.vm + "/extensions"),
        (compute.Disk, f"{group}/providers/Microsoft.Compute/disks"),
        (compute.RestorePointCollection, f"{sub}/providers/Microsoft.Compute/restorePointCollections"),
        (network.NetworkInterface, f"{group}/providers/Microsoft.Network/networkInterfaces"),
        (network.NetworkSecurityGroup, f"{group}/providers/Microsoft.Network/networkSecurityGroups"),
        (network.Subnet, f"{group}/providers/Microsoft.Network/virtualNetworks/vnet/subnets"),
        (backup.JobResource, f"{vault}/backupJobs"),
        (backup.ProtectionPolicyResource, f"{vault}/backupPolicies"),
    ]
    stored = caller.get(f"{vault}/backupstorageconfig/vaultstorageconfig")
    found += checked(backup.BackupResourceConfigResource, stored)
    # The SDK's table of item types lacks the VM's; Azure sends it all the same.
    for body in caller.all(f"{vault}/backupProtectedItems")[:8]:
        found += checked(backup.AzureIaaSComputeVMProtectedItem, body["properties"])
    if caller.subject["item"] is not None:
        lists.append((backup.RecoveryPointResource, f"{caller.item}/recoveryPoints"))
    for model, path in lists:
        for body in caller.all(path)[:8]:
            found += checked(model, body)
            if model is backup.JobResource:
                found += checked(model, caller.get(body["id"]))
            if model is compute.RestorePointCollection:
                found += checked(model, caller.get(body["id"] + "?$expand=restorePoints"))
    if world.routes:
        found += checked(network.RouteTable, caller.get(f"{group}/providers/Microsoft.Network/routeTables/routes"))
    assert found == []


@pytest.mark.parametrize("scenario", ["no_internet_linux", "no_internet_route"])
def test_effective_rules_and_routes_are_known_to_the_sdk(scenario: str) -> None:
    caller = Caller(scenario)
    nic = f"{caller.world.group_id}/providers/Microsoft.Network/networkInterfaces/{caller.subject['nics'][0]['name']}"
    for model, what in (
        (network.EffectiveNetworkSecurityGroupListResult, "effectiveNetworkSecurityGroups"),
        (network.EffectiveRouteListResult, "effectiveRouteTable"),
    ):
        ended = caller.do("POST", f"{nic}/{what}")
        assert checked(model, ended["properties"]["output"]) == []


def test_a_misspelt_property_would_be_found() -> None:
    body = {"properties": {"instanceView": {"vmAgent": {"vmAgentVersio": "2"}}}, "nmae": "x"}
    assert checked(compute.VirtualMachine, body) == ["/properties/instanceView/vmAgent/vmAgentVersio", "/nmae"]
