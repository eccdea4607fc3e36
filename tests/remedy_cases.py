"""Evidence by hand, for the pure parts of the remedies."""

from __future__ import annotations

from typing import Any

from vmbackup.model import Fact, FactStatus, Finding, Step, Target, Verdict

TARGET = Target("0" * 8, "rg-web", "vm-web", os="linux")
VAULT = "/subscriptions/s/resourceGroups/rg-v/providers/Microsoft.RecoveryServices/vaults/v1"
NSG = "/subscriptions/s/resourceGroups/rg-n/providers/Microsoft.Network/networkSecurityGroups/nsg-nic"


def fact(data: Any) -> Fact:
    return Fact(FactStatus.OK, data, taken_at="2026-11-23T03:00:00Z")


def rule(name: str, priority: int, **other: Any) -> dict[str, Any]:
    base = {"name": name, "nsg": NSG, "layer": "nic", "direction": "Outbound", "access": "Deny", "priority": priority}
    return {**base, "protocol": "*", "destinations": ["*"], "ports": ["*"], **other}


def evidence(**changes: Any) -> dict[str, Fact]:
    """A healthy Linux VM; a keyword ``vm_agent`` replaces the fact ``vm.agent``."""
    facts = {
        "vm.model": {"id": TARGET.vm_id, "location": "West Europe", "os": "linux", "os_name": "ubuntu",
                     "provisioning_state": "Succeeded", "allow_extension_operations": True},
        "vm.power": {"power": "running", "provisioning": "ProvisioningState/succeeded", "provisioning_message": None},
        "vm.agent": {"version": "2.15.0.1", "code": "ProvisioningState/succeeded", "display_status": "Ready",
                     "age_s": 20.0},
        "vm.extensions": [],
        "vm.locks": [],
        "backup.protection": {"status": "Protected", "vault_id": VAULT, "container": "c;rg;vm", "item": "vm;c;rg;vm",
                              "policy_name": "Daily", "via": "backupStatus"},
    }  # fmt: skip
    facts |= {name.replace("_", ".", 1): data for name, data in changes.items()}
    return {name: data if isinstance(data, Fact) else fact(data) for name, data in facts.items()}


def step(cause: str, check: str, reason: str = "problem", **values: Any) -> Step:
    return Step(1, cause, False, (Finding(check, cause, Verdict.PROBLEM, reason, values),))
