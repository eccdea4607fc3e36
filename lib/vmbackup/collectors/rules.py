"""The security rules that hold for each interface: Azure's own computation, or the groups as they are written."""

from __future__ import annotations

from functools import partial
from typing import Any

from azure.core.exceptions import HttpResponseError

from vmbackup.collectors.base import Answers, Ask, collector
from vmbackup.collectors.errors import as_fact, status_of
from vmbackup.collectors.wire import entries, inside, last_part, part_after, resource, text, texts, whole
from vmbackup.facts import Nic, NicRules, Rule, Subnet
from vmbackup.model import Fact, FactStatus

ACTION = "Microsoft.Network/networkInterfaces/effectiveNetworkSecurityGroups/action"


@collector(
    "network.rules",
    needs=("network.nics",),
    optional=("network.subnets",),
    actions=(ACTION, "Microsoft.Network/networkSecurityGroups/read"),
)
def rules(ask: Ask, nics: list[Nic], subnets: list[Subnet] | None) -> Answers:
    """Effective rules; where Azure does not compute them (VM stopped, right missing), the rules of the groups."""
    try:
        found = ask.azure.together([partial(_effective, ask, nic) for nic in nics])
        return {"network.rules": {"source": "effective", "nics": found}}
    except HttpResponseError as error:
        if not falls_back(error) or subnets is None:
            raise
        refused = as_fact(error, (ACTION,))
    written = {"source": "objects", "nics": [_written(ask, nic, subnets) for nic in nics]}
    return {"network.rules": Fact(FactStatus.OK, written, refused.why, refused.details)}


def falls_back(error: HttpResponseError) -> bool:
    """Azure computes only for a running VM (400), and not for everyone (403): the objects can still be read."""
    return status_of(error) in (400, 403)


def _effective(ask: Ask, nic: Nic) -> NicRules:
    group = part_after(nic["id"], "resourceGroups") or ""
    begun = ask.azure.network.network_interfaces.begin_list_effective_network_security_groups(group, nic["name"])
    return read_effective_rules(nic["id"], ask.azure.finished(begun).as_dict())


def read_effective_rules(nic_id: str, wire: object) -> NicRules:
    """``{"value": [{"networkSecurityGroup": {"id"}, "association": {…}, "effectiveSecurityRules": […]}]}``."""
    found: list[Rule] = []
    for group in entries(resource(wire), "value"):
        layer = "nic" if inside(group, "association", "networkInterface") else "subnet"
        nsg = text(group, "networkSecurityGroup", "id")
        read = [_rule(each, each, nsg, layer) for each in entries(group, "effectiveSecurityRules")]
        found += [rule for rule in read if rule]
    return {"nic": nic_id, "rules": found}


def _written(ask: Ask, nic: Nic, subnets: list[Subnet]) -> NicRules:
    of_nic = {config["subnet_id"] for config in nic["ip_configs"]}
    groups = [("nic", nic["nsg_id"])]
    groups += [("subnet", subnet["nsg_id"]) for subnet in subnets if subnet["id"] in of_nic]
    found = [read_nsg(_group(ask, nsg), layer) for layer, nsg in groups if nsg]
    return {"nic": nic["id"], "rules": [rule for rules in found for rule in rules]}


def _group(ask: Ask, nsg_id: str) -> Any:
    name, group = last_part(nsg_id) or "", part_after(nsg_id, "resourceGroups") or ""
    return ask.azure.network.network_security_groups.get(group, name).as_dict()


def read_nsg(wire: object, layer: str) -> list[Rule]:
    """The rules of a group, its default rules among them, from ``GET networkSecurityGroups/{name}``."""
    nsg = resource(wire)
    own = entries(nsg, "properties", "securityRules") + entries(nsg, "properties", "defaultSecurityRules")
    found = [_rule(each, inside(each, "properties"), text(nsg, "id"), layer) for each in own]
    return [rule for rule in found if rule]


def _rule(named: object, said: object, nsg: str | None, layer: str) -> Rule | None:
    direction, access, priority = text(said, "direction"), text(said, "access"), whole(said, "priority")
    if direction is None or access is None or priority is None:
        return None
    return {
        "name": (last_part(text(named, "name")) or "").removeprefix("defaultSecurityRules/"),
        "nsg": nsg,
        "layer": layer,
        "direction": direction,
        "access": access,
        "priority": priority,
        "protocol": text(said, "protocol") or "*",
        "destinations": _many(said, "destinationAddressPrefix"),
        "ports": [_port(each) for each in _many(said, "destinationPortRange")],
    }


def _many(said: object, name: str) -> list[str]:
    several = texts(said, f"{name}es" if name.endswith("x") else f"{name}s")
    single = text(said, name)
    return several or ([single] if single else [])


def _port(said: str) -> str:
    first, _, last = said.partition("-")
    if (first, last) == ("0", "65535"):
        return "*"
    return first if first == last else said
