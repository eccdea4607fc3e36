"""The routes of each interface: as Azure computes them, or as the route tables define them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from vmbackup.arm.errors import Unreadable
from vmbackup.arm.wire import inside, listed, resource, text, texts
from vmbackup.collectors.base import Answers, Ask, collector
from vmbackup.collectors.effective import computed, effective_or_written
from vmbackup.collectors.network import subnets_of
from vmbackup.facts.network import Nic, NicRoutes, Route, Subnet

EFFECTIVE = "effectiveRouteTable"
"""What Azure computes of an interface."""
ACTION = f"Microsoft.Network/networkInterfaces/{EFFECTIVE}/action"


@collector(
    "network.routes",
    needs=("network.nics",),
    optional=("network.subnets",),
    actions=(ACTION, "Microsoft.Network/routeTables/read"),
    any_action=True,
)
def routes(ask: Ask, nics: list[Nic], subnets: list[Subnet] | None) -> Answers:
    """Effective routes; where Azure does not compute them (VM stopped, right missing), the tables of the subnets."""
    written = None if subnets is None else lambda nic: written_routes(nic, subnets, ask.arm.read)
    return effective_or_written("network.routes", ACTION, nics, partial(_effective, ask), written)


def _effective(ask: Ask, nic: Nic) -> NicRoutes:
    return read_effective_routes(nic["id"], computed(ask, nic, EFFECTIVE))


def read_effective_routes(nic_id: str, wire: object) -> NicRoutes:
    """``{"value": [{"source": "Default", "state": "Active", "addressPrefix": ["0.0.0.0/0"], "nextHopType": …}]}``."""
    found = [_effective_route(each) for each in listed(resource(wire), "value")]
    return {"nic": nic_id, "routes": found}


def _effective_route(route: object) -> Route:
    prefixes, next_hop = texts(route, "addressPrefix"), text(route, "nextHopType")
    if not (prefixes and next_hop):
        # Left out, traffic that it diverts would seem to pass.
        raise Unreadable("a route without a prefix or a next hop")
    return {
        "prefixes": prefixes,
        "next_hop": next_hop,
        "next_hop_ips": texts(route, "nextHopIpAddress"),
        "origin": text(route, "source"),
        "state": text(route, "state") or "Active",
    }


def written_routes(nic: Nic, subnets: list[Subnet], read: Callable[[str], object]) -> NicRoutes:
    """The routes of the tables of an interface's subnets; ``read`` gets one of them by its id."""
    tables = [subnet["route_table_id"] for subnet in subnets_of(nic, subnets)]
    found = [route for table in tables if table for route in read_route_table(read(table))]
    return {"nic": nic["id"], "routes": found + ([] if _takes_default(found) else [_PLATFORM_DEFAULT])}


# Without a user-defined route for 0.0.0.0/0, the platform's leads to the Internet.
_PLATFORM_DEFAULT: Route = {
    "prefixes": ["0.0.0.0/0"],
    "next_hop": "Internet",
    "next_hop_ips": [],
    "origin": "Default",
    "state": "Active",
}


def _takes_default(routes: list[Route]) -> bool:
    return any("0.0.0.0/0" in route["prefixes"] for route in routes)


def read_route_table(wire: object) -> list[Route]:
    """The user's routes, from ``GET routeTables/{name}``."""
    return [_written_route(inside(each, "properties")) for each in listed(resource(wire), "properties", "routes")]


def _written_route(route: object) -> Route:
    prefix, next_hop = text(route, "addressPrefix"), text(route, "nextHopType")
    address = text(route, "nextHopIpAddress")
    if not (prefix and next_hop):
        raise Unreadable("a route without a prefix or a next hop")
    return {
        "prefixes": [prefix],
        "next_hop": next_hop,
        "next_hop_ips": [address] if address else [],
        "origin": "User",
        "state": "Active",
    }
