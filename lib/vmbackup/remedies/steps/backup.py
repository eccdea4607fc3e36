"""The changes to the backup: the protected item, a running job, restore points and what locks them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from vmbackup.arm.client import Arm
from vmbackup.remedies.plan import Plan
from vmbackup.remedies.steps.request import Observation, Request, State, deletion, get_existing, properties


def resume_protection(plan: Plan, path: str) -> list[Request]:
    """Protect the item by its policy again."""

    def done(item: Mapping[str, Any]) -> bool:
        return str(item.get("protectionState")).lower() in ("protected", "irpending")

    change = {"policyId": plan.values["policy_id"]}
    return [_item(path, done, ("protectionState", "policyId"), change)]


def exclude_disks(plan: Plan, path: str) -> list[Request]:
    """Leave the disks out of the backup."""
    luns = plan.values["disk_luns_list"]
    exclusion = {"diskLunList": luns, "isInclusionList": False}

    def done(item: Mapping[str, Any]) -> bool:
        found = (item.get("extendedProperties") or {}).get("diskExclusionProperties") or {}
        return found.get("isInclusionList") is False and set(luns) <= set(found.get("diskLunList") or [])

    change = {"extendedProperties": {"diskExclusionProperties": exclusion}, "policyId": plan.values.get("policy_id")}
    return [_item(path, done, ("extendedProperties",), change)]


def _item(
    path: str, done: Callable[[Mapping[str, Any]], bool], shows: tuple[str, ...], change: Mapping[str, Any]
) -> Request:
    def observe(arm: Arm) -> Observation:
        item = properties(get_existing(arm, path))
        return Observation("done" if done(item) else "todo", {key: item.get(key) for key in shows}, item)

    def body(item: Any) -> Any:
        kept = {key: item[key] for key in ("protectedItemType", "sourceResourceId") if key in item}
        return {"properties": {**kept, **change}}

    return Request("PUT", path, body, observe)


def cancel_running_backup(plan: Plan, path: str) -> list[Request]:
    """Cancel the job."""

    def observe(arm: Arm) -> Observation:
        status = str(properties(get_existing(arm, path.removesuffix("/cancel"))).get("status") or "")
        states: dict[str, State] = {"inprogress": "todo", "cancelling": "running"}
        return Observation(states.get(status.lower(), "done"), {"job": plan.values["job"], "status": status})

    return [Request("POST", path, None, observe)]


def remove_restore_point_lock(plan: Plan, path: str) -> list[Request]:
    """Delete the lock."""
    return [deletion(path, "lock")]


def delete_restore_point_collection(plan: Plan, path: str) -> list[Request]:
    """Delete the collection, and with it the restore points in it."""
    return [deletion(path, "collection")]
