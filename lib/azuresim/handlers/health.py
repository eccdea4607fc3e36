"""Resource Health."""

from __future__ import annotations

from azuresim.answer import Answer, Json, ok
from azuresim.handlers.compute import VM
from azuresim.ids import seconds_stamp, stamp
from azuresim.routing import Request, route
from azuresim.world import World

_RIGHT = "Microsoft.ResourceHealth/availabilityStatuses/read"
_SUMMARY = {
    "Available": "There aren't any known Azure platform problems affecting this virtual machine.",
    "Unavailable": "Your virtual machine is unavailable.",
    "Degraded": "Your virtual machine is degraded.",
    "Unknown": "We're currently unable to determine the health of this virtual machine.",
}


@route("GET", VM + "/providers/Microsoft.ResourceHealth/availabilityStatuses/current", _RIGHT)
def current(request: Request) -> Answer:
    """How the VM is now, as the platform sees it."""
    return ok(status_json(request.world, request.machine, "current"))


@route("GET", VM + "/providers/Microsoft.ResourceHealth/availabilityStatuses", _RIGHT)
def past(request: Request) -> Answer:
    """The same as a list."""
    return request.page([status_json(request.world, request.machine, "current")])


def status_json(world: World, machine: Json, name: str) -> Json:
    """An availability status on the wire. ``occuredTime`` is Azure's spelling."""
    health = machine["health"]
    properties: Json = {
        "availabilityState": health["state"],
        "title": health["state"],
        "summary": health["summary"] or _SUMMARY.get(health["state"], ""),
        "reasonType": health["reason"],
        "reasonChronicity": "Persistent",
        "occuredTime": seconds_stamp(world.ago(health["hours_ago"])),
        "reportedTime": stamp(world.now),
        "recommendedActions": [],
    }
    return {
        "id": f"{world.vm_id(machine)}/providers/Microsoft.ResourceHealth/availabilityStatuses/{name}",
        "name": name,
        "type": "Microsoft.ResourceHealth/AvailabilityStatuses",
        "location": world.location,
        "properties": properties,
    }
