"""What the placeholders of ``remedies.yaml`` stand for on this VM, read from evidence and findings. Pure.

A value that the evidence does not hold is missing here; commands then show its name, and nothing is applied.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from vmbackup import clock
from vmbackup.checks.base import load, run
from vmbackup.checks.shared import outbound
from vmbackup.failures.signatures import full_type
from vmbackup.model import Evidence, Finding, Target, data_of, operating_system
from vmbackup.resource_ids import protected_item_id, resource_group, resource_name

LOWEST_PRIORITY = 100
"""The smallest number that Azure accepts for a security rule."""
RULES_ADDED = 3
STOPGAP_DAYS = 14
RETAIN_DAYS = 30
FACTS_BEHIND: Mapping[str, tuple[str, ...]] = {
    "nsg_id": ("network.rules",),
    "route_table_id": ("network.nics", "network.subnets"),
    "subnet_id": ("network.nics", "network.subnets"),
    "vault_id": ("backup.protection",),
    "item_id": ("backup.protection", "backup.item"),
    "job": ("backup.jobs",),
    "collection_id": ("vm.restore_points",),
    "lock_id": ("vm.locks", "vm.restore_points"),
    "extension": ("vm.extensions",),
    "failed_extension": ("vm.extensions",),
}
"""The facts behind the values in the path of a request."""
_RUNNING = "inprogress"
_WELL = ("succeeded", "updating", "creating", "ready", "installing", "transitioning")
_BACKUP_EXTENSIONS = ("vmsnapshot", "vmsnapshotlinux")


def values(target: Target, evidence: Evidence, findings: tuple[Finding, ...]) -> dict[str, Any]:
    """Every placeholder that is known, unquoted: ``vm_name``, ``nsg_name``, ``priority_1``, ``lock_id`` and so on."""
    found: dict[str, Any] = {
        "vm_name": target.vm_name,
        "vm_id": target.vm_id,
        "resource_group": target.resource_group,
        "subscription_id": target.subscription_id,
    }
    for part in (_region, _security_rule, _subnet, _extensions, _vault, _jobs, _disks, _restore_points, _dates):
        found.update(part(evidence, findings))
    return {name: value for name, value in found.items() if value not in (None, "", [])}


def _finding(findings: tuple[Finding, ...], check: str) -> Mapping[str, Any]:
    return next((each.values for each in findings if each.check == check), {})


def _region(evidence: Evidence, findings: tuple[Finding, ...]) -> dict[str, Any]:
    model = data_of(evidence, "vm.model")
    if not model:
        return {}
    plain = str(model["location"]).lower().replace(" ", "")
    tag = outbound.tag_region(plain)
    return {"region": plain, "tag_region": tag, "storage_tag": f"Storage.{tag}"}


def _security_rule(evidence: Evidence, findings: tuple[Finding, ...]) -> dict[str, Any]:
    """The blocking rule, its group, and three free numbers ahead of it."""
    barred = _finding(findings, "outbound_rules_let_storage_through")
    rules = [rule for nic in (data_of(evidence, "network.rules") or {"nics": []})["nics"] for rule in nic["rules"]]
    blocking = next(
        (rule for rule in rules if rule["name"] == barred.get("by") and resource_name(rule["nsg"]) == barred.get("of")),
        None,
    )
    if blocking is None or not blocking["nsg"]:
        return {}
    group_rules = [rule for rule in rules if rule["nsg"] == blocking["nsg"] and rule["direction"].lower() == "outbound"]
    free = free_priorities(int(blocking["priority"]), {int(rule["priority"]) for rule in group_rules})
    return {
        "rule": blocking["name"],
        "rule_priority": blocking["priority"],
        "nsg_id": blocking["nsg"],
        "nsg_name": resource_name(blocking["nsg"]),
        "nsg_group": resource_group(blocking["nsg"]),
        **{f"priority_{number}": priority for number, priority in enumerate(free, 1)},
    }


def free_priorities(blocking: int, taken: set[int]) -> list[int]:
    """Three unused numbers ahead of the blocking rule, the nearest to it; fewer where there is no room.

    >>> free_priorities(200, {199, 198}), free_priorities(101, set())
    ([195, 196, 197], [100])
    """
    free = [number for number in range(min(blocking, 4097) - 1, LOWEST_PRIORITY - 1, -1) if number not in taken]
    return sorted(free[:RULES_ADDED])


def _subnet(evidence: Evidence, findings: tuple[Finding, ...]) -> dict[str, Any]:
    subnets = data_of(evidence, "network.subnets") or []
    primary = _primary_subnet_id(evidence)
    subnet = next(
        (each for each in subnets if each["id"].lower() == primary), subnets[0] if len(subnets) == 1 else None
    )
    if subnet is None:
        return {}
    table = subnet["route_table_id"]
    return {
        "subnet": resource_name(subnet["id"]),
        "subnet_id": subnet["id"],
        "service_endpoints": list(dict.fromkeys([*subnet["service_endpoints"], "Microsoft.Storage"])),
        "route_table_id": table,
        "route_table": resource_name(table),
        "route_table_group": resource_group(table),
    }


def _primary_subnet_id(evidence: Evidence) -> str:
    nics = data_of(evidence, "network.nics") or []
    nic = next((each for each in nics if each["primary"]), nics[0] if len(nics) == 1 else None)
    configs = nic["ip_configs"] if nic else []
    config = next((each for each in configs if each["primary"]), configs[0] if configs else None)
    return str((config or {}).get("subnet_id") or "").lower()


def _extensions(evidence: Evidence, findings: tuple[Finding, ...]) -> dict[str, Any]:
    listed = data_of(evidence, "vm.extensions") or []
    backup = next((each for each in listed if (each["type"] or "").lower() in _BACKUP_EXTENSIONS), None)
    usual = {"linux": "VMSnapshotLinux", "windows": "VMSnapshot"}.get(operating_system(evidence) or "")
    failed = _finding(findings, "no_other_extension_has_failed").get("name")
    named = [each["name"] for each in listed if failed and failed in (each["name"], each["type"], full_type(each))]
    return {
        "extension": backup["name"] if backup else usual,
        "failed_extension": named[0] if len(named) == 1 else None,
    }


def _vault(evidence: Evidence, findings: tuple[Finding, ...]) -> dict[str, Any]:
    protection, item = data_of(evidence, "backup.protection"), data_of(evidence, "backup.item")
    if not protection:
        return {}
    item = item or {}
    return {
        "vault_id": protection["vault_id"],
        "vault_name": resource_name(protection["vault_id"]),
        "vault_group": resource_group(protection["vault_id"]),
        "container": protection["container"],
        "item": protection["item"],
        "item_id": protected_item_id(protection["vault_id"], protection["container"], protection["item"]),
        "policy": item.get("policy_name") or protection["policy_name"],
        "policy_id": item.get("policy_id") or _policy_id(protection, item),
    }


def _policy_id(protection: Mapping[str, Any], item: Mapping[str, Any]) -> str | None:
    """A stopped item no longer names its policy's id; its name may still be known."""
    name = item.get("policy_name") or protection["policy_name"]
    return f"{protection['vault_id']}/backupPolicies/{name}" if name else None


def _jobs(evidence: Evidence, findings: tuple[Finding, ...]) -> dict[str, Any]:
    jobs = data_of(evidence, "backup.jobs") or []
    running = [
        job for job in jobs if (job["status"] or "").lower() == _RUNNING and (job["operation"] or "Backup") == "Backup"
    ]
    return {"job": running[0]["name"] if running else None}


def _disks(evidence: Evidence, findings: tuple[Finding, ...]) -> dict[str, Any]:
    """The data disks to leave out: all with the fault of a finding, added to what is left out already."""
    disks, item = data_of(evidence, "vm.disks") or [], data_of(evidence, "backup.item") or {}
    found = [each for each in findings if each.cause == "disks" and each.values.get("disk")]
    faulty = [disk for disk in disks if any(_has_fault(disk, each, evidence) for each in found)]
    luns = {disk["lun"] for disk in faulty}
    if not luns or None in luns:
        return {}
    if item.get("disk_luns") is not None:
        known = set(item["disk_luns"])
        everything = {disk["lun"] for disk in disks if disk["lun"] is not None}
        luns |= everything - known if item.get("disk_luns_included") else known
    chosen = sorted(luns)
    return {"disk_luns": ", ".join(map(str, chosen)), "disk_luns_list": chosen}


def _has_fault(disk: Mapping[str, Any], found: Finding, evidence: Evidence) -> bool:
    """Whether the check says the same of this disk alone: a finding names the first one only."""
    alone = {**evidence, "vm.disks": replace(evidence["vm.disks"], data=[disk])}
    judged = run(load()[found.check], alone, None)
    return (judged.verdict, judged.reason) == (found.verdict, found.reason)


def _restore_points(evidence: Evidence, findings: tuple[Finding, ...]) -> dict[str, Any]:
    collections = data_of(evidence, "vm.restore_points") or []
    found: dict[str, Any] = {}
    if collections:
        largest = max(collections, key=lambda each: each["restore_points"] or 0)
        found = {
            "collection": largest["name"],
            "collection_id": largest["id"],
            "collection_group": largest["resource_group"],
        }
    lock = _finding(findings, "no_lock_blocks_restore_points")
    if lock.get("lock"):
        scope = str(lock["scope"]).rstrip("/")
        locked = [each["id"] for each in collections if f"{each['id']}/".lower().startswith(f"{scope}/".lower())]
        found |= {
            "lock": lock["lock"],
            "lock_level": lock["level"],
            "lock_scope": scope,
            "lock_id": f"{scope}/providers/Microsoft.Authorization/locks/{lock['lock']}",
            "locked_collection_id": locked[0] if locked else None,
        }
    return found


def _dates(evidence: Evidence, findings: tuple[Finding, ...]) -> dict[str, Any]:
    today = _today(evidence)
    if today is None:
        return {}
    return {
        "undo_date": (today + timedelta(days=STOPGAP_DAYS)).isoformat(),
        "retain_until": (today + timedelta(days=RETAIN_DAYS)).strftime("%d-%m-%Y"),
    }


def _today(evidence: Evidence) -> date | None:
    """Today by Azure's clock."""
    now = clock.parse(clock.azure_now(evidence))
    return now.date() if now else None
