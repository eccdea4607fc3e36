"""Resource groups and providers."""

from __future__ import annotations

from azuresim.answer import Answer, Json, Refused, ok
from azuresim.routing import Request, route
from azuresim.world import World

_RIGHT = "Microsoft.Resources/subscriptions/resourceGroups/read"


@route("GET", "/subscriptions/{sub}/resourceGroups", _RIGHT)
def list_groups(request: Request) -> Answer:
    """All groups: each world's own, the one of its restore points, that of its vault."""
    return request.page([group_json(world, request.params["sub"], name) for world, name in _groups(request)])


@route("GET", "/subscriptions/{sub}/resourceGroups/{group}", _RIGHT)
def get_group(request: Request) -> Answer:
    """One group."""
    for world, name in _groups(request):
        if name.lower() == request.params["group"].lower():
            return ok(group_json(world, request.params["sub"], name))
    raise Refused(404, "ResourceGroupNotFound", f"Resource group '{request.params['group']}' could not be found.")


def _groups(request: Request) -> list[tuple[World, str]]:
    return [
        (world, name) for world in request.candidates for owner, name in world.groups if owner == request.params["sub"]
    ]


def group_json(world: World, subscription: str, name: str) -> Json:
    """A group on the wire."""
    return {
        "id": f"/subscriptions/{subscription}/resourceGroups/{name}",
        "name": name,
        "type": "Microsoft.Resources/resourceGroups",
        "location": world.location,
        "tags": {},
        "properties": {"provisioningState": "Succeeded"},
    }


@route("GET", "/subscriptions/{sub}/providers/{namespace}")
def provider(request: Request) -> Answer:
    """A registered provider; tools ask before they use one."""
    name = request.params["namespace"]
    return ok(
        {
            "id": f"/subscriptions/{request.params['sub']}/providers/{name}",
            "namespace": name,
            "registrationState": "Registered",
            "registrationPolicy": "RegistrationRequired",
            "resourceTypes": [],
        }
    )
