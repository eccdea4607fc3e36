"""Virtual network, subnet and route table of a world."""

from __future__ import annotations

from azuresim import effects
from azuresim.accepted import no_location
from azuresim.answer import Answer, Json, Refused, not_found, ok
from azuresim.handlers.network import ALL, GROUP, NETWORK_NAME, SUBNET, TABLE, etag, nsg_id, start, subnet_id
from azuresim.ids import guid
from azuresim.routing import Request, route
from azuresim.world import World

VNET = GROUP + "/virtualNetworks/{vnet}"
ROUTE_TABLE = GROUP + "/routeTables/{table}"


@route("GET", VNET, "Microsoft.Network/virtualNetworks/read")
def get_network(request: Request) -> Answer:
    """The world's one virtual network."""
    _known(request, "vnet", NETWORK_NAME, "virtualNetworks")
    return ok(_network(request.world))


@route("GET", ALL + "/virtualNetworks", "Microsoft.Network/virtualNetworks/read")
def list_networks(request: Request) -> Answer:
    """All virtual networks of a subscription."""
    found = {world.of_network("virtualNetworks", NETWORK_NAME): (world,) for world in request.candidates}
    return request.page(list(found.values()), _network)


def _network(world: World) -> Json:
    return {
        "name": NETWORK_NAME,
        "id": world.of_network("virtualNetworks", NETWORK_NAME),
        "etag": etag(world, NETWORK_NAME),
        "type": "Microsoft.Network/virtualNetworks",
        "location": world.location,
        "properties": {
            "provisioningState": "Succeeded",
            "addressSpace": {"addressPrefixes": ["10.0.0.0/16"]},
            "subnets": [_subnet(world)],
        },
    }


@route("GET", VNET + "/subnets", "Microsoft.Network/virtualNetworks/subnets/read")
def list_subnets(request: Request) -> Answer:
    """The world's one subnet in a list."""
    _known(request, "vnet", NETWORK_NAME, "virtualNetworks")
    return request.page([_subnet(request.world)])


@route("GET", VNET + "/subnets/{subnet}", "Microsoft.Network/virtualNetworks/subnets/read")
def get_subnet(request: Request) -> Answer:
    """The world's one subnet."""
    _known(request, "vnet", NETWORK_NAME, "virtualNetworks")
    _known(request, "subnet", SUBNET, "virtualNetworks/subnets")
    return ok(_subnet(request.world))


@route("PUT", VNET + "/subnets/{subnet}", "Microsoft.Network/virtualNetworks/subnets/write")
def put_subnet(request: Request) -> Answer:
    """Change the subnet's service endpoints; what else the body says must be what is there already."""
    _known(request, "vnet", NETWORK_NAME, "virtualNetworks")
    _known(request, "subnet", SUBNET, "virtualNetworks/subnets")
    world, given = request.world, request.body.get("properties", {})
    was = _subnet(world)["properties"]
    for part in ("networkSecurityGroup", "routeTable", "natGateway"):
        if (given.get(part) or {}).get("id", "").lower() != was.get(part, {}).get("id", "").lower():
            raise Refused(400, "SimulatorRefuses", f"The simulator does not change the {part} of a subnet.")
    subnet = world.spec.setdefault("subnet", {})
    subnet["service_endpoints"] = [entry["service"] for entry in given.get("serviceEndpoints") or []]
    effects.apply(world, world.machines[0], "subnet_changed")
    return Answer(200, _subnet(world), no_location(start(request, lambda: None)))


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
        properties["natGateway"] = {"id": world.of_network("natGateways", "nat")}
    if "subnet" in world.nsgs:
        properties["networkSecurityGroup"] = {"id": nsg_id(world, "subnet")}
    if world.routes:
        properties["routeTable"] = {"id": world.of_network("routeTables", TABLE)}
    return {
        "name": SUBNET,
        "id": subnet_id(world),
        "etag": etag(world, SUBNET),
        "type": "Microsoft.Network/virtualNetworks/subnets",
        "properties": properties,
    }


@route("GET", ROUTE_TABLE, "Microsoft.Network/routeTables/read")
def get_route_table(request: Request) -> Answer:
    """The world's own routes; without any there is no table."""
    if not request.world.routes:
        raise not_found("Microsoft.Network/routeTables", request.params["table"], request.params["rg"])
    _known(request, "table", TABLE, "routeTables")
    return ok(_table(request.world))


@route("GET", ALL + "/routeTables", "Microsoft.Network/routeTables/read")
def list_route_tables(request: Request) -> Answer:
    """All route tables of a subscription."""
    worlds = {world.of_network("routeTables", TABLE): (world,) for world in request.candidates if world.routes}
    return request.page(list(worlds.values()), _table)


def _table(world: World) -> Json:
    own = world.of_network("routeTables", TABLE)
    return {
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


@route("GET", ROUTE_TABLE + "/routes/{route}", "Microsoft.Network/routeTables/routes/read")
def get_route(request: Request) -> Answer:
    """One of the world's own routes."""
    _known(request, "table", TABLE, "routeTables")
    for entry in request.world.routes:
        if entry["name"].lower() == request.params["route"].lower():
            return ok(_own_route(request.world, request.world.of_network("routeTables", TABLE), entry))
    raise Refused(404, "NotFound", f"Resource {request.params['route']} not found.")


@route("PUT", ROUTE_TABLE + "/routes/{route}", "Microsoft.Network/routeTables/routes/write")
def put_route(request: Request) -> Answer:
    """Add or change a route; a prefix may be a service tag."""
    _known(request, "table", TABLE, "routeTables")
    world, given = request.world, request.body.get("properties", {})
    entry = {"name": request.params["route"], "prefix": given["addressPrefix"], "next_hop": given["nextHopType"]}
    if given.get("nextHopIpAddress"):
        entry["ip"] = given["nextHopIpAddress"]
    world.routes[:] = [other for other in world.routes if other["name"].lower() != entry["name"].lower()] + [entry]
    effects.apply(world, world.machines[0], "route_changed", entry["name"])
    return Answer(
        201, _own_route(world, world.of_network("routeTables", TABLE), entry), no_location(start(request, lambda: None))
    )


@route("DELETE", ROUTE_TABLE + "/routes/{route}", "Microsoft.Network/routeTables/routes/delete")
def delete_route(request: Request) -> Answer:
    """Delete one of the world's own routes."""
    _known(request, "table", TABLE, "routeTables")
    routes = request.world.routes
    mine = [entry for entry in routes if entry["name"].lower() == request.params["route"].lower()]
    return start(request, lambda: routes.remove(mine[0])) if mine else Answer(204)


def _known(request: Request, parameter: str, name: str, kind: str) -> None:
    if request.params[parameter].lower() != name:
        raise not_found(f"Microsoft.Network/{kind}", request.params[parameter], request.params["rg"])
