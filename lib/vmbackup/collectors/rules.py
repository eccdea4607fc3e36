"""The security rules of each interface: as Azure computes them, or as the groups define them."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Mapping, Sequence
from functools import partial

from vmbackup.arm.errors import Unreadable
from vmbackup.arm.wire import entries, inside, listed, resource, text, texts, whole
from vmbackup.collectors.base import Answers, Ask, collector
from vmbackup.collectors.effective import computed, effective_or_written
from vmbackup.collectors.network import subnets_of
from vmbackup.facts.network import Nic, NicRules, Rule, Subnet
from vmbackup.resource_ids import resource_name

EFFECTIVE = "effectiveNetworkSecurityGroups"
"""What Azure computes of an interface."""
ACTION = f"Microsoft.Network/networkInterfaces/{EFFECTIVE}/action"
_PLACES = ("subnet", "networkInterface", "networkManager")
_PROTOCOLS = ("tcp", "udp", "icmp", "esp", "ah", "any", "all", "*")
# Ports that a connection of the VM's own begins at: Windows from 49152, Linux to 60999.
_OWN_PORTS = (49152, 60999)


@collector(
    "network.rules",
    needs=("network.nics", "_groups"),
    optional=("network.subnets",),
    actions=(ACTION, "Microsoft.Network/networkSecurityGroups/read"),
    any_action=True,
)
def rules(ask: Ask, nics: list[Nic], groups: Mapping[str, list[str]], subnets: list[Subnet] | None) -> Answers:
    """Effective rules; where Azure does not compute them (VM stopped, right missing), the rules of the groups."""
    written = None if subnets is None else lambda nic: written_rules(nic, groups, subnets, ask.arm.read)
    return effective_or_written("network.rules", ACTION, nics, partial(_effective, ask), written)


def _effective(ask: Ask, nic: Nic) -> NicRules:
    return read_effective_rules(nic["id"], computed(ask, nic, EFFECTIVE), addresses(nic))


def addresses(nic: Nic) -> list[str]:
    """What an interface sends from."""
    return [config["private_ip"] for config in nic["ip_configs"] if config["private_ip"]]


def read_effective_rules(nic_id: str, wire: object, addresses: Sequence[str] = ()) -> NicRules:
    """The rules that hold for an interface with these addresses; those for other senders of its subnet are left out.

    ``{"value": [{"networkSecurityGroup": {"id"}, "association": {…}, "effectiveSecurityRules": […]}]}``."""
    found: list[Rule] = []
    for group in listed(resource(wire), "value"):
        layer = "nic" if inside(group, "association", "networkInterface") else "subnet"
        nsg = text(group, "networkSecurityGroup", "id")
        sent = [each for each in listed(group, "effectiveSecurityRules") if _sends(each, addresses)]
        found += [_rule(each, each, nsg, layer) for each in sent]
    return {"nic": nic_id, "rules": found}


def rules_of_neighbour(nic: Nic, own_groups: Sequence[str], wire: object, read: Callable[[str], object]) -> NicRules:
    """The rules of an interface by what Azure computes for another one in its subnet: all but those of that one's own
    security group; those of its own are what its group says, which ``read`` gets by its id. Raises Unreadable where
    Azure does not say what a group belongs to."""
    groups = listed(resource(wire), "value")
    if not all(any(inside(group, "association", place) for place in _PLACES) for group in groups):
        raise Unreadable("a security group that belongs to nothing")
    shared = [group for group in groups if not inside(group, "association", "networkInterface")]
    found = read_effective_rules(nic["id"], {"value": shared}, addresses(nic))
    own = read_nsg(read(nic["nsg_id"]), "nic", addresses(nic), own_groups) if nic["nsg_id"] else []
    return {**found, "rules": [*found["rules"], *own]}


def written_rules(
    nic: Nic, groups: Mapping[str, list[str]], subnets: list[Subnet], read: Callable[[str], object]
) -> NicRules:
    """The rules of an interface's security groups; ``read`` gets one of them by its id, ``groups`` are the application
    security groups of each interface."""
    own, placed = groups[nic["id"].lower()], [("nic", nic["nsg_id"])]
    placed += [("subnet", subnet["nsg_id"]) for subnet in subnets_of(nic, subnets)]
    found = [read_nsg(read(nsg), layer, addresses(nic), own) for layer, nsg in placed if nsg]
    return {"nic": nic["id"], "rules": [rule for rules in found for rule in rules]}


def read_nsg(
    wire: object, layer: str, addresses: Sequence[str] = (), groups: Sequence[str] | None = None
) -> list[Rule]:
    """The rules of a group, its default rules among them, from ``GET networkSecurityGroups/{name}``.

    Given an interface's addresses and application security groups, rules for other senders are left out.
    """
    nsg = resource(wire)
    rules = listed(nsg, "properties", "securityRules") + listed(nsg, "properties", "defaultSecurityRules")
    sent = [each for each in rules if _sends(inside(each, "properties"), addresses, groups)]
    return [_rule(each, inside(each, "properties"), text(nsg, "id"), layer) for each in sent]


def _sends(rule: object, addresses: Sequence[str], groups: Sequence[str] | None = None) -> bool:
    """Whether a rule can apply to what this interface sends. True if in doubt, and for what it receives."""
    if (text(rule, "direction") or "").lower() != "outbound":
        return True
    ports = _many(rule, "sourcePortRange")
    if ports and not any(map(_begins_there, ports)):
        return False
    named = [text(each, "id") or "" for each in entries(rule, "sourceApplicationSecurityGroups")]
    if named and groups is not None:
        return any(name.lower() in groups for name in named)
    sources = _many(rule, "sourceAddressPrefix") or texts(rule, "expandedSourceAddressPrefix")
    return not sources or not addresses or any(_holds(source, addresses) for source in sources)


def _begins_there(ports: str) -> bool:
    first, _, last = ports.partition("-")
    if not first.isdecimal() or not (last or first).isdecimal():
        return True
    return int(first) <= _OWN_PORTS[1] and int(last or first) >= _OWN_PORTS[0]


def _holds(source: str, addresses: Sequence[str]) -> bool:
    try:
        network = ipaddress.ip_network(source.strip(), strict=False)
        return any(ipaddress.ip_address(address) in network for address in addresses)
    except ValueError:
        # A service tag, or everything.
        return True


def _rule(named: object, rule: object, nsg: str | None, layer: str) -> Rule:
    """Raises Unreadable for an incomplete rule: left out, what it closes would seem open."""
    direction, access, priority = text(rule, "direction"), text(rule, "access"), whole(rule, "priority")
    ports = [_port(each) for each in _many(rule, "destinationPortRange")]
    protocol = text(rule, "protocol") or "*"
    known = (direction or "").lower() in ("inbound", "outbound") and (access or "").lower() in ("allow", "deny")
    if direction is None or access is None or priority is None or not known or not ports:
        raise Unreadable("a security rule without direction, access, priority or ports")
    if protocol.lower() not in _PROTOCOLS:
        raise Unreadable(f"a security rule for the protocol {protocol}")
    return {
        "name": resource_name(text(named, "name")).removeprefix("defaultSecurityRules/"),
        "nsg": nsg,
        "layer": layer,
        "direction": direction,
        "access": access,
        "priority": priority,
        "protocol": protocol,
        # Azure resolves application security groups to their addresses.
        "destinations": _many(rule, "destinationAddressPrefix") or texts(rule, "expandedDestinationAddressPrefix"),
        "ports": ports,
    }


def _many(rule: object, name: str) -> list[str]:
    several = texts(rule, f"{name}es" if name.endswith("x") else f"{name}s")
    single = text(rule, name)
    return several or ([single] if single else [])


def _port(words: str) -> str:
    """Raises Unreadable for anything but a port: its rule must not be lost."""
    first, _, last = words.strip().partition("-")
    if (first, last) == ("0", "65535") or first.lower() in ("*", "any"):
        return "*"
    if not first.isdecimal() or not (last or first).isdecimal():
        raise Unreadable(f"a security rule for the ports {words}")
    return first if first == last else words
