"""What Azure computes: the rules and routes that hold for an interface."""

from __future__ import annotations

from azuresim.answer import Answer, Json, Refused
from azuresim.handlers.network import GROUP, nsg_id, start, subnet_id
from azuresim.handlers.network_interfaces import find_nic
from azuresim.routing import Request, route
from azuresim.rules import BALANCER, DEFAULT_RULES, EXPANDED, INTERNET, NETWORK
from azuresim.world import World

NIC = GROUP + "/networkInterfaces/{nic}"
_STORAGE_ENDPOINT = ["20.38.96.0/19", "20.60.0.0/16"]


@route(
    "POST",
    NIC + "/effectiveNetworkSecurityGroups",
    "Microsoft.Network/networkInterfaces/effectiveNetworkSecurityGroups/action",
)
def effective_groups(request: Request) -> Answer:
    """The rules that hold for an interface; only Azure's own for a VM that does not run."""
    machine, nic = find_nic(request)
    _running(request, machine, "SecurityGroups", "security groups")
    world = request.world
    groups = [_group(world, "subnet", {"subnet": {"id": subnet_id(world)}})] if "subnet" in world.nsgs else []
    if nic["nsg"] and "nic" in world.nsgs:
        own = world.network_id("networkInterfaces", nic["name"])
        groups.append(_group(world, "nic", {"networkInterface": {"id": own}}))
    return start(request, lambda: {"value": groups})


@route("POST", NIC + "/effectiveRouteTable", "Microsoft.Network/networkInterfaces/effectiveRouteTable/action")
def effective_routes(request: Request) -> Answer:
    """The routes that hold for an interface."""
    machine, _ = find_nic(request)
    _running(request, machine, "Routes", "routes")
    return start(request, lambda: {"value": _routes(request.world)})


def _running(request: Request, machine: Json, what: str, words: str) -> None:
    if machine["vm"]["power"] != "running":
        raise Refused(
            400,
            f"NicMustBeAttachedToRunningVmToGetEffective{what}",
            f"A network interface must be attached to a running virtual machine to get effective {words}. "
            f"The network interface {request.path.rsplit('/', 1)[0]} is not attached to a running virtual machine.",
        )


def _group(world: World, place: str, association: Json) -> Json:
    rules = [_rule(rule, "securityRules") for rule in world.nsgs[place]]
    rules += [_rule(rule, "defaultSecurityRules") for rule in DEFAULT_RULES]
    return {
        "networkSecurityGroup": {"id": nsg_id(world, place)},
        "association": association,
        "effectiveSecurityRules": rules,
        "tagMap": {
            "VirtualNetwork": list(NETWORK),
            "AzureLoadBalancer": list(BALANCER),
            "Internet": list(INTERNET),
        },
    }


def _rule(rule: Json, kind: str) -> Json:
    to = ["0.0.0.0/0" if prefix == "*" else prefix for prefix in rule["to"]]
    source = "0.0.0.0/0" if rule["from"] == "*" else rule["from"]
    ports = [_range(text) for text in rule["ports"]]
    whole: Json = {
        "name": f"{kind}/{rule['name']}",
        "protocol": {"*": "All", "tcp": "Tcp", "udp": "Udp"}.get(rule["protocol"].lower(), rule["protocol"]),
        "sourcePortRange": "0-65535",
        "sourcePortRanges": ["0-65535"],
        "destinationPortRanges": ports,
        "sourceAddressPrefix": source,
        "sourceAddressPrefixes": [source],
        "destinationAddressPrefixes": to,
        "access": rule["access"],
        "priority": rule["priority"],
        "direction": rule["direction"],
    }
    if len(to) == 1:
        whole["destinationAddressPrefix"] = to[0]
    if len(ports) == 1:
        whole["destinationPortRange"] = ports[0]
    expanded = [prefix for tag in rule["to"] for prefix in EXPANDED.get(tag.split(".")[0], ())]
    if expanded:
        whole["expandedDestinationAddressPrefix"] = expanded
    if rule["from"] in EXPANDED:
        whole["expandedSourceAddressPrefix"] = list(EXPANDED[rule["from"]])
    return whole


def _range(text: str) -> str:
    if text == "*":
        return "0-65535"
    return text if "-" in text else f"{text}-{text}"


def _route(prefixes: list[str], hop: str, source: str = "Default", state: str = "Active", **more: object) -> Json:
    return {
        "disableBgpRoutePropagation": False,
        "source": source,
        "state": state,
        "addressPrefix": prefixes,
        "nextHopType": hop,
        "nextHopIpAddress": [],
        **more,
    }


def _routes(world: World) -> list[Json]:
    own = {entry["prefix"] for entry in world.routes}
    default = "Invalid" if "0.0.0.0/0" in own else "Active"
    routes = [
        _route(["10.0.0.0/16"], "VnetLocal"),
        _route(["0.0.0.0/0"], "Internet", state=default),
        _route(["10.0.0.0/8"], "None"),
        _route(["192.168.0.0/16"], "None"),
    ]
    if "Microsoft.Storage" in world.spec.get("subnet", {}).get("service_endpoints", []):
        routes.append(_route(_STORAGE_ENDPOINT, "VirtualNetworkServiceEndpoint"))
    for entry in world.routes:
        address = [entry["ip"]] if "ip" in entry else []
        routes.append(
            _route([entry["prefix"]], entry["next_hop"], "User", name=entry["name"], nextHopIpAddress=address)
        )
    return routes
