"""Security groups, and what all network resources share."""

from __future__ import annotations

from azuresim import defaults, effects
from azuresim.accepted import no_location
from azuresim.answer import Answer, Json, Refused, not_found, ok
from azuresim.handlers import locations
from azuresim.ids import guid
from azuresim.operations import Done
from azuresim.routing import Request, route
from azuresim.rules import DEFAULT_RULES
from azuresim.world import World

GROUP = "/subscriptions/{sub}/resourceGroups/{rg}/providers/Microsoft.Network"
ALL = "/subscriptions/{sub}/providers/Microsoft.Network"
NSG = GROUP + "/networkSecurityGroups/{nsg}"
NETWORK_NAME, SUBNET, TABLE = "vnet", "default", "routes"
_READ_NSG = "Microsoft.Network/networkSecurityGroups/read"
_WRITE_RULE = "Microsoft.Network/networkSecurityGroups/securityRules"


def etag(world: World, name: str) -> str:
    """A weak etag."""
    return f'W/"{guid(world.seed, world.name, name)}"'


def nsg_name(place: str) -> str:
    """``nsg-nic`` or ``nsg-subnet``."""
    return f"nsg-{place}"


def nsg_id(world: World, place: str) -> str:
    """The id of the NSG of ``nic`` or ``subnet``."""
    made = world.of_network if place == "subnet" else world.network_id
    return made("networkSecurityGroups", nsg_name(place))


def subnet_id(world: World) -> str:
    """The id of the world's one subnet."""
    return f"{world.of_network('virtualNetworks', NETWORK_NAME)}/subnets/{SUBNET}"


# --- security groups -----------------------------------------------------------------------------------------------


@route("GET", GROUP + "/networkSecurityGroups", _READ_NSG)
@route("GET", ALL + "/networkSecurityGroups", _READ_NSG)
def list_nsgs(request: Request) -> Answer:
    """All security groups."""
    found = {nsg_id(world, place): (world, place) for world in request.candidates for place in world.nsgs}
    return request.page(list(found.values()), nsg_json)


@route("GET", NSG, _READ_NSG)
def get_nsg(request: Request) -> Answer:
    """One security group with its own and the default rules."""
    return ok(nsg_json(request.world, _place(request)))


@route("GET", NSG + "/securityRules", _WRITE_RULE + "/read")
def list_rules(request: Request) -> Answer:
    """The own rules of a security group."""
    return request.page(nsg_json(request.world, _place(request))["properties"]["securityRules"])


@route("GET", NSG + "/securityRules/{rule}", _WRITE_RULE + "/read")
def get_rule(request: Request) -> Answer:
    """One own rule."""
    place = _place(request)
    return ok(rule_json(request.world, place, _rule(request, place), "securityRules"))


@route("DELETE", NSG + "/securityRules/{rule}", _WRITE_RULE + "/delete")
def delete_rule(request: Request) -> Answer:
    """Delete an own rule; 204 when there is none."""
    place = _place(request)
    rules = request.world.nsgs[place]
    mine = [rule for rule in rules if rule["name"].lower() == request.params["rule"].lower()]
    if not mine:
        return Answer(204)

    def done() -> None:
        rules.remove(mine[0])
        effects.apply(request.world, request.world.machines[0], "nsg_changed", mine[0]["name"])

    return start(request, done)


@route("PUT", NSG + "/securityRules/{rule}", _WRITE_RULE + "/write")
def put_rule(request: Request) -> Answer:
    """Add or change an own rule; a priority that is taken or out of range is refused."""
    place = _place(request)
    rules, rule = request.world.nsgs[place], _from_wire(request.params["rule"], request.body.get("properties", {}))
    if not 100 <= rule["priority"] <= 4096:
        raise Refused(
            400,
            "SecurityRuleInvalidPriority",
            f"Security rule has invalid Priority. Value provided: {rule['priority']} Allowed range 100-4096.",
        )
    for other in rules:
        same = (other["priority"], other["direction"]) == (rule["priority"], rule["direction"])
        if same and other["name"].lower() != rule["name"].lower():
            raise Refused(
                400,
                "SecurityRuleConflict",
                f"Security rule {rule['name']} conflicts with rule {other['name']}. "
                "Rules cannot have the same Priority and Direction.",
            )
    before = [other for other in rules if other["name"].lower() == rule["name"].lower()]
    rules[:] = [other for other in rules if other not in before] + [rule]
    effects.apply(request.world, request.world.machines[0], "nsg_changed", rule["name"])
    return Answer(
        200 if before else 201,
        rule_json(request.world, place, rule, "securityRules"),
        no_location(start(request, lambda: None)),
    )


def _place(request: Request) -> str:
    wanted = request.params["nsg"].lower()
    for place in request.world.nsgs:
        if nsg_name(place) == wanted:
            return place
    raise not_found("Microsoft.Network/networkSecurityGroups", request.params["nsg"], request.params["rg"])


def _rule(request: Request, place: str) -> Json:
    for rule in request.world.nsgs[place]:
        if rule["name"].lower() == request.params["rule"].lower():
            return rule
    raise Refused(404, "NotFound", f"Resource {request.params['rule']} not found.")


def _from_wire(name: str, given: Json) -> Json:
    many = given.get("destinationAddressPrefixes") or []
    ports = given.get("destinationPortRanges") or []
    return defaults.rule(
        {
            "name": name,
            "access": given.get("access", "Allow"),
            "direction": given.get("direction", "Outbound"),
            "priority": int(given.get("priority", 0)),
            "protocol": given.get("protocol", "*"),
            "from": given.get("sourceAddressPrefix") or "*",
            "to": many or given.get("destinationAddressPrefix") or "*",
            "ports": ports or given.get("destinationPortRange") or "*",
        }
    )


def nsg_json(world: World, place: str) -> Json:
    """A security group on the wire."""
    own = nsg_id(world, place)
    properties: Json = {
        "provisioningState": "Succeeded",
        "resourceGuid": guid(world.seed, world.name, place, "nsg"),
        "securityRules": [rule_json(world, place, rule, "securityRules") for rule in world.nsgs[place]],
        "defaultSecurityRules": [rule_json(world, place, rule, "defaultSecurityRules") for rule in DEFAULT_RULES],
    }
    if place == "subnet":
        properties["subnets"] = [{"id": subnet_id(world)}]
    else:
        properties["networkInterfaces"] = [
            {"id": world.network_id("networkInterfaces", nic["name"])}
            for machine in world.machines
            for nic in machine["nics"]
            if nic["nsg"]
        ]
    return {
        "name": nsg_name(place),
        "id": own,
        "etag": etag(world, place),
        "type": "Microsoft.Network/networkSecurityGroups",
        "location": world.location,
        "properties": properties,
    }


def rule_json(world: World, place: str, rule: Json, kind: str) -> Json:
    """A rule on the wire: one destination or port in the singular field, several in the plural one."""
    to, ports = rule["to"], rule["ports"]
    properties: Json = {
        "provisioningState": "Succeeded",
        "protocol": rule["protocol"],
        "sourcePortRange": "*",
        "sourceAddressPrefix": rule["from"],
        "access": rule["access"],
        "priority": rule["priority"],
        "direction": rule["direction"],
        "sourcePortRanges": [],
        "destinationPortRanges": ports if len(ports) > 1 else [],
        "sourceAddressPrefixes": [],
        "destinationAddressPrefixes": to if len(to) > 1 else [],
    }
    if len(to) == 1:
        properties["destinationAddressPrefix"] = to[0]
    if len(ports) == 1:
        properties["destinationPortRange"] = ports[0]
    return {
        "name": rule["name"],
        "id": f"{nsg_id(world, place)}/{kind}/{rule['name']}",
        "etag": etag(world, place),
        "type": f"Microsoft.Network/networkSecurityGroups/{kind}",
        "properties": properties,
    }


# --- operations of the network service -----------------------------------------------------------------------------


def start(request: Request, done: Done) -> Answer:
    """202 with the network service's own paths."""
    return locations.start(request, locations.NETWORK, done)
