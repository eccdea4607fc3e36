"""Disks and restore point collections."""

from __future__ import annotations

from azuresim.answer import Answer, Json, child_not_found, not_found, ok
from azuresim.handlers.authorization import demand_unlocked
from azuresim.handlers.compute_extensions import start
from azuresim.ids import guid, number, offset_stamp
from azuresim.routing import Request, route
from azuresim.world import World

GROUP = "/subscriptions/{sub}/resourceGroups/{rg}/providers/Microsoft.Compute"
ALL = "/subscriptions/{sub}/providers/Microsoft.Compute"
_READ_RESTORE_POINTS = "Microsoft.Compute/restorePointCollections/read"


@route("GET", GROUP + "/disks", "Microsoft.Compute/disks/read")
@route("GET", ALL + "/disks", "Microsoft.Compute/disks/read")
def list_disks(request: Request) -> Answer:
    """All managed disks of a group or a subscription."""
    return request.page([disk_json(world, vm, disk) for world in request.candidates for vm, disk in _disks(world)])


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
        "networkAccessPolicy": "AllowAll",
        "publicNetworkAccess": "Enabled",
        "timeCreated": "2026-02-11T09:14:28.4440000+00:00",
        "provisioningState": "Succeeded",
        "diskState": "Attached" if machine["vm"]["power"] != "deallocated" else "Reserved",
        "uniqueId": guid(world.seed, world.name, disk["name"]),
    }
    if disk["lun"] is None:
        properties |= {"osType": machine["os"].capitalize(), "hyperVGeneration": "V2"}
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


# --- restore points ------------------------------------------------------------------------------------------------


@route("GET", GROUP + "/restorePointCollections", _READ_RESTORE_POINTS)
@route("GET", ALL + "/restorePointCollections", _READ_RESTORE_POINTS)
def list_collections(request: Request) -> Answer:
    """The collections that the backup service made, without their points."""
    group = request.params.get("rg", "").lower()
    return request.page(
        [
            collection_json(world, machine, False)
            for world in request.candidates
            for machine in _with_points(world)
            if not group or group == world.restore_point_group.lower()
        ],
    )


@route("GET", GROUP + "/restorePointCollections/{collection}", _READ_RESTORE_POINTS)
def get_collection(request: Request) -> Answer:
    """One collection; ``$expand=restorePoints`` lists what is in it."""
    expand = "restorepoints" in request.query.get("$expand", "").lower()
    return ok(collection_json(request.world, _collected(request), expand))


@route("DELETE", GROUP + "/restorePointCollections/{collection}", "Microsoft.Compute/restorePointCollections/delete")
def delete_collection(request: Request) -> Answer:
    """Delete a collection with all its points; a lock on the group forbids it."""
    machine = _collected(request)
    demand_unlocked(request, "restore_points", "delete")

    def done() -> None:
        machine["restore_points"] |= {"present": False, "count": 0}

    return start(request, done)


def _collected(request: Request) -> Json:
    wanted = request.params["collection"].lower()
    for machine in _with_points(request.world):
        if collection_name(request.world, machine).lower() == wanted:
            return machine
    raise child_not_found()


def _with_points(world: World) -> list[Json]:
    return [vm for vm in world.machines if vm["restore_points"]["present"] and vm["item"] is not None]


def collection_name(world: World, machine: Json) -> str:
    """``AzureBackup_<vm>_<digits>``, as the backup service names them."""
    return f"AzureBackup_{machine['name']}_{10**12 + number(10**12, world.seed, machine['name'])}"


def collection_json(world: World, machine: Json, expand: bool) -> Json:
    """A restore point collection on the wire."""
    name = collection_name(world, machine)
    own = (
        f"/subscriptions/{world.subscription}/resourceGroups/{world.restore_point_group}"
        f"/providers/Microsoft.Compute/restorePointCollections/{name}"
    )
    properties: Json = {
        "source": {"id": world.vm_id(machine), "location": world.location},
        "provisioningState": machine["restore_points"]["provisioning_state"],
        "restorePointCollectionId": guid(world.seed, world.name, name),
    }
    if expand:
        properties["restorePoints"] = [_point(world, own, index) for index in range(machine["restore_points"]["count"])]
    return {
        "name": name,
        "id": own,
        "type": "Microsoft.Compute/restorePointCollections",
        "location": world.location,
        "properties": properties,
    }


def _point(world: World, collection: str, index: int) -> Json:
    taken = world.ago(4 + 24 * index)
    name = f"AzureBackup_{taken:%Y%m%d_%H%M%S}"
    return {
        "name": name,
        "id": f"{collection}/restorePoints/{name}",
        "type": "Microsoft.Compute/restorePointCollections/restorePoints",
        "properties": {
            "provisioningState": "Succeeded",
            "consistencyMode": "ApplicationConsistent",
            "timeCreated": offset_stamp(taken),
        },
    }
