"""Action Run Command: a script inside the guest, through the agent."""

from __future__ import annotations

from azuresim import effects, guest, rules
from azuresim.answer import Answer, Json, Refused
from azuresim.defaults import SUCCEEDED
from azuresim.handlers.compute import VM
from azuresim.handlers.compute_extensions import agent_silent, extensions_disallowed, start
from azuresim.ids import guid, offset_stamp
from azuresim.routing import Request, route

# Azure keeps only the end of what a script printed.
KEPT_BYTES = 4096


@route("POST", VM + "/runCommand", "Microsoft.Compute/virtualMachines/runCommand/action")
def run_command(request: Request) -> Answer:
    """Run a script; its output is the world's ``run_command`` or that of the first effect that matches it."""
    machine, settings = request.machine, request.machine["run_command"]
    if machine["vm"]["power"] != "running":
        raise Refused(409, "OperationNotAllowed", "The operation requires the VM to be running (or set to run).")
    if not machine["vm"]["allow_extension_operations"]:
        raise extensions_disallowed()
    if settings["state"] == "busy":
        raise Refused(
            409,
            "Conflict",
            "Run command extension execution is in progress. Please wait for completion before invoking a run command.",
        )
    if request.body.get("commandId") not in ("RunShellScript", "RunPowerShellScript"):
        raise Refused(404, "NotFound", "The entity was not found in this Azure location.")
    script = "\n".join(request.body.get("script") or [])
    if settings["state"] == "hangs":
        request.fault = {"mode": "never_ending"}

    def done() -> Json:
        if machine["agent"]["state"] != "ready" or settings["state"] == "agent_dead":
            raise agent_silent(machine["name"])
        effect = effects.apply(request.world, machine, "run_command", script) or {}
        request.world.advance(minutes=2)
        output, trouble = effect.get("output", settings["output"]), effect.get("error", settings["error"])
        file = guest.output_file(machine["os"], settings["machine"], request.world.folder)
        if not output and file and guest.ASKED_BY in script:
            vm_id = guid(request.world.seed, request.world.name, machine["name"], "vmId")
            blocked = rules.blocked(request.world, machine, "Storage") or rules.route_blocks(request.world, "Storage")
            output = guest.printed(file, vm_id, machine["vm"]["computer_name"], blocked)
        return _result(request, _end(output), _end(trouble), effect.get("exit_code", 0))

    return start(request, done)


def _end(text: str) -> str:
    return text.encode()[-KEPT_BYTES:].decode(errors="ignore")


def _result(request: Request, output: str, trouble: str, exit_code: int) -> Json:
    if request.machine["os"] == "windows":
        now = offset_stamp(request.world.now)
        return {
            "value": [
                {
                    "code": f"ComponentStatus/{stream}/succeeded",
                    "level": "Info",
                    "displayStatus": "Provisioning succeeded",
                    "message": text,
                    "time": now,
                }
                for stream, text in (("StdOut", output), ("StdErr", trouble))
            ]
        }
    streams = f"[stdout]\n{output}\n[stderr]\n{trouble}"
    if exit_code:
        status = {"code": "ProvisioningState/failed/0", "level": "Error", "displayStatus": "Provisioning failed"}
        words = f"Enable failed: failed to execute command: command terminated with exit status={exit_code}\n"
        return {"value": [{**status, "message": words + streams}]}
    status = {"code": SUCCEEDED["code"], "level": "Info", "displayStatus": "Provisioning succeeded"}
    return {"value": [{**status, "message": f"Enable succeeded: \n{streams}"}]}
