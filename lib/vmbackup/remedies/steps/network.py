"""The changes to the network: let traffic to Azure Storage out, by rule, by route or by service endpoint."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from vmbackup.arm.client import Arm
from vmbackup.remedies.plan import Plan
from vmbackup.remedies.steps.request import (
    Observation,
    Request,
    State,
    get_existing,
    properties,
    provisioning_state,
)
from vmbackup.resource_ids import resource_name


def allow_storage_in_nsg(plan: Plan, *paths: str) -> list[Request]:
    """Three rules ahead of the blocking one."""
    tags = (plan.values["storage_tag"], "AzureBackup", "AzureActiveDirectory")
    return [
        _rule(path, tag, plan.values[f"priority_{number}"])
        for number, (path, tag) in enumerate(zip(paths, tags, strict=True), 1)
    ]


def _rule(path: str, tag: str, priority: int) -> Request:
    wanted = {
        "priority": priority, "direction": "Outbound", "access": "Allow", "protocol": "Tcp", "sourceAddressPrefix": "*",
        "sourcePortRange": "*", "destinationAddressPrefix": tag, "destinationPortRange": "443",
    }  # fmt: skip

    def observe(arm: Arm) -> Observation:
        response = arm.request("GET", path)
        rule = properties(response)
        same = all(str(rule.get(key)).lower() == str(value).lower() for key, value in wanted.items())
        state: State = provisioning_state(rule) if response.body is not None and same else "todo"
        details = {"priority": rule.get("priority"), "destination": rule.get("destinationAddressPrefix")}
        return Observation(state, {"rule": resource_name(path), **details})

    return Request("PUT", path, lambda _: {"properties": wanted}, observe)


def add_storage_route(plan: Plan, path: str) -> list[Request]:
    """A route of its own for Azure Storage."""
    tag = plan.values["storage_tag"]

    def observe(arm: Arm) -> Observation:
        route = properties(arm.request("GET", path))
        right = route.get("addressPrefix") == tag and route.get("nextHopType") == "Internet"
        details = {"route": route.get("addressPrefix"), "next_hop": route.get("nextHopType")}
        return Observation(provisioning_state(route) if right else "todo", details)

    return [Request("PUT", path, lambda _: {"properties": {"addressPrefix": tag, "nextHopType": "Internet"}}, observe)]


def add_storage_service_endpoint(plan: Plan, path: str) -> list[Request]:
    """One more service endpoint of the subnet; all else in it stays."""

    def observe(arm: Arm) -> Observation:
        response = get_existing(arm, path)
        subnet = properties(response)
        services = [str(each.get("service")) for each in subnet.get("serviceEndpoints") or []]
        has_it = any(each.lower() == "microsoft.storage" for each in services)
        return Observation(
            provisioning_state(subnet) if has_it else "todo", {"service_endpoints": services}, response.body
        )

    def body(subnet: Any) -> Any:
        changed = deepcopy(subnet)
        endpoints = changed["properties"].setdefault("serviceEndpoints", [])
        endpoints.append({"service": "Microsoft.Storage"})
        return changed

    return [Request("PUT", path, body, observe)]
