"""The core: one pure function from request to answer; no sockets, no clock of its own, no chance."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from email.utils import format_datetime
from urllib.parse import unquote

from azuresim import faults, permissions
from azuresim.answer import Answer, Json, Refused, not_found
from azuresim.ids import guid
from azuresim.routing import Found, Request, find
from azuresim.state import Azure
from azuresim.world import World

# What is left of the requests that Azure allows, where nobody counts them.
_ENOUGH = {"reads": 249, "writes": 199, "deletes": 199}
_GROUP = re.compile(r"/resourcegroups/([^/'\"\s?]+)", re.IGNORECASE)
_OF_THE_VM = re.compile(r"/providers/microsoft\.(compute|network|insights|resourcehealth)/", re.IGNORECASE)
_BELOW_VAULT = re.compile(
    r"/resourcegroups/([^/]+)/providers/microsoft\.recoveryservices/vaults/([^/]+)/"
    r"(?:.*/protecteditems/[^/]*;([^/;]+);[^/;]+|backupjobs/([^/]+))(?:/|\Z)",
    re.IGNORECASE,
)
_BY_GROUP_NAME = re.compile(r"resourceGroupName eq '([^']+)'", re.IGNORECASE)


def handle(
    azure: Azure, method: str, path: str, query: Mapping[str, str], headers: Mapping[str, str], body: bytes
) -> Answer:
    """Answer one request. ``path`` is still percent-encoded; header names may have any letter case."""
    lowered = {name.lower(): value for name, value in headers.items()}
    asked = {name.lower(): value for name, value in query.items()}
    # Clients encode whole scopes, slashes and all; an empty parent resource leaves two slashes behind.
    path = re.sub(r"/{2,}", "/", unquote(path)).rstrip("/") or "/"
    method = method.upper()
    found = find(method, path)
    storm = None if found and found[0].open else azure.storm
    key = azure.unique(method, path, "storm") if storm else ""
    kind = {"GET": "reads", "HEAD": "reads", "DELETE": "deletes"}.get(method, "writes")
    left = _ENOUGH[kind]
    try:
        left = storm.let_in(key, kind, left) if storm else left
        answer, world = _answer(azure, method, path, asked, lowered, body, found)
    except Refused as refused:
        answer, world = refused.answer, None
    answer = _finished(azure, answer, world, method, path, asked)
    answer.headers.setdefault(f"x-ms-ratelimit-remaining-subscription-{kind}", str(left))
    return storm.let_out(key, answer) if storm else answer


def _answer(
    azure: Azure, method: str, path: str, query: dict[str, str], headers: dict[str, str], body: bytes, found: Found
) -> tuple[Answer, World | None]:
    if found and found[0].open:
        request = Request(azure, method, path, query, headers, {}, found[1], found[0], azure.worlds)
        return found[0].handler(request), None
    azure.tokens.demand(headers.get("authorization", ""), azure.seed, bool(found and found[0].metrics))
    if found is None:
        raise Refused(501, "NotImplemented", f"The simulator has no answer to {method} {path}.")
    if "api-version" not in query:
        raise Refused(
            400,
            "MissingApiVersionParameter",
            "The api-version query parameter (?api-version=) is required for all requests.",
        )
    route, params = found
    if "sub" in params:
        params["sub"] = params["sub"].lower()
    candidates = _candidates(azure, params.get("sub"), path, query, body)
    fault = faults.wanted(candidates, method, path)
    if fault and (answer := faults.at_once(fault)):
        return answer, candidates[0]
    request = Request(azure, method, path, query, headers, _json(body), params, route, candidates, fault)
    request.candidates = permissions.demand(request)
    _locate(request)
    request.unique = azure.unique(method, path, "work")
    world = request.found_world or next(iter(request.candidates), azure.worlds[0])
    with world.lock:
        answer = route.handler(request)
    if fault:
        answer = faults.afterwards(fault, answer)
    return answer, world


def _candidates(azure: Azure, subscription: str | None, path: str, query: dict[str, str], body: bytes) -> list[World]:
    """The worlds a request may be about: those with the groups that it names, else all of the subscription."""
    if subscription is not None and subscription not in azure.subscriptions:
        raise Refused(404, "SubscriptionNotFound", f"The subscription '{subscription}' could not be found.")
    if alone := _alone(azure, subscription, path):
        return [alone]
    told = path + " " + query.get("$filter", "")
    named = _GROUP.search(path) or _GROUP.search(told) or _BY_GROUP_NAME.search(told)
    groups = [named.group(1)] if named else sorted(set(_GROUP.findall(body.decode("utf-8", "replace"))))
    mine = [world for group in groups for world in azure.of_group(subscription, group)]
    if named and not mine and _GROUP.search(path):
        raise Refused(404, "ResourceGroupNotFound", f"Resource group '{named.group(1)}' could not be found.")
    return [world for world in mine or azure.worlds if subscription is None or _reaches(world, subscription, path)]


def _alone(azure: Azure, subscription: str | None, path: str) -> World | None:
    """The world with the item or job of a vault that the path names: found without a look at all that share it."""
    below = _BELOW_VAULT.search(path)
    if below is None or subscription is None:
        return None
    group, vault, item, job = below.groups()
    worlds = azure.of_job(job) if job else azure.of_group(None, item)
    mine = [world for world in worlds if job or world.resource_group.lower() == item.lower()]
    return next((world for world in mine if _vault(world) == (subscription, group.lower(), vault.lower())), None)


def _locate(request: Request) -> None:
    params = request.params
    if "rg" in params:
        request.found_world = request.candidates[0]
    if "vm" in params:
        request.found_machine = find_machine(request.world, params["vm"])
    if "vault" in params:
        named = (params["sub"], params["rg"].lower(), params["vault"].lower())
        request.candidates = [world for world in request.candidates if named == _vault(world)]
        if not request.candidates:
            raise not_found("Microsoft.RecoveryServices/vaults", params["vault"], params["rg"])
        request.found_world = _owner(request.candidates, params)


def _vault(world: World) -> tuple[str, str, str] | None:
    """Where the world's vault is; None where it does not exist."""
    if world.spec.get("vault_exists") is False:
        return None
    return world.vault_subscription, world.vault_group.lower(), world.vault.lower()


def _owner(worlds: list[World], params: Mapping[str, str]) -> World:
    """Of the worlds that share a vault, the one with the item, job or policy that the path names; else the first."""
    if len(worlds) == 1:
        return worlds[0]
    group = (params.get("item", "").split(";")[-2:] or [""])[0].lower()
    job, policy = params.get("job", "").lower(), params.get("policy", "").lower()
    for world in worlds:
        if group and world.resource_group.lower() == group:
            return world
        if job and any(each["name"] == job for machine in world.machines for each in machine["jobs"]):
            return world
        if policy and any(name.lower() == policy for name in world.policies):
            return world
    return worlds[0]


def _json(body: bytes) -> Json:
    if not body.strip():
        return {}
    try:
        parsed = json.loads(body)
    except ValueError as exc:
        raise Refused(
            400, "InvalidRequestContent", f"The request content was invalid and could not be deserialized: '{exc}'."
        ) from exc
    return parsed if isinstance(parsed, dict) else {}


def _finished(
    azure: Azure, answer: Answer, world: World | None, method: str, path: str, query: dict[str, str]
) -> Answer:
    with azure.lock:
        own = guid(azure.seed, azure.unique(method, path, "request"), sorted(query.items()))
    moment = (world or azure.worlds[0]).now
    headers = {
        "Date": format_datetime(moment, usegmt=True),
        "Cache-Control": "no-cache",
        "Pragma": "no-cache",
        "Expires": "-1",
        "x-ms-request-id": own,
        "x-ms-correlation-request-id": own,
        "x-ms-routing-request-id": f"WESTEUROPE:{moment:%Y%m%dT%H%M%SZ}:{own}",
        "X-Content-Type-Options": "nosniff",
    }
    if "/providers/microsoft.compute/" in path.lower():
        headers["x-ms-ratelimit-remaining-resource"] = "Microsoft.Compute/LowCostGetResource;35"
    return Answer(answer.status, answer.body, headers | answer.headers, answer.delay_s)


def find_machine(world: World, name: str) -> Json:
    """The VM of this name (any letter case); 404 when there is none."""
    for index, machine in enumerate(world.machines):
        if machine["name"].lower() == name.lower() and (index or world.spec.get("exists", True)):
            return machine
    raise not_found("Microsoft.Compute/virtualMachines", name, world.resource_group)


def _reaches(world: World, subscription: str, path: str) -> bool:
    """Whether the path may be about this world: the subscription of its VM, or of its vault."""
    if world.subscription == subscription:
        return True
    return world.vault_subscription == subscription and not _OF_THE_VM.search(path)
