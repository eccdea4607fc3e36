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
    # None: the agent reports no handler for it.
    "handler": Either((STATUS, None)),
    # In the VM's model, as the portal lists it; the backup extension is hidden unless it failed.
    "listed": BOOL,
    # False: in the model alone, the agent has not reported it.
    "reported": BOOL,
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
    "network_access": OneOf(("AllowAll", "AllowPrivate", "DenyAll")),
    "public_access": OneOf(("Enabled", "Disabled")),
    # Who may read the disk's data must sign in to Entra ID too.
    "data_access_auth": OneOf(("None", "AzureActiveDirectory")),
    # Like the VM's, unless it is said here; a confidential disk has names of its own.
    "security_type": TEXT,
    "unmanaged": BOOL,
    "in_model": BOOL,
}
# What went wrong: a known ``code`` brings integer, message and recommendations of its own.
FAILURE = {
    "code": Either((TEXT, None)),
    "integer": INT,
    "message": Either((TEXT, None)),
    "title": Either((TEXT, None)),
    "recommendations": [TEXT],
    "dynamic_message": TEXT,
}
JOB_ERROR = {"code": INT, "title": Either((TEXT, None)), "text": Either((TEXT, None)), "recommendations": [TEXT]}
JOB = {
    # Backup, ConfigureBackup, Restore, …
    "operation": TEXT,
    # Completed, CompletedWithWarnings, Failed, Cancelled; InProgress runs until it is cancelled.
    "status": TEXT,
    "hours_ago": NUMBER,
    "minutes": NUMBER,
    "failure": FAILURE,
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
    "vault": {
        "name": TEXT,
        # Another one than the VM's, and with it another resource group; any word but a GUID stands for one.
        "subscription": TEXT,
        "resource_group": TEXT,
        "location": TEXT,
        "redundancy": OneOf(("LocallyRedundant", "ZoneRedundant", "GeoRedundant")),
        "cross_region_restore": BOOL,
    },
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
        "created_hours_ago": NUMBER,
        "has_os_profile": BOOL,
        "allow_extension_operations": BOOL,
        "provision_vm_agent": BOOL,
        "boot_diagnostics": BOOL,
        # Standard, TrustedLaunch, ConfidentialVM
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
    "subnet": {"service_endpoints": [TEXT], "nat_gateway": BOOL, "default_outbound": BOOL, "resource_group": TEXT},
    "protected": BOOL,
    # What backupStatus says of the VM, where that is not what the rest of the world says.
    "backup_status": {
        "protection_status": OneOf(("NotProtected", "Protecting", "Protected", "ProtectionFailed")),
        "error_code": TEXT,
        "error_message": TEXT,
    },
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
    # V1 is the Standard policy, daily by default; V2 the Enhanced one, every four hours by default.
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
    # How the last scheduled runs ended (two of them by default), Failed unless ``status`` says CompletedWithWarnings.
    "failure": {**FAILURE, "status": TEXT, "runs": INT, "minutes": NUMBER},
    "history": INT,
    "jobs": [JOB],
    "recovery_points": [
        {
            "hours_ago": NUMBER,
            "type": TEXT,
            # InstantRP, HardenedRP, ArchivedRP, IASnapshotRP: Valid, Invalid, Disabled, Deleted or Rehydrated.
            "tiers": Maps(TEXT),
            "threat_status": OneOf(("Unknown", "Healthy", "UnHealthy", "Warning", "NotAvailable")),
        }
    ],
    # The collection of the backup service; its points lie as far apart as the policy's runs, unless it is said here.
    "restore_points": {
        "count": INT,
        "interval_h": NUMBER,
        "newest_hours_ago": NUMBER,
        "provisioning_state": TEXT,
        "resource_group": TEXT,
        "present": BOOL,
    },
    # Collections of the same VM that somebody else made, in the VM's resource group unless it is said here.
    "other_collections": [{"name": TEXT, "resource_group": TEXT, "count": INT}],
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
