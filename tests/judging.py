"""Judge one check by name on facts given as plain data, the way a run does, and hold its sentences to the catalogue."""

from __future__ import annotations

from typing import Any

from vmbackup import catalog
from vmbackup.checks.base import CHECKS, load, run
from vmbackup.facts.schema import coerce
from vmbackup.model import Fact, FactStatus, Finding, Verdict
from vmbackup.runs.evidence import SHAPES

DENIED = Fact(FactStatus.DENIED, why="missing_action", details={"action": "a", "scope": "s"})
ABSENT = Fact(FactStatus.ABSENT)


def judge(check: str, os: str | None = "linux", **facts: Any) -> Finding:
    """The finding. Facts are named with ``__`` for the dot; a Fact stands for itself, None for "absent"."""
    load()
    named = {name.replace("__", "."): data for name, data in facts.items()}
    evidence = {name: _fact(name, data) for name, data in named.items()}
    finding = run(CHECKS[check], evidence, os)
    assert finding.reason != "check_failed", finding.values
    for language in catalog.LANGUAGES:
        assert catalog.sentence(finding, language)
        action = catalog.next_action(finding, language)
        if finding.verdict is Verdict.PROBLEM or (
            finding.verdict is Verdict.UNKNOWN and finding.reason in _said(check)
        ):
            assert action, f"{check}: nothing is said to do about {finding.reason}"
    return finding


def outcome(check: str, os: str | None = "linux", **facts: Any) -> tuple[str, str]:
    """Verdict and reason alone, as a table's right-hand side."""
    finding = judge(check, os, **facts)
    return str(finding.verdict), finding.reason


def _said(check: str) -> set[str]:
    return set(catalog.checks()[check]["texts"])


def _fact(name: str, data: Any) -> Fact:
    """What of a guest fact is not given is unread, as in a document that does not have it."""
    if isinstance(data, Fact):
        return data
    return ABSENT if data is None else Fact(FactStatus.OK, coerce(data, SHAPES[name]) if "guest." in name else data)


# --- facts of a healthy VM, to be changed by a test ----------------------------------------------------------------


def model(**changes: Any) -> dict[str, Any]:
    return {
        "id": "/vm",
        "name": "vm",
        "computer_name": "vm",
        "vm_id": None,
        "location": "westeurope",
        "os": "linux",
        "os_name": None,
        "size": "Standard_D2s_v5",
        "provisioning_state": "Succeeded",
        "has_os_profile": True,
        "allow_extension_operations": True,
        "provision_vm_agent": True,
        "boot_diagnostics": True,
        "security_type": "Standard",
        "age_s": None,
        "nic_ids": [],
    } | changes


def power(state: str | None = "running") -> dict[str, Any]:
    return {"power": state, "provisioning": "ProvisioningState/succeeded", "provisioning_message": None}


def agent(**changes: Any) -> dict[str, Any]:
    return {
        "version": "2.15.0.1",
        "code": "ProvisioningState/succeeded",
        "level": "Info",
        "display_status": "Ready",
        "message": "Guest Agent is running",
        "reported_at": "2026-11-23T02:58:00Z",
        "age_s": 120.0,
    } | changes


def silent_agent(message: str = "VM Agent is unresponsive.") -> dict[str, Any]:
    return agent(
        version="Unknown",
        code="ProvisioningState/Unavailable",
        level="Warning",
        display_status="Not Ready",
        message=message,
        reported_at=None,
        age_s=None,
    )


def disk(name: str = "os", **changes: Any) -> dict[str, Any]:
    return {
        "name": name,
        "role": "os" if name == "os" else "data",
        "lun": None if name == "os" else 0,
        "id": f"/disks/{name}",
        "managed": True,
        "size_gb": 128,
        "sku": "Premium_LRS",
        "encryption": "none",
        "shared": False,
        "write_accelerator": False,
        "ephemeral": False,
        "network_access": "AllowAll",
        "public_access": "Enabled",
        "data_access_auth": None,
        "security_type": None,
        "excluded_by": None,
    } | changes


def failed_job(
    code: int | None = 400196, title: str | None = "UserErrorGuestAgentStatusUnavailable", **changes: Any
) -> dict[str, Any]:
    return {
        "name": "job",
        "status": "Failed",
        "start": "2026-11-22T22:00:00Z",
        "end": "2026-11-22T22:20:00Z",
        "duration_s": 1200.0,
        "errors": [{"code": code, "title": title, "text": None, "recommendations": []}],
        "dynamic_message": None,
        "tasks": [],
        "first_failure": None,
    } | changes


NO_NETWORK = failed_job(400206, "ExtensionSnapshotFailedNoNetwork")


def job(status: str = "Completed", start: str = "2026-11-22T22:00:00Z", operation: str = "Backup") -> dict[str, Any]:
    return {
        "name": start,
        "operation": operation,
        "status": status,
        "start": start,
        "end": None,
        "error_code": None,
        "error_title": None,
        "error_text": None,
    }


def item(**changes: Any) -> dict[str, Any]:
    return {
        "id": "/item",
        "protection_state": "Protected",
        "protection_status": "Healthy",
        "health_status": "Passed",
        "health_details": [],
        "last_backup_status": "Completed",
        "last_backup_time": "2026-11-22T22:00:00Z",
        "last_recovery_point": "2026-11-22T22:00:00Z",
        "policy_id": "/policy",
        "policy_name": "policy",
        "source_resource_id": "/vm",
        "soft_deleted": False,
        "disk_luns": None,
        "disk_luns_included": None,
    } | changes


def serial(**changes: Any) -> dict[str, Any]:
    """What a serial log without anything to report shows."""
    return {
        "agent": None,
        "dhcp": None,
        "emergency_mode": False,
        "kernel_panic": False,
        "file_system_errors": False,
        "freeze_open": False,
        "cloud_init_finished": None,
        "datasource": None,
        "interfaces": [],
        "patterns": {},
    } | changes


def policy(type: str | None = "V1") -> dict[str, Any]:
    return {
        "name": "policy",
        "type": type,
        "frequency": "Daily",
        "days": [],
        "times": ["22:00"],
        "interval_h": None,
        "time_zone": "UTC",
        "consistency": None,
        "instant_restore_days": 2,
        "restore_point_group_prefix": None,
        "restore_point_group_suffix": None,
    }
