"""The changes to the virtual machine: its power, its model and its extensions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from vmbackup.arm.client import Arm
from vmbackup.remedies.plan import Plan
from vmbackup.remedies.steps.request import (
    Observation,
    Request,
    State,
    deletion,
    get_existing,
    properties,
    provisioning_state,
)


def remove_failed_extension(plan: Plan, path: str) -> list[Request]:
    """Delete the extension."""
    return [deletion(path, "provisioning_state")]


def remove_backup_extension(plan: Plan, path: str) -> list[Request]:
    """Delete the extension. It is hidden on VMs with managed disks: it is gone only when its handler is gone too."""
    request = deletion(path, "provisioning_state")

    def observe(arm: Arm) -> Observation:
        seen = request.observe(arm)
        if seen.state != "done":
            return seen
        handlers = (instance_view(arm, plan.target.vm_id).get("vmAgent") or {}).get("extensionHandlers") or []
        versions = [each.get("typeHandlerVersion") for each in handlers if _is_backup_handler(each.get("type"))]
        return Observation("todo" if versions else "done", {**seen.shown, "handler": versions[0] if versions else None})

    return [replace(request, observe=observe, proof=request.observe)]


def _is_backup_handler(name: object) -> bool:
    return str(name or "").lower().rsplit(".", 1)[-1] in ("vmsnapshot", "vmsnapshotlinux")


def allow_extension_operations(plan: Plan, path: str) -> list[Request]:
    """Let the VM's model allow extension operations."""

    def observe(arm: Arm) -> Observation:
        model = properties(get_existing(arm, path))
        allowed = (model.get("osProfile") or {}).get("allowExtensionOperations")
        state: State = provisioning_state(model) if allowed is True else "todo"
        return Observation(state, {"allowExtensionOperations": allowed})

    body = {"properties": {"osProfile": {"allowExtensionOperations": True}}}
    return [Request("PATCH", path, lambda _: body, observe)]


def reapply_vm(plan: Plan, path: str) -> list[Request]:
    """Let Azure apply the VM's model again."""

    def observe(arm: Arm) -> Observation:
        state = str(properties(get_existing(arm, plan.target.vm_id)).get("provisioningState") or "")
        states: dict[str, State] = {"succeeded": "done", "updating": "running"}
        return Observation(states.get(state.lower(), "todo"), {"provisioning_state": state})

    return [Request("POST", path, None, observe)]


def start_vm(plan: Plan, path: str) -> list[Request]:
    """Start it."""
    return [Request("POST", path, None, _power_is(plan, "running", "starting"))]


def stop_and_start_vm(plan: Plan, stop: str, start: str) -> list[Request]:
    """Deallocate it, then start it, perhaps on another host."""
    return [
        Request("POST", stop, None, _power_is(plan, "deallocated", "deallocating")),
        Request("POST", start, None, _power_is(plan, "running", "starting")),
    ]


def restart_vm(plan: Plan, path: str) -> list[Request]:
    """Restart it."""

    def observe(arm: Arm) -> Observation:
        # A restart leaves no trace in the state: only its operation tells whether it happened.
        view = instance_view(arm, plan.target.vm_id)
        return Observation("todo", {"power": power(view), "agent": agent(view)["status"]})

    return [Request("POST", path, None, observe, repeatable=False)]


def _power_is(plan: Plan, done: str, running: str) -> Callable[[Arm], Observation]:
    def observe(arm: Arm) -> Observation:
        now = power(instance_view(arm, plan.target.vm_id))
        state: State = "done" if now == done else "running" if now == running else "todo"
        return Observation(state, {"power": now})

    return observe


def instance_view(arm: Arm, vm_id: str) -> Mapping[str, Any]:
    """The VM's instance view as Azure sends it."""
    body = get_existing(arm, f"{vm_id}/instanceView").body
    return body if isinstance(body, Mapping) else {}


def power(view: Mapping[str, Any]) -> str | None:
    """The power state that an instance view shows, like ``running``."""
    codes = [str(each.get("code") or "") for each in view.get("statuses") or []]
    return next((code.split("/", 1)[1] for code in codes if code.startswith("PowerState/")), None)


def agent(view: Mapping[str, Any]) -> dict[str, Any]:
    """The agent as an instance view shows it: version, status and time of its report."""
    found = view.get("vmAgent") or {}
    status = (found.get("statuses") or [{}])[0]
    return {"version": found.get("vmAgentVersion"), "status": status.get("displayStatus"), "time": status.get("time")}
