"""The readers of Azure's answers by the fact that they make, each with the recordings that are meant for it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timezone
from typing import Any

from recordings import Recording
from vmbackup.arm.wire import inside
from vmbackup.collectors.activity import read_event, read_health
from vmbackup.collectors.backup_policy import read_policy
from vmbackup.collectors.disks import attached_disks, read_disk
from vmbackup.collectors.extensions import read_extensions
from vmbackup.collectors.failed_job import read_failed_job
from vmbackup.collectors.jobs import read_job
from vmbackup.collectors.metrics import read_series
from vmbackup.collectors.network import read_nic, read_subnet
from vmbackup.collectors.protected_item import read_item
from vmbackup.collectors.protection import read_backup_status
from vmbackup.collectors.recovery_points import read_recovery_point
from vmbackup.collectors.restore_points import read_collection, read_lock
from vmbackup.collectors.routes import read_effective_routes, read_route_table
from vmbackup.collectors.rules import read_effective_rules, read_nsg
from vmbackup.collectors.vm import read_agent, read_handlers, read_model, read_power
from vmbackup.facts.network import NicRoutes, NicRules, Rule

NOW = datetime(2026, 11, 23, 3, tzinfo=timezone.utc)


def listed(recorded: Recording) -> list[Any]:
    """The resources of an answer: the entries of a list, or the one resource."""
    wire = recorded.json
    if isinstance(wire, dict) and isinstance(wire.get("value"), list):
        return list(wire["value"])
    return [wire]


# Each reader with the recordings that are meant for it; "" where none was recorded, and only the simulator feeds it.
READERS: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "vm.model": ("vm_get_instanceview", read_model),
    "vm.power": ("vm_get_instanceview", lambda wire: read_power(inside(wire, "properties", "instanceView"))),
    "vm.agent": ("vm_get_instanceview", lambda wire: read_agent(inside(wire, "properties", "instanceView"), NOW)),
    "vm.handlers": ("vm_get_instanceview", lambda wire: read_handlers(inside(wire, "properties", "instanceView"))),
    "vm.extensions": ("vm_extension", lambda wire: read_extensions([wire], inside(wire, "properties", "instanceView"))),
    "vm.disks": ("vm_get_instanceview", lambda wire: [read_disk(role, each) for role, each in attached_disks(wire)]),
    "vm.disks, own": ("disk_get", lambda wire: [read_disk("data", {"managedDisk": {"id": wire.get("id")}}, wire)]),
    "vm.locks": ("", lambda wire: [read_lock(wire)]),
    "vm.restore_points": ("", lambda wire: [read_collection(wire)]),
    "vm.activity": ("", lambda wire: [read_event(wire)]),
    "vm.health": ("x_rh", read_health),
    "network.nics": ("nic_get", lambda wire: [read_nic(wire)]),
    "network.subnets": ("", lambda wire: [read_subnet(wire)]),
    "network.rules": ("effective_nsg", lambda wire: {"source": "effective", "nics": [read_effective_rules("n", wire)]}),
    "network.rules, written": ("nsg_get", lambda wire: {"source": "objects", "nics": [written(read_nsg(wire, "nic"))]}),
    "network.routes": (
        "effective_routes",
        lambda wire: {"source": "effective", "nics": [read_effective_routes("n", wire)]},
    ),
    "network.routes, written": ("", lambda wire: {"source": "objects", "nics": [read_routes_safely(wire)]}),
    "backup.protection": ("rs_backupstatus", read_backup_status),
    "backup.item": ("rs_protecteditem", read_item),
    "backup.policy": ("rs_policy", read_policy),
    "backup.jobs": ("rs_job", lambda wire: [read_job(wire)]),
    "backup.failed_job": ("rs_job", read_failed_job),
    "backup.recovery_points": ("x_rs__recoverypoints", lambda wire: [read_recovery_point(wire)]),
    "vm.metrics": ("metrics", lambda wire: {"start": "", "end": "", "window": "job", "series": read_series(wire)}),
}


def written(rules: list[Rule]) -> NicRules:
    return {"nic": "n", "rules": rules}


def read_routes_safely(wire: Any) -> NicRoutes:
    return {"nic": "n", "routes": read_route_table(wire)}


def wires(recorded: Recording) -> list[dict[str, Any]]:
    """An answer as a whole, and each entry where it is a list."""
    try:
        whole = recorded.json
    except ValueError:
        return []
    found = [whole, *(listed(recorded) if isinstance(whole, dict) and "value" in whole else [])]
    return [each for each in found if isinstance(each, dict)]
