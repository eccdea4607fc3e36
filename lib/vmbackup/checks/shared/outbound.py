"""Whether network security rules and routes lead from the VM to Azure Storage on port 443. No check of its own.

How it is measured: like the platform does. The subnet's and the interface's security group must both let traffic out;
in each the rule with the lowest number that covers the traffic decides. Of the routes the one with the longest prefix
decides, and a service endpoint for Microsoft.Storage goes around all of them. Rules for single addresses cover only
part of Storage: they leave a doubt, which is kept.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from vmbackup.facts.network import Nic, NicRoutes, NicRules, Route, Routes, Rule, Rules, Subnet

_EVERYTHING = ("*", "any", "0.0.0.0/0", "internet", "azurecloud", "storage")
# Regions whose service tags are not spelt like the region.
_TAG_REGIONS = {
    "brazilsoutheast": "brazilse",
    "francecentral": "centralfrance",
    "francesouth": "southfrance",
    "germanynorth": "germanyn",
    "germanywestcentral": "germanywc",
    "norwayeast": "norwaye",
    "norwaywest": "norwayw",
    "switzerlandnorth": "switzerlandn",
    "switzerlandwest": "switzerlandw",
}
# The host's own address: no part of Storage, and no security rule holds for it.
_HOST = ipaddress.IPv4Network("168.63.129.16/32")
_EVERY_ADDRESS = ipaddress.IPv4Network("0.0.0.0/0")
_ORIGINS = ("user", "virtualnetworkgateway", "default")
_OPEN_HOPS = ("internet", "virtualnetworkserviceendpoint")


@dataclass(frozen=True, slots=True)
class Way:
    """``open``, ``closed``, or ``unsure`` where single addresses or something outside the facts decide.

    ``by`` names the rule or next hop that decided, ``of`` the security group or the route's prefix.
    """

    state: Literal["open", "closed", "unsure"]
    by: str
    of: str


def rules_way(rules: Rules | None, nics: list[Nic] | None, region: str) -> Way:
    """How the security rules treat traffic to Storage on the interface that carries it."""
    listed = rules["nics"] if rules else []
    chosen = _carrying({each["nic"].lower() for each in listed}, nics)
    return _worst([_nic_way(each, region) for each in listed if each["nic"].lower() in chosen])


def routes_way(routes: Routes | None, nics: list[Nic] | None, subnets: list[Subnet] | None, region: str) -> Way:
    """Where the routes lead traffic to Storage on the interface that carries it."""
    listed = routes["nics"] if routes else []
    from_objects = routes is not None and routes["source"] == "objects"
    chosen = _carrying({each["nic"].lower() for each in listed}, nics)
    return _worst(
        [
            _route_way(each, _subnet(each["nic"], nics, subnets), region, from_objects)
            for each in listed
            if each["nic"].lower() in chosen
        ]
    )


def _carrying(names: set[str], nics: list[Nic] | None) -> set[str]:
    primary = {nic["id"].lower() for nic in nics or [] if nic["primary"]} & names
    return primary or names


def _worst(ways: list[Way]) -> Way:
    if not ways:
        return Way("unsure", "-", "-")
    states = {way.state for way in ways}
    if len(states) == 1:
        return ways[0]
    doubtful = next(way for way in ways if way.state != "open")
    return Way("unsure", doubtful.by, doubtful.of)


# --- rules ---------------------------------------------------------------------------------------------------------


def _nic_way(rules_of: NicRules, region: str) -> Way:
    layers = {rule["layer"] for rule in rules_of["rules"]}
    ways = [
        _layer_way([rule for rule in rules_of["rules"] if rule["layer"] == layer], region) for layer in sorted(layers)
    ]
    closed = next((way for way in ways if way.state == "closed"), None)
    unsure = next((way for way in ways if way.state == "unsure"), None)
    return closed or unsure or (ways[0] if ways else Way("open", "-", "-"))


def _layer_way(rules: list[Rule], region: str) -> Way:
    doubts: list[Rule] = []
    for rule in sorted(filter(_concerns_https, rules), key=lambda rule: rule["priority"]):
        if _covers_all(rule["destinations"], region):
            differing = next((doubt for doubt in doubts if _lets(doubt) is not _lets(rule)), None)
            if differing is not None:
                return Way("unsure", differing["name"], _last(differing["nsg"]))
            return Way("open" if _lets(rule) else "closed", rule["name"], _last(rule["nsg"]))
        if any(_covers_partly(destination) for destination in rule["destinations"]):
            doubts.append(rule)
    # Every security group ends with AllowInternetOutBound before DenyAllOutBound, even where they are not listed.
    barred = next((doubt for doubt in doubts if not _lets(doubt)), None)
    return Way("unsure", barred["name"], _last(barred["nsg"])) if barred else Way("open", "AllowInternetOutBound", "-")


def _lets(rule: Rule) -> bool:
    return rule["access"].lower() == "allow"


def _concerns_https(rule: Rule) -> bool:
    tcp = rule["protocol"].lower() in ("tcp", "*", "all", "any")
    return rule["direction"].lower() == "outbound" and tcp and any(map(_holds_443, rule["ports"]))


def _holds_443(ports: str) -> bool:
    if ports.strip() in ("*", "any", "Any"):
        return True
    first, _, last = ports.partition("-")
    try:
        return int(first) <= 443 <= int(last or first)
    except ValueError:
        return False


def _covers_all(destinations: list[str], region: str) -> bool:
    """By one of them, or by all of them together, as 0.0.0.0/1 and 128.0.0.0/1 do."""
    networks = [network for network in map(_network, destinations) if network]
    together = list(ipaddress.collapse_addresses(networks))
    return together == [_EVERY_ADDRESS] or any(_covers(destination, region) for destination in destinations)


def _covers(destination: str, region: str) -> bool:
    name = destination.lower().replace(" ", "")
    tag, _, tag_region = name.partition(".")
    if tag in ("storage", "azurecloud") and tag_region:
        return tag_region in _region_names(region)
    return name in _EVERYTHING


def _region_names(region: str) -> set[str]:
    plain = region.lower().replace(" ", "")
    return {plain, tag_region(plain)}


def tag_region(region: str) -> str:
    """How service tags spell the region: ``Storage.centralfrance`` for francecentral."""
    plain = region.lower().replace(" ", "")
    return _TAG_REGIONS.get(plain, plain)


def _covers_partly(destination: str) -> bool:
    network = _network(destination)
    if network is None or network == _HOST:
        return False
    return network.is_global or network.prefixlen < 8


def _network(prefix: str) -> ipaddress.IPv4Network | None:
    """The IPv4 network of these addresses; None for tags, and for IPv6, which Storage is not reached by."""
    try:
        return ipaddress.IPv4Network(prefix.strip(), strict=False)
    except ValueError:
        return None


# --- routes --------------------------------------------------------------------------------------------------------


def _subnet(nic_id: str, nics: list[Nic] | None, subnets: list[Subnet] | None) -> Subnet | None:
    ids = {
        (config["subnet_id"] or "").lower()
        for nic in nics or []
        if nic["id"].lower() == nic_id.lower()
        for config in nic["ip_configs"]
    }
    return next((subnet for subnet in subnets or [] if subnet["id"].lower() in ids), None)


def _route_way(routes_of: NicRoutes, subnet: Subnet | None, region: str, from_objects: bool) -> Way:
    if subnet and any(each.lower().startswith("microsoft.storage") for each in subnet["service_endpoints"]):
        return Way("open", "Microsoft.Storage", _last(subnet["id"]))
    active = [route for route in routes_of["routes"] if route["state"].lower() == "active"]
    if subnet is None and any(route["next_hop"].lower() == "virtualnetworkserviceendpoint" for route in active):
        return Way("unsure", "VirtualNetworkServiceEndpoint", "-")
    for covers in (_for_storage, _for_half, _for_all):
        found = [route for route in active if any(covers(prefix, region) for prefix in route["prefixes"])]
        if found:
            return _after_single_routes(_hop_way(min(found, key=_origin)), active)
    if from_objects:
        return Way("open", "Internet", "0.0.0.0/0")
    return Way("unsure", "-", "0.0.0.0/0")


def _for_storage(prefix: str, region: str) -> bool:
    return prefix.lower().partition(".")[0] in ("storage", "azurecloud") and _covers(prefix, region)


def _for_half(prefix: str, region: str) -> bool:
    return prefix in ("0.0.0.0/1", "128.0.0.0/1")


def _for_all(prefix: str, region: str) -> bool:
    return prefix.lower() in ("0.0.0.0/0", "internet")


def _origin(route: Route) -> int:
    origin = (route["origin"] or "").lower()
    return _ORIGINS.index(origin) if origin in _ORIGINS else len(_ORIGINS)


def _hop_way(route: Route) -> Way:
    hop, prefix = route["next_hop"], route["prefixes"][0]
    if hop.lower() == "none":
        return Way("closed", hop, prefix)
    return Way("open" if hop.lower() in _OPEN_HOPS else "unsure", hop, prefix)


def _after_single_routes(way: Way, active: Iterable[Route]) -> Way:
    """A route that someone added for single public addresses, with another end, leaves a doubt."""
    for route in active:
        if (route["origin"] or "").lower() == "default":
            continue
        single = [prefix for prefix in route["prefixes"] if _single_public(prefix)]
        if single and _hop_way(route).state != way.state and way.state != "unsure":
            return Way("unsure", route["next_hop"], single[0])
    return way


def _single_public(prefix: str) -> bool:
    network = _network(prefix)
    return network is not None and network.prefixlen > 1 and network.is_global


def _last(resource_id: str | None) -> str:
    return (resource_id or "-").rsplit("/", 1)[-1]
