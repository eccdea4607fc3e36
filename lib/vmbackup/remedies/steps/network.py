"""The changes to the network: let traffic to Azure Storage out, by rule, by route or by service endpoint."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from vmbackup.arm.client import Arm
from vmbackup.remedies.plan import Plan
from vmbackup.remedies.steps.step import Seen, State, Step, name_of, properties, settled, there


def allow_storage_in_nsg(plan: Plan) -> list[Step]:
    """The steps of this remedy."""
    tags = (plan.values["storage_tag"], "AzureBackup", "AzureActiveDirectory")
    names = ("storage", "azurebackup", "azureactivedirectory")
    return [
        _rule(f"{plan.values['nsg_id']}/securityRules/vmbackup-allow-{name}", tag, plan.values[f"priority_{number}"])
        for number, (name, tag) in enumerate(zip(names, tags, strict=True), 1)
    ]


def _rule(path: str, tag: str, priority: int) -> Step:
    wanted = {
        "priority": priority, "direction": "Outbound", "access": "Allow", "protocol": "Tcp", "sourceAddressPrefix": "*",
        "sourcePortRange": "*", "destinationAddressPrefix": tag, "destinationPortRange": "443",
    }  # fmt: skip

    def look(arm: Arm) -> Seen:
        answer = arm.request("GET", path)
        found = properties(answer)
        state: State = "todo"
        same = all(str(found.get(key)).lower() == str(value).lower() for key, value in wanted.items())
        if answer.body is not None and same:
            state = settled(found)
        return Seen(
            state,
            {
                "rule": name_of(path),
                "priority": found.get("priority"),
                "destination": found.get("destinationAddressPrefix"),
            },
        )

    return Step("PUT", path, lambda seen: {"properties": wanted}, look)


def add_storage_route(plan: Plan) -> list[Step]:
    """The steps of this remedy."""
    path, tag = f"{plan.values['route_table_id']}/routes/vmbackup-storage", plan.values["storage_tag"]

    def look(arm: Arm) -> Seen:
        answer = arm.request("GET", path)
        found = properties(answer)
        right = found.get("addressPrefix") == tag and found.get("nextHopType") == "Internet"
        return Seen(
            settled(found) if right else "todo",
            {"route": found.get("addressPrefix"), "next_hop": found.get("nextHopType")},
        )

    return [Step("PUT", path, lambda seen: {"properties": {"addressPrefix": tag, "nextHopType": "Internet"}}, look)]


def add_storage_service_endpoint(plan: Plan) -> list[Step]:
    """The steps of this remedy."""
    path = plan.values["subnet_id"]

    def look(arm: Arm) -> Seen:
        answer = there(arm, path)
        services = [str(each.get("service")) for each in properties(answer).get("serviceEndpoints") or []]
        has_it = any(each.lower() == "microsoft.storage" for each in services)
        return Seen(settled(properties(answer)) if has_it else "todo", {"service_endpoints": services}, answer.body)

    def body(subnet: Any) -> Any:
        changed = deepcopy(subnet)
        endpoints = changed["properties"].setdefault("serviceEndpoints", [])
        endpoints.append({"service": "Microsoft.Storage"})
        return changed

    return [Step("PUT", path, body, look)]
