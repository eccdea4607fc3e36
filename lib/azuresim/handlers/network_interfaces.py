"""Network interfaces."""

from __future__ import annotations

from azuresim.answer import Answer, Json, not_found, ok
from azuresim.handlers.network import ALL, GROUP, etag, nsg_id, subnet_id
from azuresim.ids import guid
from azuresim.routing import Request, route
from azuresim.world import World

_READ_NIC = "Microsoft.Network/networkInterfaces/read"


@route("GET", GROUP + "/networkInterfaces", _READ_NIC)
@route("GET", ALL + "/networkInterfaces", _READ_NIC)
def list_nics(request: Request) -> Answer:
    """All interfaces."""
    nics = [(world, vm, nic) for world in request.candidates for vm in world.machines for nic in vm["nics"]]
    return request.page(nics, nic_json)


@route("GET", GROUP + "/networkInterfaces/{nic}", _READ_NIC)
def get_nic(request: Request) -> Answer:
    """One interface."""
    machine, nic = find_nic(request)
    return ok(nic_json(request.world, machine, nic))


def find_nic(request: Request) -> tuple[Json, Json]:
    """The VM and the interface that the path names."""
    wanted = request.params["nic"].lower()
    for machine in request.world.machines:
        for nic in machine["nics"]:
            if nic["name"].lower() == wanted:
                return machine, nic
    raise not_found("Microsoft.Network/networkInterfaces", request.params["nic"], request.params["rg"])


def nic_json(world: World, machine: Json, nic: Json) -> Json:
    """An interface on the wire."""
    own, mark = world.network_id("networkInterfaces", nic["name"]), etag(world, nic["name"])
    properties: Json = {
        "provisioningState": "Succeeded",
        "resourceGuid": guid(world.seed, world.name, nic["name"], "guid"),
        "ipConfigurations": [_ip_json(world, own, mark, config) for config in nic["ip_configs"]],
        "dnsSettings": {"dnsServers": [], "appliedDnsServers": []},
        "enableAcceleratedNetworking": False,
        "enableIPForwarding": False,
        "primary": nic["primary"],
        "virtualMachine": {"id": world.vm_id(machine)},
        "nicType": "Standard",
    }
    if nic["nsg"] and "nic" in world.nsgs:
        properties["networkSecurityGroup"] = {"id": nsg_id(world, "nic")}
    return {
        "name": nic["name"],
        "id": own,
        "etag": mark,
        "type": "Microsoft.Network/networkInterfaces",
        "location": world.location,
        "properties": properties,
    }


def _ip_json(world: World, nic: str, mark: str, config: Json) -> Json:
    return {
        "name": config["name"],
        "id": f"{nic}/ipConfigurations/{config['name']}",
        "etag": mark,
        "type": "Microsoft.Network/networkInterfaces/ipConfigurations",
        "properties": {
            "provisioningState": "Succeeded",
            "privateIPAddress": config["ip"],
            "privateIPAllocationMethod": config["allocation"],
            "privateIPAddressVersion": "IPv4",
            "primary": config["primary"],
            "subnet": {"id": subnet_id(world)},
        },
    }
