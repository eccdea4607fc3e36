"""Virtual machines as Azure shows them: model and instance view."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

from azuresim.answer import Answer, Json, ok
from azuresim.defaults import SUCCEEDED, agent_view
from azuresim.ids import guid, offset_stamp
from azuresim.routing import Request, route
from azuresim.world import World

VM = "/subscriptions/{sub}/resourceGroups/{rg}/providers/Microsoft.Compute/virtualMachines/{vm}"
READ = "Microsoft.Compute/virtualMachines/read"

_CREATED = "2026-02-11T09:14:27.1930000+00:00"
_POWER_WORDS = {
    "running": "VM running",
    "stopped": "VM stopped",
    "deallocated": "VM deallocated",
    "starting": "VM starting",
    "stopping": "VM stopping",
    "deallocating": "VM deallocating",
}


@route("GET", VM, READ)
def get_vm(request: Request) -> Answer:
    """The model; with ``$expand=instanceView`` what Azure sees at run time as well."""
    expand = "instanceview" in request.query.get("$expand", "").lower()
    return ok(vm_json(request.world, request.machine, expand))


@route("GET", VM + "/instanceView", "Microsoft.Compute/virtualMachines/instanceView/read")
def get_instance_view(request: Request) -> Answer:
    """The instance view alone."""
    request.world.looked()
    return ok(instance_view(request.world, request.machine))


@route("GET", "/subscriptions/{sub}/resourceGroups/{rg}/providers/Microsoft.Compute/virtualMachines", READ)
@route("GET", "/subscriptions/{sub}/providers/Microsoft.Compute/virtualMachines", READ)
def list_vms(request: Request) -> Answer:
    """All VMs of a group or a subscription, with their power state when ``statusOnly`` asks for it."""
    status = request.query.get("statusonly", "").lower() == "true"
    vms = [
        (world, machine)
        for world in request.candidates
        for index, machine in enumerate(world.machines)
        if index or world.spec.get("exists", True)
    ]
    return request.page(vms, status_json if status else partial(vm_json, expand=False))


def status_json(world: World, machine: Json) -> Json:
    """The short form of ``statusOnly=true``."""
    return {**_head(world, machine), "properties": {"instanceView": {"statuses": _statuses(world, machine)}}}


def _head(world: World, machine: Json) -> Json:
    return {
        "name": machine["name"],
        "id": world.vm_id(machine),
        "type": "Microsoft.Compute/virtualMachines",
        "location": world.location,
    }


def vm_json(world: World, machine: Json, expand: bool) -> Json:
    """A VM on the wire."""
    vm = machine["vm"]
    properties: Json = {
        "hardwareProfile": {"vmSize": vm["size"]},
        "provisioningState": vm["provisioning_state"],
        "vmId": guid(world.seed, world.name, machine["name"], "vmId"),
        "storageProfile": _storage(world, machine),
        "networkProfile": {
            "networkInterfaces": [
                {"id": world.network_id("networkInterfaces", nic["name"]), "properties": {"primary": nic["primary"]}}
                for nic in machine["nics"]
            ]
        },
        "diagnosticsProfile": {"bootDiagnostics": {"enabled": vm["boot_diagnostics"]}},
        "timeCreated": _CREATED
        if vm["created_hours_ago"] is None
        else offset_stamp(world.ago(vm["created_hours_ago"])),
    }
    if vm["has_os_profile"]:
        properties["osProfile"] = _os_profile(machine)
    if vm["security_type"]:
        properties["securityProfile"] = {
            "securityType": vm["security_type"],
            "uefiSettings": {"secureBootEnabled": True, "vTpmEnabled": True},
        }
    if expand:
        properties["instanceView"] = instance_view(world, machine)
    whole = {**_head(world, machine), "tags": vm["tags"], "properties": properties}
    listed = [extension_json(world, machine, entry) for entry in machine["extensions"] if entry["listed"]]
    if listed:
        whole["resources"] = listed
    return whole


def created(world: World, machine: Json) -> str:
    """When the VM and its disks were made: long ago, unless the world says otherwise."""
    hours = machine["vm"]["created_hours_ago"]
    return _CREATED if hours is None else offset_stamp(world.ago(hours))


def _os_profile(machine: Json) -> Json:
    vm, profile = machine["vm"], {}
    profile["computerName"] = vm["computer_name"]
    profile["adminUsername"] = "operator"
    if machine["os"] == "windows":
        profile["windowsConfiguration"] = {"provisionVMAgent": vm["provision_vm_agent"], "enableAutomaticUpdates": True}
    else:
        profile["linuxConfiguration"] = {
            "disablePasswordAuthentication": True,
            "provisionVMAgent": vm["provision_vm_agent"],
        }
    return profile | {"secrets": [], "allowExtensionOperations": vm["allow_extension_operations"]}


def _storage(world: World, machine: Json) -> Json:
    os_disk, *data = machine["disks"]
    system = {"osType": machine["os"].capitalize(), **_attached(world, os_disk), "createOption": "FromImage"}
    if os_disk["ephemeral"]:
        system["diffDiskSettings"] = {"option": "Local", "placement": "CacheDisk"}
    vm = machine["vm"]
    image = {"offer": vm["os_name"].replace(" ", "-"), "sku": vm["os_version"], "version": "latest"}
    return {
        **({"imageReference": image} if vm["has_os_profile"] else {}),
        "osDisk": system,
        "dataDisks": [{"lun": disk["lun"], **_attached(world, disk), "createOption": "Attach"} for disk in data],
    }


def _attached(world: World, disk: Json) -> Json:
    entry: Json = {"name": disk["name"], "caching": "ReadOnly" if disk["lun"] is None else "None"}
    entry["writeAcceleratorEnabled"] = disk["write_accelerator"]
    if disk["in_model"]:
        entry["diskSizeGB"] = disk["size_gb"]
    if disk["unmanaged"]:
        entry["vhd"] = {"uri": f"https://vhds.blob.core.azuresim.invalid/vhds/{disk['name']}.vhd"}
    else:
        entry["managedDisk"] = {
            "storageAccountType": disk["sku"],
            "id": world.compute_id("disks", disk["name"]),
        }
    return entry


# --- instance view -------------------------------------------------------------------------------------------------


def instance_view(world: World, machine: Json) -> Json:
    """What Azure sees of the running VM."""
    vm, agent = machine["vm"], agent_view(machine)
    view: Json = {}
    if agent is not None and machine["agent"]["state"] == "ready":
        view |= {
            "computerName": vm["computer_name"],
            "osName": vm["os_name"],
            "osVersion": vm["os_version"],
        }
    if agent is not None:
        view["vmAgent"] = _agent(world, machine, agent)
    view["disks"] = [
        {"name": disk["name"], "statuses": [{**_status(SUCCEEDED), "time": offset_stamp(world.ago(24 * 30))}]}
        for disk in machine["disks"]
    ]
    if vm["boot_diagnostics"]:
        view["bootDiagnostics"] = {}
    if agent is not None and machine["agent"]["state"] == "ready":
        view["extensions"] = [extension_view(entry) for entry in machine["extensions"] if entry["reported"]]
    view["hyperVGeneration"] = "V2"
    view["statuses"] = _statuses(world, machine)
    return view


def _agent(world: World, machine: Json, agent: Json) -> Json:
    minutes = machine["agent"]["reported_minutes_ago"]
    status = {**_status(agent), "time": offset_stamp(world.now - timedelta(minutes=minutes))}
    view: Json = {"vmAgentVersion": agent["version"], "statuses": [status]}
    if machine["agent"]["state"] == "ready" and machine["agent"]["handlers"]:
        view["extensionHandlers"] = [
            {
                "type": f"{entry['publisher']}.{entry['type']}",
                "typeHandlerVersion": entry["version"],
                "status": _status(entry["handler"]),
            }
            for entry in machine["extensions"]
            if entry["handler"] and entry["reported"]
        ]
    return view


def extension_view(entry: Json) -> Json:
    """One extension in the instance view."""
    return {
        "name": entry["name"],
        "type": f"{entry['publisher']}.{entry['type']}",
        "typeHandlerVersion": entry["version"],
        "statuses": [_status(entry)],
    }


def _status(given: Json) -> Json:
    status = {"code": given["code"], "level": given["level"], "displayStatus": given["display_status"]}
    return status | ({"message": given["message"]} if given.get("message") else {})


def _statuses(world: World, machine: Json) -> list[Json]:
    vm = machine["vm"]
    state = vm["provisioning_state"].lower()
    provisioning: Json = {
        "code": vm["provisioning_code"] or f"ProvisioningState/{state}",
        "level": "Error" if state == "failed" else "Info",
        "displayStatus": {"succeeded": "Provisioning succeeded", "failed": "Provisioning failed"}.get(
            state, state.capitalize()
        ),
        "time": offset_stamp(world.ago(5)),
    }
    if vm["provisioning_message"]:
        provisioning["message"] = vm["provisioning_message"]
    power = vm["power"]
    if not power:
        return [provisioning]
    words = _POWER_WORDS.get(power, f"VM {power}")
    return [provisioning, {"code": f"PowerState/{power}", "level": "Info", "displayStatus": words}]


def extension_json(world: World, machine: Json, entry: Json) -> Json:
    """One extension of the model."""
    return {
        "name": entry["name"],
        "id": f"{world.vm_id(machine)}/extensions/{entry['name']}",
        "type": "Microsoft.Compute/virtualMachines/extensions",
        "location": world.location,
        "properties": {
            "autoUpgradeMinorVersion": True,
            "provisioningState": entry["provisioning_state"],
            "publisher": entry["publisher"],
            "type": entry["type"],
            "typeHandlerVersion": ".".join(entry["version"].split(".")[:2]),
            "settings": {},
        },
    }
