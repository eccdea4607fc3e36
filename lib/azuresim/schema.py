"""What a world's YAML may say. A world names only what differs from a healthy VM; everything else has a default."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from azuresim.shapes import Either, Maps, OneOf, fault


class WorldError(Exception):
    """A world's YAML says something nobody understands; the message names file and key."""


TEXT, INT, NUMBER, BOOL, ANY = str, int, (int, float), bool, object

RULE = {
    "name": TEXT,
    "access": OneOf(("Allow", "Deny")),
    "direction": OneOf(("Outbound", "Inbound")),
    "priority": INT,
    "protocol": TEXT,
    "to": Either((TEXT, [TEXT])),
    "from": TEXT,
    "ports": Either((TEXT, INT, [Either((TEXT, INT))])),
}
STATUS = {"code": TEXT, "level": TEXT, "display_status": TEXT, "message": TEXT}
EXTENSION = {
    "name": TEXT,
    "publisher": TEXT,
    "type": TEXT,
    "version": TEXT,
    "provisioning_state": TEXT,
    "failed": TEXT,
    "handler": Either((STATUS, None)),
    "listed": BOOL,
    "present": BOOL,
    **STATUS,
}
DISK = {
    "name": TEXT,
    "lun": INT,
    "size_gb": INT,
    "sku": TEXT,
    "encryption": OneOf(("none", "ade", "customer_key")),
    "max_shares": INT,
    "write_accelerator": BOOL,
    "ephemeral": BOOL,
    "unmanaged": BOOL,
    "in_model": BOOL,
}
JOB_ERROR = {"code": INT, "title": Either((TEXT, None)), "text": Either((TEXT, None)), "recommendations": [TEXT]}
JOB = {
    "operation": TEXT,
    "status": TEXT,
    "hours_ago": NUMBER,
    "minutes": NUMBER,
    "errors": [JOB_ERROR],
    "dynamic_message": TEXT,
    "snapshot": TEXT,
    "transfer": TEXT,
    "user_triggered": BOOL,
}
EVENT = {
    "hours_ago": NUMBER,
    "operation": TEXT,
    "status": TEXT,
    "caller": TEXT,
    "code": TEXT,
    "message": TEXT,
    "resource": TEXT,
    "group": TEXT,
    "correlation": TEXT,
}
FAULT = {
    "match": TEXT,
    "status": INT,
    "code": TEXT,
    "message": TEXT,
    "headers": Maps(TEXT),
    "mode": OneOf(
        (
            "error",
            "cut_off",
            "garbage",
            "not_utf8",
            "huge",
            "missing_fields",
            "never_ending",
            "operation_failed",
            "slow",
            "plain",
        )
    ),
    "body": ANY,
    "seconds": NUMBER,
    "times": INT,
}
EFFECT = {"event": TEXT, "match": TEXT, "set": Maps(ANY), "output": TEXT, "error": TEXT, "exit_code": INT}

WORLD: Mapping[str, Any] = {
    "os": OneOf(("linux", "windows")),
    "now": TEXT,
    "location": TEXT,
    "page_size": INT,
    "retry_after": INT,
    "operation_polls": INT,
    "job_polls": INT,
    "exists": BOOL,
    "vault_exists": BOOL,
    "resource_guard": BOOL,
    "vm": {
        "name": TEXT,
        "computer_name": TEXT,
        "os_name": TEXT,
        "os_version": TEXT,
        "size": TEXT,
        "power": Either((TEXT, None)),
        "provisioning_state": TEXT,
        "provisioning_code": TEXT,
        "provisioning_message": TEXT,
        "has_os_profile": BOOL,
        "allow_extension_operations": BOOL,
        "provision_vm_agent": BOOL,
        "boot_diagnostics": BOOL,
        "security_type": TEXT,
        "tags": Maps(TEXT),
    },
    "agent": {
        "state": OneOf(("ready", "not_ready", "absent")),
        "version": TEXT,
        "reported_minutes_ago": NUMBER,
        "handlers": BOOL,
        "revives": BOOL,
        **STATUS,
    },
    "extensions": [EXTENSION],
    "snapshot_extension": EXTENSION,
    "extension_versions": Maps([TEXT]),
    "os_disk": DISK,
    "data_disks": [DISK],
    "nics": [
        {
            "name": TEXT,
            "primary": BOOL,
            "nsg": BOOL,
            "ip_configs": [{"name": TEXT, "ip": TEXT, "allocation": OneOf(("Dynamic", "Static")), "primary": BOOL}],
        }
    ],
    "nsg": Either(([RULE], None)),
    "subnet_nsg": Either(([RULE], None)),
    "routes": [{"name": TEXT, "prefix": TEXT, "next_hop": TEXT, "ip": TEXT}],
    "subnet": {"service_endpoints": [TEXT], "nat_gateway": BOOL, "default_outbound": BOOL},
    "protected": BOOL,
    "item": {
        "protection_state": TEXT,
        "protection_status": TEXT,
        "health_status": TEXT,
        "health_details": [{"code": INT, "title": TEXT, "message": TEXT, "recommendations": [TEXT]}],
        "last_backup_status": TEXT,
        "soft_deleted": BOOL,
        "disk_luns": [INT],
        "disk_luns_included": BOOL,
    },
    "policy": {
        "name": TEXT,
        "type": OneOf(("V1", "V2")),
        "frequency": OneOf(("Daily", "Weekly", "Hourly")),
        "times": [TEXT],
        "days": [TEXT],
        "interval_h": INT,
        "window_h": INT,
        "time_zone": TEXT,
        "consistency": TEXT,
        "instant_days": INT,
        "rg_prefix": TEXT,
        "rg_suffix": TEXT,
    },
    "neighbours": INT,
    "failure": {
        "code": Either((TEXT, None)),
        "integer": INT,
        "message": Either((TEXT, None)),
        "title": Either((TEXT, None)),
        "recommendations": [TEXT],
        "dynamic_message": TEXT,
        "status": TEXT,
        "runs": INT,
        "minutes": NUMBER,
    },
    "history": INT,
    "jobs": [JOB],
    "recovery_points": [{"hours_ago": NUMBER, "type": TEXT}],
    "restore_points": {"count": INT, "provisioning_state": TEXT, "resource_group": TEXT, "present": BOOL},
    "locks": [
        {
            "name": TEXT,
            "level": OneOf(("CanNotDelete", "ReadOnly")),
            "scope": OneOf(("vm", "resource_group", "restore_points", "subscription", "vault")),
            "notes": TEXT,
        }
    ],
    "activity": [EVENT],
    "health": {"state": TEXT, "reason": TEXT, "summary": TEXT, "hours_ago": NUMBER},
    "metrics": Maps(Either((NUMBER, {"base": NUMBER, "snapshot": NUMBER}, None))),
    "permissions": {"deny": [TEXT], "allow": [TEXT]},
    "faults": [FAULT],
    "backup_fails_while": [Maps(ANY)],
    "crash_consistent_while": [Maps(ANY)],
    "backup_consistency": TEXT,
    "effects": [EFFECT],
    "guest": Maps(ANY),
    "run_command": {
        "state": OneOf(("works", "busy", "agent_dead", "hangs")),
        "machine": TEXT,
        "output": TEXT,
        "error": TEXT,
    },
    "serial_log": TEXT,
}


def check(source: Path, given: Any) -> None:
    """Raise :class:`WorldError` for the first thing in ``given`` that is not in the schema."""
    if found := fault(given, WORLD):
        raise WorldError(f"{source.name}: {found}")


def check_terms(source: Path, key: str, conditions: list[dict[str, Any]], known: Iterable[str]) -> None:
    """Raise :class:`WorldError` for a condition that nobody evaluates."""
    for condition in conditions:
        for term in condition:
            if term not in known:
                there = ", ".join(sorted(known))
                raise WorldError(f"{source.name}: unknown condition {term!r} in {key}; there are: {there}")
