"""Restore point collections: the backup service's own, and those that others made of the same VM."""

from __future__ import annotations

from azuresim.answer import Answer, Json, child_not_found, ok
from azuresim.handlers.authorization import demand_unlocked
from azuresim.handlers.compute_extensions import start
from azuresim.handlers.disks import ALL, GROUP
from azuresim.history import interval_h
from azuresim.ids import guid, number, offset_stamp
from azuresim.routing import Request, route
from azuresim.world import World

COLLECTION = GROUP + "/restorePointCollections/{collection}"
_READ = "Microsoft.Compute/restorePointCollections/read"
_DELETE = "Microsoft.Compute/restorePointCollections/delete"


@route("GET", GROUP + "/restorePointCollections", _READ)
@route("GET", ALL + "/restorePointCollections", _READ)
def list_collections(request: Request) -> Answer:
    """All collections of a group or a subscription, without their points."""
    group = request.params.get("rg", "").lower()
    found = [(world, each) for world in request.candidates for each in _collections(world)]
    return request.page([_json(world, each, False) for world, each in found if group in ("", each["group"].lower())])


@route("GET", COLLECTION, _READ)
def get_collection(request: Request) -> Answer:
    """One collection; ``$expand=restorePoints`` lists what is in it."""
    expand = "restorepoints" in request.query.get("$expand", "").lower()
    return ok(_json(request.world, _find(request), expand))


@route("DELETE", COLLECTION, _DELETE)
def delete_collection(request: Request) -> Answer:
    """Delete a collection with all its points; a lock on the group forbids it."""
    found = _find(request)
    demand_unlocked(request, "restore_points", "delete")

    def done() -> None:
        found["kept_in"] |= {"present": False, "count": 0}

    return start(request, done)


def _find(request: Request) -> Json:
    wanted = (request.params["rg"].lower(), request.params["collection"].lower())
    for collection in _collections(request.world):
        if wanted == (collection["group"].lower(), collection["name"].lower()):
            return collection
    raise child_not_found()


def _collections(world: World) -> list[Json]:
    found = []
    for machine in world.machines:
        own = machine["restore_points"]
        if own["present"] and machine["item"] is not None:
            # As the backup service names them.
            name = f"AzureBackup_{machine['name']}_{10**12 + number(10**12, world.seed, machine['name'])}"
            found.append(_collection(machine, own, name, world.restore_point_group))
        for other in machine["other_collections"]:
            if other.get("present", True):
                found.append(
                    _collection(machine, other, other["name"], other.get("resource_group", world.resource_group))
                )
    return found


def _collection(machine: Json, kept_in: Json, name: str, group: str) -> Json:
    return {"machine": machine, "kept_in": kept_in, "name": name, "group": group}


def _json(world: World, collection: Json, expand: bool) -> Json:
    machine, given, name = collection["machine"], collection["kept_in"], collection["name"]
    group = f"/subscriptions/{world.subscription}/resourceGroups/{collection['group']}"
    own = f"{group}/providers/Microsoft.Compute/restorePointCollections/{name}"
    properties: Json = {
        "source": {"id": world.vm_id(machine), "location": world.location},
        "provisioningState": given.get("provisioning_state", "Succeeded"),
        "restorePointCollectionId": guid(world.seed, world.name, name),
    }
    if expand:
        apart = given.get("interval_h") or interval_h(world)
        ages = [given.get("newest_hours_ago", 4) + apart * index for index in range(given.get("count", 1))]
        properties["restorePoints"] = [_point(world, machine, own, hours) for hours in ages]
    return {
        "name": name,
        "id": own,
        "type": "Microsoft.Compute/restorePointCollections",
        "location": world.location,
        "properties": properties,
    }


def _point(world: World, machine: Json, collection: str, hours_ago: float) -> Json:
    taken = world.ago(hours_ago)
    name = f"AzureBackup_{taken:%Y%m%d_%H%M%S}"
    return {
        "name": name,
        "id": f"{collection}/restorePoints/{name}",
        "type": "Microsoft.Compute/restorePointCollections/restorePoints",
        "properties": {
            "provisioningState": "Succeeded",
            "consistencyMode": "ApplicationConsistent" if machine["os"] == "windows" else "FileSystemConsistent",
            "timeCreated": offset_stamp(taken),
        },
    }
