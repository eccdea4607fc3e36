"""A healthy virtual machine, and how a world's few lines are spread over it."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from azuresim.answer import Json
from azuresim.ids import short

READY = {
    "code": "ProvisioningState/succeeded",
    "level": "Info",
    "display_status": "Ready",
}
SUCCEEDED = {"code": "ProvisioningState/succeeded", "level": "Info", "display_status": "Provisioning succeeded"}
UNAVAILABLE = {"code": "ProvisioningState/Unavailable", "level": "Warning", "display_status": "Not Ready"}
UNRESPONSIVE = "VM Agent is unresponsive."

AGENT = {
    "linux": {"version": "2.15.0.1", "message": "Guest Agent is running"},
    "windows": {"version": "2.7.41491.1243", "message": "GuestAgent is running and processing the extensions."},
}
BACKUP_EXTENSION = {
    "linux": ("VMSnapshotLinux", "1.0.9220.0"),
    "windows": ("VMSnapshot", "1.0.92.0"),
}
BACKUP_PUBLISHER = "Microsoft.Azure.RecoveryServices"
MONITOR = {
    "linux": ("AzureMonitorLinuxAgent", "1.35.4"),
    "windows": ("AzureMonitorWindowsAgent", "1.34.0.0"),
}
SYSTEM = {
    "linux": {"os_name": "ubuntu", "os_version": "24.04", "size": "Standard_D4s_v5", "os_disk_gb": 30},
    "windows": {
        "os_name": "Windows Server 2022 Datacenter",
        "os_version": "10.0.20348.2966",
        "size": "Standard_D4s_v5",
        "os_disk_gb": 127,
    },
}
EXTENSION_VERSIONS = {
    "VMSnapshotLinux": ["1.0.91.0", "1.0.9170.0", "1.0.9184.0", "1.0.9210.0", "1.0.9220.0"],
    "VMSnapshot": ["1.0.82.0", "1.0.85.0", "1.0.90.0", "1.0.92.0"],
}
METRICS: dict[str, tuple[str, float]] = {
    "Percentage CPU": ("Percent", 14.0),
    "Available Memory Bytes": ("Bytes", 9_663_676_416.0),
    "Available Memory Percentage": ("Percent", 56.0),
    "OS Disk IOPS Consumed Percentage": ("Percent", 7.0),
    "Data Disk IOPS Consumed Percentage": ("Percent", 9.0),
    "OS Disk Queue Depth": ("Count", 0.2),
    "VM Uncached IOPS Consumed Percentage": ("Percent", 6.0),
    "VM Uncached Bandwidth Consumed Percentage": ("Percent", 4.0),
    "OS Disk Bandwidth Consumed Percentage": ("Percent", 5.0),
    "Data Disk Bandwidth Consumed Percentage": ("Percent", 5.0),
    "CPU Credits Remaining": ("Count", 0.0),
    "CPU Credits Consumed": ("Count", 0.0),
    "Network In Total": ("Bytes", 52_000.0),
    "Network Out Total": ("Bytes", 48_000.0),
    "Disk Read Bytes": ("Bytes", 120_000.0),
    "Disk Write Bytes": ("Bytes", 340_000.0),
    "VmAvailabilityMetric": ("Count", 1.0),
}
# Only burstable sizes report credits.
BURSTABLE_ONLY = ("CPU Credits Remaining", "CPU Credits Consumed")
# What a VM's security type makes of its OS disk.
_DISK_SECURITY = {
    "TrustedLaunch": "TrustedLaunch",
    "ConfidentialVM": "ConfidentialVM_VMGuestStateOnlyEncryptedWithPlatformKey",
}
RUN_COMMAND: Json = {"state": "works", "machine": "healthy", "output": "", "error": ""}


def machine(name: str, given: Json) -> Json:
    """One VM with all it owns. ``given`` is the world's YAML (or ``{"os": …}`` for a plain healthy VM)."""
    os = given.get("os", "linux")
    vm = {
        "name": name,
        "computer_name": name[:15] if os == "windows" else name[:63],
        "os_name": SYSTEM[os]["os_name"],
        "os_version": SYSTEM[os]["os_version"],
        "size": SYSTEM[os]["size"],
        "power": "running",
        "provisioning_state": "Succeeded",
        "provisioning_code": "",
        "provisioning_message": "",
        "has_os_profile": True,
        "allow_extension_operations": True,
        "provision_vm_agent": True,
        "boot_diagnostics": True,
        "security_type": "",
        "created_hours_ago": None,
        "tags": {"environment": "test"},
        **given.get("vm", {}),
    }
    return {
        "name": vm["name"],
        "os": os,
        "vm": vm,
        "agent": _agent(os, vm, given.get("agent", {})),
        "extensions": _extensions(os, given),
        "disks": _disks(os, vm["name"], given),
        "nics": _nics(vm["name"], given.get("nics", [{}])),
        "item": None if given.get("protected") is False else dict(given.get("item", {})),
        "jobs": [],
        "recovery_points": [],
        "restore_points": {
            "count": 2,
            "provisioning_state": "Succeeded",
            "present": True,
            "newest_hours_ago": 4,
            "interval_h": None,
            **given.get("restore_points", {}),
        },
        "other_collections": list(given.get("other_collections", [])),
        "activity": deepcopy(given.get("activity", [])),
        "health": {"state": "Available", "reason": "", "summary": "", "hours_ago": 48, **given.get("health", {})},
        "metrics": dict(given.get("metrics", {})),
        "guest": dict(given.get("guest", {})),
        "run_command": {**RUN_COMMAND, **given.get("run_command", {})},
    }


def _agent(os: str, vm: Json, given: Json) -> Json:
    state = given.get("state") or ("ready" if vm["power"] == "running" else _state_without_power(vm["power"]))
    known = AGENT[os]
    ready = {**READY, **known}
    silent = {**UNAVAILABLE, "version": "Unknown", "message": UNRESPONSIVE}
    # A VM that was merely off has a living agent when it comes back.
    revives = "state" not in given or state == "ready"
    base = {"state": state, "reported_minutes_ago": 0.3, "handlers": True, "revives": revives}
    return {
        **base,
        "as_ready": ready,
        "as_silent": silent,
        "said": {k: v for k, v in given.items() if k not in base},
    } | {key: given[key] for key in base if key in given}


def _state_without_power(power: str | None) -> str:
    return "absent" if power in ("deallocated", "deallocating", None) else "not_ready"


def agent_view(subject: Json) -> Json | None:
    """What the agent is seen to report now; None when Azure shows no agent at all."""
    agent = subject["agent"]
    if agent["state"] == "absent":
        return None
    base = agent["as_ready"] if agent["state"] == "ready" else agent["as_silent"]
    return {**base, **agent["said"]}


def _extensions(os: str, given: Json) -> list[Json]:
    kind, version = BACKUP_EXTENSION[os]
    backup = {"name": kind, "publisher": BACKUP_PUBLISHER, "type": kind, "version": version, "listed": False}
    backup |= given.get("snapshot_extension", {})
    if "failed" in backup and "listed" not in given.get("snapshot_extension", {}):
        backup["listed"] = True
    monitor = {"name": MONITOR[os][0], "publisher": "Microsoft.Azure.Monitor", "type": MONITOR[os][0]}
    monitor["version"] = MONITOR[os][1]
    everything = [monitor, *given.get("extensions", []), backup]
    return [_extension(entry) for entry in everything if entry.get("present", True)]


def _extension(given: Json) -> Json:
    base: Json = {"publisher": "Contoso.Extensions", "version": "1.0.0.0", "listed": True, "message": ""}
    base["reported"] = True
    base |= {"provisioning_state": "Succeeded", **SUCCEEDED}
    handler: Json | None = {**READY, "message": "Plugin enabled"}
    if "failed" in given:
        base |= {"provisioning_state": "Failed", "code": "ProvisioningState/failed/1", "level": "Error"}
        base |= {"display_status": "Provisioning failed", "message": given["failed"]}
        handler = {
            "code": "ProvisioningState/failed/1",
            "level": "Error",
            "display_status": "NotReady",
            "message": given["failed"],
        }
    if "handler" in given:
        handler = {**(handler or {}), **given["handler"]} if given["handler"] is not None else None
    entry = {**base, **given, "handler": handler}
    entry.setdefault("type", entry["name"])
    entry.pop("failed", None)
    return entry


def extension_failed(extension: Json) -> bool:
    """Whether this extension or its handler says so."""
    handler = extension["handler"] or {}
    bad = extension["provisioning_state"] == "Failed" or "/failed" in extension["code"].lower()
    return bad or "/failed" in handler.get("code", "").lower()


def _disks(os: str, name: str, given: Json) -> list[Json]:
    os_disk = {"name": f"{name}-os", "size_gb": SYSTEM[os]["os_disk_gb"], **given.get("os_disk", {}), "lun": None}
    data = given.get("data_disks", [{}])
    rest = [{"name": f"{name}-data{index}", "size_gb": 128, "lun": index, **disk} for index, disk in enumerate(data)]
    security = _DISK_SECURITY.get(given.get("vm", {}).get("security_type", ""), "")
    return [_disk(disk) for disk in ({"security_type": security, **os_disk}, *rest)]


def _disk(given: Json) -> Json:
    return {
        "sku": "Premium_LRS",
        "encryption": "none",
        "max_shares": 1,
        "write_accelerator": False,
        "ephemeral": False,
        "network_access": "AllowAll",
        "public_access": "Enabled",
        "data_access_auth": "",
        "security_type": "",
        "unmanaged": False,
        "in_model": True,
        **given,
    }


def _nics(name: str, given: list[Json]) -> list[Json]:
    nics = []
    for index, nic in enumerate(given):
        configs = [
            {"name": f"ipconfig{number + 1}", "ip": f"10.0.{index}.{4 + number}", "allocation": "Dynamic"}
            | {"primary": number == 0}
            | config
            for number, config in enumerate(nic.get("ip_configs", [{}]))
        ]
        whole: Json = {"name": short(f"{name}-nic{index}", 80), "primary": index == 0, "nsg": True, **nic}
        nics.append({**whole, "ip_configs": configs})
    return nics


def policy(given: Json) -> Json:
    """The backup policy of the world."""
    kind = given.get("type", "V1")
    enhanced = kind == "V2"
    return {
        "name": "EnhancedPolicy" if enhanced else "DailyPolicy",
        "type": kind,
        "frequency": "Hourly" if enhanced else "Daily",
        "times": ["23:00"],
        "days": ["Sunday"],
        "interval_h": 4,
        "window_h": 24,
        "time_zone": "UTC",
        "consistency": "",
        "instant_days": 7 if enhanced else 2,
        "rg_prefix": "",
        "rg_suffix": "",
        **given,
    }


def rule(given: Json) -> Json:
    """A security rule of a world: outbound, any source, TCP, unless it says otherwise."""
    to, ports = given.get("to", "*"), given.get("ports", "*")
    whole: dict[str, Any] = {
        "name": "rule",
        "access": "Deny",
        "direction": "Outbound",
        "priority": 100,
        "protocol": "*",
        "from": "*",
        **given,
    }
    whole["to"] = [to] if isinstance(to, str) else list(to)
    whole["ports"] = [str(port) for port in (ports if isinstance(ports, list) else [ports])]
    return whole
