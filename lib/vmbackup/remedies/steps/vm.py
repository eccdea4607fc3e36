"""The changes that are requests to Azure: for each remedy its steps, and for each step how to see whether it is done.

A step looks before it acts. So doing it twice does no harm, an interrupted remedy goes on where it stopped, and an
answer that was lost is found out by looking.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from vmbackup.arm.client import Arm
from vmbackup.collectors.vm import read_agent, read_power
from vmbackup.model import RemedyRefused
from vmbackup.remedies.plan import Plan
from vmbackup.remedies.steps import network
from vmbackup.remedies.steps.step import Seen, State, Step, properties, settled, there


def steps(plan: Plan) -> list[Step]:
    """The steps of an Azure remedy. Raises RemedyRefused for one that this module does not know."""
    make = _MAKERS.get(plan.remedy)
    if make is None:
        raise RemedyRefused(f"{plan.remedy} is no request to Azure.")
    return make(plan)


# --- the virtual machine -------------------------------------------------------------------------------------------


def _delete_extension(name_key: str) -> Callable[[Plan], list[Step]]:
    def make(plan: Plan) -> list[Step]:
        path = f"{plan.target.vm_id}/extensions/{plan.values[name_key]}"
        listed = _delete(path, "provisioning_state")
        return [replace(listed, look=_with_handler(listed.look, plan), proof=listed.look)]

    return make


def _with_handler(look: Callable[[Arm], Seen], plan: Plan) -> Callable[[Arm], Seen]:
    """The backup extension is hidden on VMs with managed disks: it is gone only when its handler is gone too."""

    def both(arm: Arm) -> Seen:
        seen = look(arm)
        if seen.state != "done" or plan.remedy != "remove_backup_extension":
            return seen
        handlers = (instance_view(arm, plan.target.vm_id).get("vmAgent") or {}).get("extensionHandlers") or []
        mine = [each for each in handlers if _is_backup_handler(str(each.get("type") or ""))]
        version = mine[0].get("typeHandlerVersion") if mine else None
        return Seen("todo" if mine else "done", {**seen.shown, "handler": version})

    return both


def _is_backup_handler(name: str) -> bool:
    return name.lower().rsplit(".", 1)[-1] in ("vmsnapshot", "vmsnapshotlinux")


def _delete(path: str, shows: str) -> Step:
    def look(arm: Arm) -> Seen:
        answer = arm.request("GET", path)
        if answer.status == 404:
            return Seen("done", {shows: "absent"})
        state = str(properties(answer).get("provisioningState") or "there")
        return Seen("running" if state.lower() == "deleting" else "todo", {shows: state})

    return Step("DELETE", path, None, look)


def _allow_extension_operations(plan: Plan) -> list[Step]:
    def look(arm: Arm) -> Seen:
        found = properties(there(arm, plan.target.vm_id))
        allowed = (found.get("osProfile") or {}).get("allowExtensionOperations")
        return Seen(settled(found) if allowed is True else "todo", {"allowExtensionOperations": allowed})

    body = {"properties": {"osProfile": {"allowExtensionOperations": True}}}
    return [Step("PATCH", plan.target.vm_id, lambda seen: body, look)]


def _reapply_vm(plan: Plan) -> list[Step]:
    def look(arm: Arm) -> Seen:
        state = str(properties(there(arm, plan.target.vm_id)).get("provisioningState") or "")
        known: dict[str, State] = {"succeeded": "done", "updating": "running"}
        return Seen(known.get(state.lower(), "todo"), {"provisioning_state": state})

    return [Step("POST", f"{plan.target.vm_id}/reapply", None, look)]


def _start_vm(plan: Plan) -> list[Step]:
    return [_power(plan, "start", done=("running",), running=("starting",))]


def _stop_and_start_vm(plan: Plan) -> list[Step]:
    stop = _power(plan, "deallocate", done=("deallocated",), running=("deallocating",))
    return [stop, _power(plan, "start", done=("running",), running=("starting",))]


def _restart_vm(plan: Plan) -> list[Step]:
    def look(arm: Arm) -> Seen:
        # A restart leaves no trace in the state: only the operation that Azure named tells whether it happened.
        view = instance_view(arm, plan.target.vm_id)
        return Seen("todo", {"power": power(view), "agent": agent(view)["status"]})

    return [Step("POST", f"{plan.target.vm_id}/restart", None, look, repeatable=False)]


def _power(plan: Plan, action: str, done: tuple[str, ...], running: tuple[str, ...]) -> Step:
    def look(arm: Arm) -> Seen:
        now = power(instance_view(arm, plan.target.vm_id))
        state: State = "done" if now in done else "running" if now in running else "todo"
        return Seen(state, {"power": now})

    return Step("POST", f"{plan.target.vm_id}/{action}", None, look)


def instance_view(arm: Arm, vm_id: str) -> Mapping[str, Any]:
    """The VM's instance view as Azure sends it."""
    body = there(arm, f"{vm_id}/instanceView").body
    return body if isinstance(body, Mapping) else {}


def power(view: Mapping[str, Any]) -> str | None:
    """The power state that an instance view shows, like ``running``."""
    return read_power(view)["power"]


def agent(view: Mapping[str, Any]) -> dict[str, Any]:
    """The agent as an instance view shows it: version, status and time of its report."""
    found = read_agent(view)
    if found is None:
        return {"version": None, "status": None, "time": None}
    return {"version": found["version"], "status": found["display_status"], "time": found["reported_at"]}


# --- the backup ----------------------------------------------------------------------------------------------------


def item_path(values: Mapping[str, Any]) -> str:
    """The protected item's resource id."""
    return (
        f"{values['vault_id']}/backupFabrics/Azure/protectionContainers/{values['container']}"
        f"/protectedItems/{values['item']}"
    )


def _resume_protection(plan: Plan) -> list[Step]:
    def done(item: Mapping[str, Any]) -> bool:
        return str(item.get("protectionState")).lower() in ("protected", "irpending")

    return [_item(plan, done, ("protectionState", "policyId"), {"policyId": plan.values["policy_id"]})]


def _exclude_disks(plan: Plan) -> list[Step]:
    exclusion = {"diskLunList": plan.values["disk_luns_list"], "isInclusionList": False}

    def done(item: Mapping[str, Any]) -> bool:
        found = (item.get("extendedProperties") or {}).get("diskExclusionProperties") or {}
        return found.get("isInclusionList") is False and set(exclusion["diskLunList"]) <= set(
            found.get("diskLunList") or []
        )

    change = {"extendedProperties": {"diskExclusionProperties": exclusion}, "policyId": plan.values.get("policy_id")}
    return [_item(plan, done, ("extendedProperties",), change)]


def _item(
    plan: Plan, done: Callable[[Mapping[str, Any]], bool], shows: tuple[str, ...], change: Mapping[str, Any]
) -> Step:
    path = item_path(plan.values)

    def look(arm: Arm) -> Seen:
        item = properties(there(arm, path))
        return Seen("done" if done(item) else "todo", {key: item.get(key) for key in shows}, item)

    def body(item: Any) -> Any:
        kept = {key: item[key] for key in ("protectedItemType", "sourceResourceId") if key in item}
        return {"properties": {**kept, **change}}

    return Step("PUT", path, body, look)


def _cancel_running_backup(plan: Plan) -> list[Step]:
    job = f"{plan.values['vault_id']}/backupJobs/{plan.values['job']}"

    def look(arm: Arm) -> Seen:
        status = str(properties(there(arm, job)).get("status") or "")
        known: dict[str, State] = {"inprogress": "todo", "cancelling": "running"}
        return Seen(known.get(status.lower(), "done"), {"job": plan.values["job"], "status": status})

    return [Step("POST", f"{job}/cancel", None, look)]


def _remove_restore_point_lock(plan: Plan) -> list[Step]:
    return [_delete(plan.values["lock_id"], "lock")]


def _delete_restore_point_collection(plan: Plan) -> list[Step]:
    return [_delete(plan.values["collection_id"], "collection")]


_MAKERS: Mapping[str, Callable[[Plan], list[Step]]] = {
    "allow_storage_in_nsg": network.allow_storage_in_nsg,
    "add_storage_route": network.add_storage_route,
    "add_storage_service_endpoint": network.add_storage_service_endpoint,
    "restart_vm": _restart_vm,
    "start_vm": _start_vm,
    "stop_and_start_vm": _stop_and_start_vm,
    "allow_extension_operations": _allow_extension_operations,
    "remove_backup_extension": _delete_extension("extension"),
    "remove_failed_extension": _delete_extension("failed_extension"),
    "reapply_vm": _reapply_vm,
    "resume_protection": _resume_protection,
    "exclude_disks": _exclude_disks,
    "cancel_running_backup": _cancel_running_backup,
    "remove_restore_point_lock": _remove_restore_point_lock,
    "delete_restore_point_collection": _delete_restore_point_collection,
}
KNOWN = frozenset(_MAKERS)
