"""What can be done to a VM: power, reapply, redeploy, model changes, boot diagnostics."""

from __future__ import annotations

from urllib.parse import quote

from azuresim import effects
from azuresim.accepted import no_location
from azuresim.answer import Answer, Json, ok
from azuresim.defaults import UNRESPONSIVE, extension_failed
from azuresim.handlers.compute import VM, vm_json
from azuresim.handlers.compute_extensions import start
from azuresim.routing import Request, route

_BOOT_DIAGNOSTICS = "/bootdiagnostics"
_SIGNATURE = "c2ltdWxhdGVk"
_WRITE = "Microsoft.Compute/virtualMachines/write"
_MOVES = {
    "start": ("starting", "running"),
    "restart": ("running", "running"),
    "redeploy": ("running", "running"),
    "reapply": (None, None),
    "powerOff": ("stopping", "stopped"),
    "deallocate": ("deallocating", "deallocated"),
}

_SUCCEEDED = {"provisioning_state": "Succeeded", "provisioning_code": "", "provisioning_message": ""}


@route("POST", VM + "/start", "Microsoft.Compute/virtualMachines/start/action")
@route("POST", VM + "/restart", "Microsoft.Compute/virtualMachines/restart/action")
@route("POST", VM + "/redeploy", "Microsoft.Compute/virtualMachines/redeploy/action")
@route("POST", VM + "/reapply", "Microsoft.Compute/virtualMachines/reapply/action")
@route("POST", VM + "/powerOff", "Microsoft.Compute/virtualMachines/powerOff/action")
@route("POST", VM + "/deallocate", "Microsoft.Compute/virtualMachines/deallocate/action")
def act(request: Request) -> Answer:
    """Change the power state, or push the model to the VM again (reapply)."""
    action = request.route.template.rsplit("/", 1)[1]
    machine, (during, after) = request.machine, _MOVES[action]
    vm = machine["vm"]
    before = {key: vm[key] for key in _SUCCEEDED}
    if during:
        vm["power"] = during
    if action == "reapply":
        vm |= {**_SUCCEEDED, "provisioning_state": "Updating"}

    def done() -> None:
        if after:
            _powered(machine, after)
        if action == "reapply":
            vm.update(before if any(extension_failed(entry) for entry in machine["extensions"]) else _SUCCEEDED)
        effects.apply(request.world, machine, action)

    return start(request, done)


def _powered(machine: Json, power: str) -> None:
    machine["vm"]["power"] = power
    agent = machine["agent"]
    if power == "running":
        if agent["revives"]:
            effects.assign(machine, "agent.state", "ready")
        machine["health"] |= {"state": "Available", "reason": "", "summary": ""}
    elif power == "deallocated":
        agent["state"] = "absent"
    else:
        agent["state"], agent["said"] = "not_ready", {"message": UNRESPONSIVE}


@route("PUT", VM, _WRITE)
@route("PATCH", VM, _WRITE)
def write(request: Request) -> Answer:
    """Change the model; what the product can change is looked at, the rest is kept as it was."""
    given, vm = request.body.get("properties", {}), request.machine["vm"]
    profile = given.get("osProfile", {})
    if "allowExtensionOperations" in profile:
        vm["allow_extension_operations"] = bool(profile["allowExtensionOperations"])
    for system in ("windowsConfiguration", "linuxConfiguration"):
        if "provisionVMAgent" in profile.get(system, {}):
            vm["provision_vm_agent"] = bool(profile[system]["provisionVMAgent"])
    if size := given.get("hardwareProfile", {}).get("vmSize"):
        vm["size"] = size
    if "tags" in request.body:
        vm["tags"] = request.body["tags"]
    boot = given.get("diagnosticsProfile", {}).get("bootDiagnostics", {})
    if "enabled" in boot:
        vm["boot_diagnostics"] = bool(boot["enabled"])
    _detach(request.machine, given.get("storageProfile", {}))
    effects.apply(request.world, request.machine, "vm_updated")
    headers = no_location(start(request, lambda: vm_json(request.world, request.machine, False)))
    return Answer(200, vm_json(request.world, request.machine, False), headers)


def _detach(machine: Json, storage: Json) -> None:
    if "dataDisks" not in storage:
        return
    luns = {disk.get("lun") for disk in storage["dataDisks"]}
    machine["disks"] = [disk for disk in machine["disks"] if disk["lun"] is None or disk["lun"] in luns]


@route(
    "POST", VM + "/retrieveBootDiagnosticsData", "Microsoft.Compute/virtualMachines/retrieveBootDiagnosticsData/action"
)
def boot_diagnostics(request: Request) -> Answer:
    """Two addresses with signatures: secrets, which nobody may print."""
    root = f"{request.base}{_BOOT_DIAGNOSTICS}/{request.world.name}/{quote(request.machine['name'], safe='')}"
    signature = f"sv=2026-10-06&sr=b&sig={_SIGNATURE}"
    return ok(
        {
            "consoleScreenshotBlobUri": f"{root}.screenshot.bmp?{signature}",
            "serialConsoleLogBlobUri": f"{root}.serialconsole.log?{signature}",
        }
    )


@route("GET", _BOOT_DIAGNOSTICS + "/{world}/{blob}", open=True)
def boot_diagnostics_blob(request: Request) -> Answer:
    """What the VM wrote to its serial port; only the signature opens it."""
    if request.query.get("sig") != _SIGNATURE:
        return Answer(403, b"<Error><Code>AuthenticationFailed</Code></Error>")
    world = next(world for world in request.azure.worlds if world.name == request.params["world"])
    return Answer(200, str(world.spec.get("serial_log", "")).encode())
