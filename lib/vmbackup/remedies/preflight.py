"""Refuses before the first request what must fail or do harm, with the reason. Pure: it looks at evidence only.

What the evidence does not tell is asked again by :mod:`vmbackup.remedies.apply` just before the change.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from vmbackup import catalog
from vmbackup.checks.backup_in_progress import running_backup
from vmbackup.limits import HEARTBEAT_STALE_S
from vmbackup.model import Evidence
from vmbackup.remedies.values import data

_NEEDS_AGENT = ("remove_backup_extension", "remove_failed_extension")
_NEEDS_RUNNING_VM = (*_NEEDS_AGENT, "restart_vm")
_CHANGING = ("updating", "creating", "deleting", "migrating")
_DELETES = ("remove_backup_extension", "remove_failed_extension", "delete_restore_point_collection")
_BREAKS_A_BACKUP = (
    *("restart_vm", "stop_and_start_vm", "remove_backup_extension", "remove_failed_extension", "restart_vss"),
    *("clear_backup_extension_windows", "clear_backup_extension_linux"),
)
_CHANGES_LOCKS = ("remove_restore_point_lock",)


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a remedy is not applied: a key of ``ui_remedies.yaml`` under ``refused``, with its values."""

    key: str
    values: Mapping[str, Any] = field(default_factory=dict)

    def words(self, language: str) -> str:
        """The reason as a sentence."""
        return catalog.text(f"refused.{self.key}", language, **self.values)


def refusals(
    remedy: str,
    entry: Mapping[str, Any],
    missing: tuple[str, ...],
    resource: str,
    known: Mapping[str, Any],
    evidence: Evidence,
) -> tuple[Refusal, ...]:
    """Every reason not to apply the remedy, the most basic first; empty when nothing speaks against it."""
    if entry["superseded"]:
        return (Refusal("superseded"),)
    if entry["kind"] == "manual":
        return (Refusal("manual"),)
    found = _values(missing, resource, known)
    if needs_running_vm(remedy, entry):
        found += _running(evidence)
    if needs_agent(remedy, entry):
        found += _agent(evidence) + _extensions_allowed(evidence)
    if remedy in _BREAKS_A_BACKUP:
        found += _running_backup(evidence)
    if resource.lower() == str(known.get("vm_id", "")).lower():
        found += _settled(remedy, evidence)
    return tuple(found + _locks(remedy, resource, evidence))


def _values(missing: tuple[str, ...], resource: str, known: Mapping[str, Any]) -> list[Refusal]:
    if resource and known.get("rule") and any(name.startswith("priority_") for name in missing):
        return [Refusal("no_free_priority", {"rule": known["rule"], "priority": known["rule_priority"]})]
    return [Refusal("values_missing", {"names": list(missing)})] if missing or not resource else []


def needs_running_vm(remedy: str, entry: Mapping[str, Any]) -> bool:
    """Whether Azure refuses the remedy on a VM that is off."""
    return entry["kind"] == "guest_script" or remedy in _NEEDS_RUNNING_VM


def needs_agent(remedy: str, entry: Mapping[str, Any]) -> bool:
    """Whether the remedy travels through the agent."""
    return entry["kind"] == "guest_script" or remedy in _NEEDS_AGENT


def _running(evidence: Evidence) -> list[Refusal]:
    power = (data(evidence, "vm.power") or {}).get("power")
    if power is None:
        return [Refusal("power_unknown")]
    return [] if power.lower() == "running" else [Refusal("vm_not_running", {"power": power})]


def _agent(evidence: Evidence) -> list[Refusal]:
    """Run Command and the removal of an extension travel through the agent: it must be alive."""
    fact = evidence.get("vm.agent")
    if fact is None or not fact.answered:
        return [Refusal("agent_unknown")]
    agent = fact.data or {}
    code, shown = str(agent.get("code") or "").lower(), agent.get("display_status") or "-"
    if code != "provisioningstate/succeeded" or str(shown).lower() != "ready":
        return [Refusal("agent_not_ready", {"status": shown})]
    age = agent.get("age_s")
    return [Refusal("agent_silent", {"minutes": int(age // 60)})] if age is not None and age > HEARTBEAT_STALE_S else []


def _extensions_allowed(evidence: Evidence) -> list[Refusal]:
    allowed = (data(evidence, "vm.model") or {}).get("allow_extension_operations")
    return [Refusal("extensions_disallowed")] if allowed is False else []


def _running_backup(evidence: Evidence) -> list[Refusal]:
    job = running_backup(data(evidence, "backup.jobs"))
    return [Refusal("backup_would_break", {"job": job["name"]})] if job else []


def _settled(remedy: str, evidence: Evidence) -> list[Refusal]:
    state = str((data(evidence, "vm.model") or {}).get("provisioning_state") or "")
    return [Refusal("vm_changing", {"state": state})] if state.lower() in _CHANGING else []


def _locks(remedy: str, resource: str, evidence: Evidence) -> list[Refusal]:
    for lock in data(evidence, "vm.locks") or []:
        covers = f"{resource.lower()}/".startswith(f"{lock['scope'].rstrip('/').lower()}/")
        bars = lock["level"].lower() == "readonly" or remedy in _DELETES
        if covers and bars and remedy not in _CHANGES_LOCKS:
            return [Refusal("locked", {"lock": lock["name"], "level": lock["level"], "scope": lock["scope"]})]
    return []
