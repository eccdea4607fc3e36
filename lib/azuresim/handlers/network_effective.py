"""What Azure computes: effective rules and routes. Subnets and route tables, which it computes them from."""

from __future__ import annotations

from azuresim.answer import Answer, Json, Refused, not_found, ok
from azuresim.handlers.network import GROUP, NETWORK_NAME, SUBNET, TABLE, etag, find_nic, nsg_id, start, subnet_id
from azuresim.ids import guid
from azuresim.routing import Request, route
from azuresim.rules import BALANCER, DEFAULT_RULES, EXPANDED, INTERNET, NETWORK
from azuresim.world import World

NIC = GROUP + "/networkInterfaces/{nic}"
VNET = GROUP + "/virtualNetworks/{vnet}"
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


# --- subnets and route tables --------------------------------------------------------------------------------------


@route("GET", VNET, "Microsoft.Network/virtualNetworks/read")
def get_network(request: Request) -> Answer:
    """The world's one virtual network."""
    _known(request, "vnet", NETWORK_NAME, "virtualNetworks")
    world = request.world
    return ok(
        {
            "name": NETWORK_NAME,
            "id": world.network_id("virtualNetworks", NETWORK_NAME),
            "etag": etag(world, NETWORK_NAME),
            "type": "Microsoft.Network/virtualNetworks",
            "location": world.location,
            "properties": {
                "provisioningState": "Succeeded",
                "addressSpace": {"addressPrefixes": ["10.0.0.0/16"]},
                "subnets": [_subnet(world)],
            },
        }
    )


@route("GET", VNET + "/subnets", "Microsoft.Network/virtualNetworks/subnets/read")
def list_subnets(request: Request) -> Answer:
    """The world's one subnet in a list."""
    _known(request, "vnet", NETWORK_NAME, "virtualNetworks")
    return request.azure.page(request, [_subnet(request.world)])


@route("GET", VNET + "/subnets/{subnet}", "Microsoft.Network/virtualNetworks/subnets/read")
def get_subnet(request: Request) -> Answer:
    """The world's one subnet."""
    _known(request, "vnet", NETWORK_NAME, "virtualNetworks")
    _known(request, "subnet", SUBNET, "virtualNetworks/subnets")
    return ok(_subnet(request.world))


def _subnet(world: World) -> Json:
    given = world.spec.get("subnet", {})
    properties: Json = {
        "provisioningState": "Succeeded",
        "addressPrefix": "10.0.0.0/24",
        "serviceEndpoints": [
            {"provisioningState": "Succeeded", "service": name, "locations": ["*"]}
            for name in given.get("service_endpoints", [])
        ],
        "privateEndpointNetworkPolicies": "Disabled",
        "privateLinkServiceNetworkPolicies": "Enabled",
    }
    if "default_outbound" in given:
        properties["defaultOutboundAccess"] = given["default_outbound"]
    if given.get("nat_gateway"):
        properties["natGateway"] = {"id": world.network_id("natGateways", "nat")}
    if "subnet" in world.nsgs:
        properties["networkSecurityGroup"] = {"id": nsg_id(world, "subnet")}
    if world.routes:
        properties["routeTable"] = {"id": world.network_id("routeTables", TABLE)}
    return {
        "name": SUBNET,
        "id": subnet_id(world),
        "etag": etag(world, SUBNET),
        "type": "Microsoft.Network/virtualNetworks/subnets",
        "properties": properties,
    }


@route("GET", GROUP + "/routeTables/{table}", "Microsoft.Network/routeTables/read")
def get_route_table(request: Request) -> Answer:
    """The world's own routes; without any there is no table."""
    world = request.world
    if not world.routes:
        raise not_found("Microsoft.Network/routeTables", request.params["table"], request.params["rg"])
    _known(request, "table", TABLE, "routeTables")
    own = world.network_id("routeTables", TABLE)
    return ok(
        {
            "name": TABLE,
            "id": own,
            "etag": etag(world, TABLE),
            "type": "Microsoft.Network/routeTables",
            "location": world.location,
            "properties": {
                "provisioningState": "Succeeded",
                "resourceGuid": guid(world.seed, world.name, TABLE),
                "disableBgpRoutePropagation": False,
                "routes": [_own_route(world, own, entry) for entry in world.routes],
                "subnets": [{"id": subnet_id(world)}],
            },
        }
    )


def _own_route(world: World, table: str, entry: Json) -> Json:
    properties: Json = {
        "provisioningState": "Succeeded",
        "addressPrefix": entry["prefix"],
        "nextHopType": entry["next_hop"],
        "hasBgpOverride": False,
    }
    if "ip" in entry:
        properties["nextHopIpAddress"] = entry["ip"]
    return {
        "name": entry["name"],
        "id": f"{table}/routes/{entry['name']}",
        "etag": etag(world, entry["name"]),
        "type": "Microsoft.Network/routeTables/routes",
        "properties": properties,
    }


@route("DELETE", GROUP + "/routeTables/{table}/routes/{route}", "Microsoft.Network/routeTables/routes/delete")
def delete_route(request: Request) -> Answer:
    """Delete one of the world's own routes."""
    _known(request, "table", TABLE, "routeTables")
    routes = request.world.routes
    mine = [entry for entry in routes if entry["name"].lower() == request.params["route"].lower()]
    return start(request, lambda: routes.remove(mine[0])) if mine else Answer(204)


@route("GET", GROUP + "/routeTables/{table}/routes/{route}", "Microsoft.Network/routeTables/routes/read")
def get_route(request: Request) -> Answer:
    """One of the world's own routes."""
    _known(request, "table", TABLE, "routeTables")
    for entry in request.world.routes:
        if entry["name"].lower() == request.params["route"].lower():
            return ok(_own_route(request.world, request.world.network_id("routeTables", TABLE), entry))
    raise Refused(404, "NotFound", f"Resource {request.params['route']} not found.")


@route("PUT", GROUP + "/routeTables/{table}/routes/{route}", "Microsoft.Network/routeTables/routes/write")
def put_route(request: Request) -> Answer:
    """Add or change one of the world's own routes."""
    _known(request, "table", TABLE, "routeTables")
    given, routes = request.body.get("properties", {}), request.world.routes
    entry = {
        "name": request.params["route"],
        "prefix": given.get("addressPrefix", ""),
        "next_hop": given.get("nextHopType", ""),
    }
    if "nextHopIpAddress" in given:
        entry["ip"] = given["nextHopIpAddress"]
    before = [other for other in routes if other["name"].lower() == entry["name"].lower()]
    routes[:] = [other for other in routes if other not in before] + [entry]
    headers = start(request, lambda: None).headers
    own = _own_route(request.world, request.world.network_id("routeTables", TABLE), entry)
    return Answer(200 if before else 201, own, {"Azure-AsyncOperation": headers["Azure-AsyncOperation"]})


@route("PUT", VNET + "/subnets/{subnet}", "Microsoft.Network/virtualNetworks/subnets/write")
def put_subnet(request: Request) -> Answer:
    """Change the service endpoints of the world's one subnet; the rest is kept as it was."""
    _known(request, "subnet", SUBNET, "virtualNetworks/subnets")
    given = request.body.get("properties", {}).get("serviceEndpoints") or []
    subnet = request.world.spec.setdefault("subnet", {})
    subnet["service_endpoints"] = [str(entry.get("service", "")) for entry in given]
    headers = start(request, lambda: None).headers
    return Answer(200, get_subnet(request).body, {"Azure-AsyncOperation": headers["Azure-AsyncOperation"]})


def _known(request: Request, parameter: str, name: str, kind: str) -> None:
    if request.params[parameter].lower() != name:
        raise not_found(f"Microsoft.Network/{kind}", request.params[parameter], request.params["rg"])
