"""Managed disks."""

from __future__ import annotations

from azuresim.answer import Answer, Json, not_found, ok
from azuresim.handlers.compute import created
from azuresim.ids import guid
from azuresim.routing import Request, route
from azuresim.world import World

GROUP = "/subscriptions/{sub}/resourceGroups/{rg}/providers/Microsoft.Compute"
ALL = "/subscriptions/{sub}/providers/Microsoft.Compute"


@route("GET", GROUP + "/disks", "Microsoft.Compute/disks/read")
@route("GET", ALL + "/disks", "Microsoft.Compute/disks/read")
def list_disks(request: Request) -> Answer:
    """All managed disks of a group or a subscription."""
    disks = [(world, vm, disk) for world in request.candidates for vm, disk in _disks(world)]
    return request.page(disks, disk_json)


@route("GET", GROUP + "/disks/{disk}", "Microsoft.Compute/disks/read")
def get_disk(request: Request) -> Answer:
    """One managed disk."""
    for machine, disk in _disks(request.world):
        if disk["name"].lower() == request.params["disk"].lower():
            return ok(disk_json(request.world, machine, disk))
    raise not_found("Microsoft.Compute/disks", request.params["disk"], request.params["rg"])


def _disks(world: World) -> list[tuple[Json, Json]]:
    return [
        (machine, disk)
        for machine in world.machines
        for disk in machine["disks"]
        if not disk["unmanaged"] and not disk["ephemeral"]
    ]


def disk_json(world: World, machine: Json, disk: Json) -> Json:
    """A managed disk on the wire."""
    properties: Json = {
        "creationData": {"createOption": "FromImage" if disk["lun"] is None else "Empty"},
        "diskSizeGB": disk["size_gb"],
        "diskSizeBytes": disk["size_gb"] << 30,
        "encryption": {"type": "EncryptionAtRestWithPlatformKey"},
        "networkAccessPolicy": disk["network_access"],
        "publicNetworkAccess": disk["public_access"],
        "timeCreated": created(world, machine),
        "provisioningState": "Succeeded",
        "diskState": "Attached" if machine["vm"]["power"] != "deallocated" else "Reserved",
        "uniqueId": guid(world.seed, world.name, disk["name"]),
    }
    if disk["lun"] is None:
        properties |= {"osType": machine["os"].capitalize(), "hyperVGeneration": "V2"}
    if disk["network_access"] == "AllowPrivate":
        properties["diskAccessId"] = world.compute_id("diskAccesses", "private")
    if disk["data_access_auth"]:
        properties["dataAccessAuthMode"] = disk["data_access_auth"]
    if disk["security_type"]:
        properties["securityProfile"] = {"securityType": disk["security_type"]}
    if disk["encryption"] == "ade":
        properties["encryptionSettingsCollection"] = {
            "enabled": True,
            "encryptionSettingsVersion": "1.1",
            "encryptionSettings": [
                {
                    "diskEncryptionKey": {
                        "sourceVault": {"id": f"{world.group_id}/providers/Microsoft.KeyVault/vaults/keys"},
                        "secretUrl": "https://keys.vault.azuresim.invalid/secrets/disk/1",
                    }
                }
            ],
        }
    if disk["encryption"] == "customer_key":
        properties["encryption"] = {
            "type": "EncryptionAtRestWithCustomerKey",
            "diskEncryptionSetId": world.compute_id("diskEncryptionSets", "keys"),
        }
    whole: Json = {
        "name": disk["name"],
        "id": world.compute_id("disks", disk["name"]),
        "type": "Microsoft.Compute/disks",
        "location": world.location,
        "managedBy": world.vm_id(machine),
        "sku": {"name": disk["sku"], "tier": disk["sku"].split("_")[0].removesuffix("V2")},
        "properties": properties,
    }
    if disk["max_shares"] > 1:
        properties["maxShares"] = disk["max_shares"]
        whole["managedByExtended"] = [world.vm_id(machine)]
    return whole
