"""Locks, and what the caller may do."""

from __future__ import annotations

from azuresim import effects
from azuresim.answer import Answer, Json, Refused, ok
from azuresim.ids import guid
from azuresim.routing import Request, route
from azuresim.world import World

_LOCKS = "/providers/Microsoft.Authorization/locks"
_READ_LOCKS = "Microsoft.Authorization/locks/read"
_SUB = "/subscriptions/{sub}"
_GROUP = _SUB + "/resourceGroups/{group}"


def _scope(world: World, lock: Json) -> str:
    return {
        "vm": world.vm_id(world.machines[0]),
        "resource_group": world.group_id,
        "restore_points": f"/subscriptions/{world.subscription}/resourceGroups/{world.restore_point_group}",
        "vault": world.vault_id,
        "subscription": f"/subscriptions/{world.subscription}",
    }[lock["scope"]]


def lock_json(world: World, lock: Json) -> Json:
    """A lock on the wire."""
    return {
        "id": f"{_scope(world, lock)}{_LOCKS}/{lock['name']}",
        "name": lock["name"],
        "type": "Microsoft.Authorization/locks",
        "properties": {"level": lock.get("level", "CanNotDelete"), "notes": lock.get("notes", "")},
    }


@route("GET", _SUB + _LOCKS, _READ_LOCKS)
@route("GET", _GROUP + _LOCKS, _READ_LOCKS)
@route("GET", _GROUP + "/providers/{resource*}" + _LOCKS, _READ_LOCKS)
def list_locks(request: Request) -> Answer:
    """Locks at the scope, above it (they are inherited) and, for groups and subscriptions, below it.

    ``$filter=atScope()`` leaves out those below.
    """
    scope = request.path[: request.path.lower().rindex(_LOCKS.lower())].lower()
    at_scope = "atscope()" in request.query.get("$filter", "").lower()
    found = []
    for world in request.candidates:
        for lock in world.locks:
            place = _scope(world, lock).lower()
            above = scope == place or scope.startswith(place + "/")
            below = place.startswith(scope + "/") and not at_scope
            if above or below:
                found.append(lock_json(world, lock))
    return request.page(found)


@route("GET", _SUB + _LOCKS + "/{lock}", _READ_LOCKS)
@route("GET", _GROUP + _LOCKS + "/{lock}", _READ_LOCKS)
@route("GET", _GROUP + "/providers/{resource*}" + _LOCKS + "/{lock}", _READ_LOCKS)
def get_lock(request: Request) -> Answer:
    """One lock."""
    for world in request.candidates:
        for lock in world.locks:
            if lock_json(world, lock)["id"].lower() == request.path.lower():
                return ok(lock_json(world, lock))
    raise Refused(404, "LockNotFound", f"The lock '{request.params['lock']}' could not be found.")


@route("DELETE", _SUB + _LOCKS + "/{lock}", "Microsoft.Authorization/locks/delete")
@route("DELETE", _GROUP + _LOCKS + "/{lock}", "Microsoft.Authorization/locks/delete")
@route("DELETE", _GROUP + "/providers/{resource*}" + _LOCKS + "/{lock}", "Microsoft.Authorization/locks/delete")
def delete_lock(request: Request) -> Answer:
    """Remove a lock at once; 204 when there is none."""
    for world in request.candidates:
        for lock in world.locks:
            if lock_json(world, lock)["id"].lower() == request.path.lower():
                world.locks.remove(lock)
                effects.apply(world, world.machines[0], "lock_deleted", lock["name"])
                return Answer(200)
    return Answer(204)


def demand_unlocked(request: Request, scope: str, operation: str) -> None:
    """409 when a lock of this scope forbids the operation."""
    world = request.world
    for lock in world.locks:
        if lock["scope"] in (scope, "subscription"):
            raise Refused(
                409,
                "ScopeLocked",
                f"The scope '{request.path}' cannot perform {operation} operation because following scope(s) are "
                f"locked: '{_scope(world, lock)}'. Please remove the lock and try again.",
            )


# --- permissions ---------------------------------------------------------------------------------------------------


@route("GET", _SUB + "/providers/Microsoft.Authorization/permissions")
@route("GET", _GROUP + "/providers/Microsoft.Authorization/permissions")
@route("GET", _GROUP + "/providers/{resource*}/providers/Microsoft.Authorization/permissions")
def permissions(request: Request) -> Answer:
    """What the caller may do here, as role definitions say it."""
    rules = request.candidates[0].spec.get("permissions", {})
    entry = {
        "actions": rules.get("allow", ["*"]),
        "notActions": rules.get("deny", []),
        "dataActions": [],
        "notDataActions": [],
    }
    return ok({"value": [entry]})


@route(
    "GET", _SUB + "/providers/Microsoft.Authorization/roleAssignments", "Microsoft.Authorization/roleAssignments/read"
)
def role_assignments(request: Request) -> Answer:
    """The caller's one role assignment."""
    world = request.candidates[0]
    name = guid(world.seed, "role assignment")
    scope = f"/subscriptions/{world.subscription}"
    body = {
        "id": f"{scope}/providers/Microsoft.Authorization/roleAssignments/{name}",
        "name": name,
        "type": "Microsoft.Authorization/roleAssignments",
        "properties": {
            "scope": scope,
            "principalId": request.azure.caller(),
            "roleDefinitionId": f"{scope}/providers/Microsoft.Authorization/roleDefinitions/{guid('role')}",
        },
    }
    return request.page([body])
