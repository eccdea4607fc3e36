"""The VM's interfaces and subnets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from vmbackup.arm.call import gather
from vmbackup.arm.errors import Unreadable
from vmbackup.arm.wire import entries, flag, inside, listed, resource, text
from vmbackup.collectors.base import Answers, Ask, collector
from vmbackup.facts.network import IpConfig, Nic, Subnet
from vmbackup.resource_ids import resource_name


@collector("_groups", "network.nics", needs=("_vm",), actions=("Microsoft.Network/networkInterfaces/read",))
def interfaces(ask: Ask, vm: Mapping[str, Any]) -> Answers:
    """Every interface of the VM, the primary one first."""
    wires = gather([partial(ask.arm.read, known) for known in interface_ids(vm)])
    return read_interfaces(wires)


def read_interfaces(wires: Sequence[object]) -> Answers:
    """The interfaces of one VM, and the application security groups of each."""
    nics = [read_nic(wire) for wire in wires]
    if len(nics) == 1:
        nics[0]["primary"] = True
    groups = {nic["id"].lower(): read_application_groups(wire) for nic, wire in zip(nics, wires, strict=True)}
    return {"_groups": groups, "network.nics": sorted(nics, key=lambda nic: not nic["primary"])}


def interface_ids(vm: Mapping[str, Any]) -> list[str]:
    """The ids of the VM's interfaces. Raises Unreadable where the VM does not say which it has."""
    return [_id(each) for each in listed(vm, "properties", "networkProfile", "networkInterfaces")]


def _id(wire: object) -> str:
    """Raises Unreadable for a resource without an id: it could not be found again."""
    found = text(wire, "id")
    if found is None:
        raise Unreadable("a resource without an id")
    return found


def read_nic(wire: object) -> Nic:
    """One interface, from ``GET networkInterfaces/{name}``."""
    nic = resource(wire)
    properties = inside(nic, "properties")
    return {
        "id": _id(nic),
        "name": text(nic, "name") or resource_name(text(nic, "id")),
        "primary": flag(properties, "primary") is True,
        "nsg_id": text(properties, "networkSecurityGroup", "id"),
        "ip_configs": [_ip_config(each) for each in listed(properties, "ipConfigurations")],
    }


def _ip_config(wire: object) -> IpConfig:
    properties = inside(wire, "properties")
    return {
        "name": text(wire, "name") or "",
        "primary": flag(properties, "primary") is True,
        "private_ip": text(properties, "privateIPAddress"),
        "allocation": text(properties, "privateIPAllocationMethod"),
        "subnet_id": _id(inside(properties, "subnet")),
    }


def read_application_groups(wire: object) -> list[str]:
    """The application security groups that an interface belongs to, by which rules may name it: their ids."""
    found: set[str] = set()
    for config in entries(resource(wire), "properties", "ipConfigurations"):
        groups = entries(config, "properties", "applicationSecurityGroups")
        found.update(group.lower() for group in (text(each, "id") for each in groups) if group)
    return sorted(found)


@collector("network.subnets", needs=("network.nics",), actions=("Microsoft.Network/virtualNetworks/subnets/read",))
def subnets(ask: Ask, nics: list[Nic]) -> Answers:
    """Every subnet the VM has an address in."""
    known = {config["subnet_id"]: None for nic in nics for config in nic["ip_configs"] if config["subnet_id"]}
    wires = gather([partial(ask.arm.read, each) for each in known])
    return {"network.subnets": [read_subnet(wire) for wire in wires]}


def subnets_of(nic: Nic, subnets: list[Subnet]) -> list[Subnet]:
    """Those of the subnets that the interface has an address in; Azure spells one id in more than one letter case."""
    ids = {(config["subnet_id"] or "").lower() for config in nic["ip_configs"]}
    return [subnet for subnet in subnets if subnet["id"].lower() in ids]


def read_subnet(wire: object) -> Subnet:
    """One subnet, from ``GET virtualNetworks/{name}/subnets/{name}``."""
    subnet = resource(wire)
    properties = inside(subnet, "properties")
    services = (text(each, "service") for each in entries(properties, "serviceEndpoints"))
    return {
        "id": _id(subnet),
        "nsg_id": text(properties, "networkSecurityGroup", "id"),
        "route_table_id": text(properties, "routeTable", "id"),
        "nat_gateway_id": text(properties, "natGateway", "id"),
        "service_endpoints": [service for service in services if service],
        "default_outbound": flag(properties, "defaultOutboundAccess"),
    }
