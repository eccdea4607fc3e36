"""What Azure tells of the VM's network: the facts ``network.*`` (see :mod:`vmbackup.facts`)."""

from __future__ import annotations

from typing import TypedDict


class IpConfig(TypedDict):
    """``allocation`` is ``Static`` or ``Dynamic`` on the platform; the guest should use DHCP in both cases."""

    name: str
    primary: bool
    private_ip: str | None
    allocation: str | None
    subnet_id: str | None


class Nic(TypedDict):
    """One network interface."""

    id: str
    name: str
    primary: bool
    nsg_id: str | None
    ip_configs: list[IpConfig]


class Rule(TypedDict):
    """One security rule. ``destinations``: prefixes, service tags or ``*``; ``ports``: ``443``, ``80-90``, ``*``."""

    name: str
    nsg: str | None
    layer: str
    direction: str
    access: str
    priority: int
    protocol: str
    destinations: list[str]
    ports: list[str]


class NicRules(TypedDict):
    """The rules of one interface. ``layer`` is ``nic`` or ``subnet``: where both have rules, both must allow."""

    nic: str
    rules: list[Rule]


class Rules(TypedDict):
    """``source``: ``effective`` (computed by Azure) or ``objects`` (read as written: VM stopped, or right missing)."""

    source: str
    nics: list[NicRules]


class Route(TypedDict):
    """One route. ``next_hop``: ``Internet``, ``None``, ``VirtualAppliance``, ``VirtualNetworkGateway``, ``VnetLocal``,
    ``VirtualNetworkServiceEndpoint``, …; ``state``: ``Active`` or ``Invalid``; ``origin``: ``Default``, ``User``, …."""

    prefixes: list[str]
    next_hop: str
    next_hop_ips: list[str]
    origin: str | None
    state: str


class NicRoutes(TypedDict):
    """The routes that hold for one interface."""

    nic: str
    routes: list[Route]


class Routes(TypedDict):
    """``source`` as in :class:`Rules`."""

    source: str
    nics: list[NicRoutes]


class Subnet(TypedDict):
    """One subnet of the VM. ``default_outbound`` None = the platform's default."""

    id: str
    nsg_id: str | None
    route_table_id: str | None
    nat_gateway_id: str | None
    service_endpoints: list[str]
    default_outbound: bool | None
