"""RBAC: what the caller may do in each world, and ARM's words when it may not."""

from __future__ import annotations

from fnmatch import fnmatchcase

from azuresim.answer import Refused
from azuresim.ids import client_id
from azuresim.routing import Request
from azuresim.world import World


def allowed(world: World, action: str) -> bool:
    """Whether the world's ``permissions`` let the caller do ``action``. No permissions: everything."""
    rules = world.spec.get("permissions", {})
    if "allow" in rules and not _any(rules["allow"], action):
        return False
    return not _any(rules.get("deny", []), action)


def demand(request: Request) -> list[World]:
    """The worlds in which the request's action is allowed. None left: 403 in the words of ARM."""
    action = request.route.action
    if not action or not request.candidates:
        return request.candidates
    willing = [world for world in request.candidates if allowed(world, action)]
    if willing:
        return willing
    raise refusal(request.azure.seed, action, request.path)


def refusal(seed: int, action: str, path: str) -> Refused:
    """ARM's AuthorizationFailed. The scope is the resource, without the operation at its end."""
    scope = path.rsplit("/", 1)[0] if action.endswith("/action") else path
    me = client_id(seed)
    return Refused(
        403,
        "AuthorizationFailed",
        f"The client '{me}' with object id '{me}' does not have authorization to perform action '{action}' over scope "
        f"'{scope}' or the scope is invalid. If access was recently granted, please refresh your credentials.",
    )


def _any(patterns: list[str], action: str) -> bool:
    return any(fnmatchcase(action.lower(), pattern.lower()) for pattern in patterns)
