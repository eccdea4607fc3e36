"""Security rules: the defaults of every NSG, and what a set of rules lets through."""

from __future__ import annotations

from azuresim.answer import Json
from azuresim.world import World

INTERNET = ("1.0.0.0/8", "2.0.0.0/7", "4.0.0.0/9")
NETWORK = ("10.0.0.0/16", "168.63.129.16/32")
BALANCER = ("168.63.129.16/32",)
EXPANDED = {
    "Internet": INTERNET,
    "VirtualNetwork": NETWORK,
    "AzureLoadBalancer": BALANCER,
    "Storage": ("20.38.96.0/19", "20.60.0.0/16"),
    "AzureCloud": ("20.33.0.0/16", "20.40.0.0/13"),
    "AzureBackup": ("20.38.84.0/26",),
    "AzureActiveDirectory": ("20.190.128.0/18",),
}


def _default(name: str, direction: str, priority: int, access: str, source: str, to: str) -> Json:
    rule: Json = {"name": name, "direction": direction, "priority": priority, "access": access, "protocol": "*"}
    return rule | {"from": source, "to": [to], "ports": ["*"]}


DEFAULT_RULES = (
    _default("AllowVnetInBound", "Inbound", 65000, "Allow", "VirtualNetwork", "VirtualNetwork"),
    _default("AllowAzureLoadBalancerInBound", "Inbound", 65001, "Allow", "AzureLoadBalancer", "*"),
    _default("DenyAllInBound", "Inbound", 65500, "Deny", "*", "*"),
    _default("AllowVnetOutBound", "Outbound", 65000, "Allow", "VirtualNetwork", "VirtualNetwork"),
    _default("AllowInternetOutBound", "Outbound", 65001, "Allow", "*", "Internet"),
    _default("DenyAllOutBound", "Outbound", 65500, "Deny", "*", "*"),
)

# What a destination that a rule names contains of the tags that a backup may need.
_CONTAINS = {
    "*": ("Storage", "AzureCloud", "AzureBackup", "AzureActiveDirectory", "Internet"),
    "0.0.0.0/0": ("Storage", "AzureCloud", "AzureBackup", "AzureActiveDirectory", "Internet"),
    "internet": ("Storage", "AzureCloud", "AzureBackup", "AzureActiveDirectory", "Internet"),
    "azurecloud": ("Storage", "AzureCloud", "AzureBackup"),
}


def denies(rules: list[Json], tag: str, port: int = 443) -> bool:
    """Whether one NSG with these own rules keeps TCP to ``tag``:``port`` from leaving."""
    for rule in sorted([*rules, *DEFAULT_RULES], key=lambda rule: int(rule["priority"])):
        fits = rule["direction"] == "Outbound" and rule["protocol"].lower() in ("*", "tcp")
        if fits and _to(rule["to"], tag) and _port(rule["ports"], port):
            return bool(rule["access"] == "Deny")
    return True


def blocked(world: World, machine: Json, tag: str) -> bool:
    """Whether NSGs keep this VM from ``tag``: both its subnet's and its interface's must let through."""
    primary = next((nic for nic in machine["nics"] if nic["primary"]), None)
    places = ["subnet"] + (["nic"] if primary and primary["nsg"] else [])
    return any(denies(world.nsgs[place], tag) for place in places if place in world.nsgs)


def route_blocks(world: World, tag: str) -> bool:
    """Whether the world's own default route swallows what goes to ``tag``; a service endpoint goes around it."""
    endpoints = world.spec.get("subnet", {}).get("service_endpoints", [])
    if f"Microsoft.{tag}" in endpoints:
        return False
    if any(route["prefix"].split(".")[0] == tag and route["next_hop"] == "Internet" for route in world.routes):
        return False
    # A route for the service tag is longer than the default route and decides.
    own = [route for route in world.routes if route["prefix"].split(".")[0] == tag]
    if own:
        return all(route["next_hop"] == "None" for route in own)
    return any(route["prefix"] == "0.0.0.0/0" and route["next_hop"] == "None" for route in world.routes)


def _to(destinations: list[str], tag: str) -> bool:
    for destination in destinations:
        wide = destination.lower()
        if wide == tag.lower() or wide.startswith(tag.lower() + "."):
            return True
        if tag in _CONTAINS.get(wide, ()):
            return True
    return False


def _port(ranges: list[str], port: int) -> bool:
    for text in ranges:
        if text == "*":
            return True
        low, _, high = text.partition("-")
        if int(low) <= port <= int(high or low):
            return True
    return False
