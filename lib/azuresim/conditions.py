"""Does the world's cause still hold? A world lists conditions over its own state; any that holds fails a backup."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from azuresim import rules
from azuresim.answer import Json
from azuresim.defaults import agent_view, extension_failed
from azuresim.world import World

MOST_RESTORE_POINTS = 18
LARGEST_DISK_GB = 64 * 1024
LARGEST_ADE_GB = 4_095
LARGEST_SUM_GB = 512 * 1024

_KINDS: dict[str, Callable[[Json], bool]] = {
    "shared": lambda disk: disk["max_shares"] > 1,
    "ephemeral": lambda disk: bool(disk["ephemeral"]),
    "unmanaged": lambda disk: bool(disk["unmanaged"]),
    "ultra": lambda disk: disk["sku"] in ("UltraSSD_LRS", "PremiumV2_LRS"),
    "too_large": lambda disk: disk["size_gb"] > LARGEST_DISK_GB,
    "ade_too_large": lambda disk: disk["encryption"] == "ade" and disk["size_gb"] > LARGEST_ADE_GB,
}


def holds(world: World, machine: Json, conditions: list[Json]) -> bool:
    """Whether any of the conditions is true: a mapping of one or more terms, all of which must be true."""
    return any(all(_true(world, machine, term, value) for term, value in each.items()) for each in conditions)


def _true(world: World, machine: Json, term: str, value: Any) -> bool:
    if term not in TERMS:
        raise ValueError(f"unknown condition {term!r}; there are: {', '.join(sorted(TERMS))}")
    return TERMS[term](world, machine, value)


def _agent(world: World, machine: Json, value: Any) -> bool:
    return bool(machine["agent"]["state"] == value) if value != "silent" else machine["agent"]["state"] != "ready"


def _agent_older(world: World, machine: Json, value: Any) -> bool:
    version = (agent_view(machine) or {}).get("version", "")
    parts = [int(part) if part.isdigit() else 0 for part in version.split(".")]
    return parts < [int(part) for part in str(value).split(".")]


def _agent_says(world: World, machine: Json, value: Any) -> bool:
    return str(value).lower() in str((agent_view(machine) or {}).get("message", "")).lower()


def _extension(world: World, machine: Json, value: Any) -> bool:
    return any(extension_failed(entry) for entry in machine["extensions"] if value in ("*", entry["name"]))


def _extension_older(world: World, machine: Json, value: Any) -> bool:
    name, version = next(iter(value.items()))
    mine = [entry["version"] for entry in machine["extensions"] if entry["name"] == name]
    return any([int(p) for p in own.split(".")] < [int(p) for p in version.split(".")] for own in mine)


def _handler(world: World, machine: Json, value: Any) -> bool:
    return any(
        entry["name"] == value and (entry["handler"] or {}).get("display_status") != "Ready"
        for entry in machine["extensions"]
    )


def _disks(world: World, machine: Json, value: Any) -> bool:
    disks = backed_up(machine)
    if value == "sum_too_large":
        return bool(sum(disk["size_gb"] for disk in disks) > LARGEST_SUM_GB)
    return any(_KINDS[value](disk) for disk in disks)


def backed_up(machine: Json) -> list[Json]:
    """The disks that the protected item includes (selective disk backup); the OS disk always is."""
    item = machine["item"] or {}
    luns = item.get("disk_luns")
    if luns is None:
        return list(machine["disks"])
    included = bool(item.get("disk_luns_included"))
    return [disk for disk in machine["disks"] if disk["lun"] is None or (disk["lun"] in luns) == included]


TERMS: dict[str, Callable[[World, Json, Any], bool]] = {
    "always": lambda world, machine, value: bool(value),
    "agent": _agent,
    "agent_older_than": _agent_older,
    "agent_says": _agent_says,
    "power": lambda world, machine, value: bool(machine["vm"]["power"] == value),
    "provisioning_state": lambda world, machine, value: bool(machine["vm"]["provisioning_state"] == value),
    "extension_operations": lambda world, machine, value: bool(
        machine["vm"]["allow_extension_operations"] == (value == "allowed")
    ),
    "nsg_denies": lambda world, machine, value: rules.blocked(world, machine, value),
    "route_blocks": lambda world, machine, value: rules.route_blocks(world, value),
    "extension_failed": _extension,
    "extension_older_than": _extension_older,
    "handler_not_ready": _handler,
    "disks": _disks,
    "policy_type": lambda world, machine, value: any(policy["type"] == value for policy in world.policies.values()),
    "restore_points_over": lambda world, machine, value: bool(machine["restore_points"]["count"] > value),
    "locked": lambda world, machine, value: any(lock["scope"] == value for lock in world.locks),
    "health": lambda world, machine, value: bool(machine["health"]["state"] == value),
    "guest": lambda world, machine, value: bool(machine["guest"].get(value)),
    "protection_state": lambda world, machine, value: bool((machine["item"] or {}).get("protection_state") == value),
}
