"""Refuses, before the first request, what would fail or do harm, with the reason. Pure: it reads evidence only.

What the evidence does not say is asked again by :mod:`vmbackup.remedies.apply` just before the change.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from vmbackup import catalog
from vmbackup.catalog.knowledge import number
from vmbackup.failures.jobs import running_backup
from vmbackup.model import Evidence, data_of

CHANGING = ("updating", "creating", "deleting", "migrating")
"""The provisioning states of a resource that is being changed."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a remedy is not applied: a key of ``ui_remedies.yaml`` under ``refused``, with its values."""

    key: str
    values: Mapping[str, Any] = field(default_factory=dict)

    def words(self, language: str) -> str:
        """The reason as a sentence."""
        return catalog.text(f"refused.{self.key}", language, **self.values)


def refusals(
    entry: Mapping[str, Any], missing: tuple[str, ...], resource: str, values: Mapping[str, Any], evidence: Evidence
) -> tuple[Refusal, ...]:
    """Every reason not to apply the remedy, the most basic first; empty when nothing forbids it."""
    if entry["superseded"]:
        return (Refusal("superseded"),)
    change = entry["change"]
    if change is None:
        return (Refusal("manual"),)
    found = _values(missing, resource, values)
    if "running_vm" in change["needs"]:
        found += _running(evidence)
    if "agent" in change["needs"]:
        found += _agent(evidence) + _extensions_allowed(evidence)
    if change["breaks_backup"]:
        found += _running_backup(evidence)
    if change["resource"] == "vm_id":
        found += _settled(evidence)
    return tuple(found + _locks(change, resource, evidence))


def _values(missing: tuple[str, ...], resource: str, values: Mapping[str, Any]) -> list[Refusal]:
    if resource and values.get("rule") and any(name.startswith("priority_") for name in missing):
        return [Refusal("no_free_priority", {"rule": values["rule"], "priority": values["rule_priority"]})]
    return [Refusal("values_missing", {"names": list(missing)})] if missing or not resource else []


def _running(evidence: Evidence) -> list[Refusal]:
    power = (data_of(evidence, "vm.power") or {}).get("power")
    if power is None:
        return [Refusal("power_unknown")]
    return [] if power.lower() == "running" else [Refusal("vm_not_running", {"power": power})]


def _agent(evidence: Evidence) -> list[Refusal]:
    """Run Command and the removal of an extension go through the agent: it must be working."""
    fact = evidence.get("vm.agent")
    if fact is None or not fact.answered:
        return [Refusal("agent_unknown")]
    agent = fact.data or {}
    code, status = str(agent.get("code") or "").lower(), agent.get("display_status") or "-"
    if code != "provisioningstate/succeeded" or str(status).lower() != "ready":
        return [Refusal("agent_not_ready", {"status": status})]
    age = float(agent.get("age_s") or 0)
    return [Refusal("agent_silent", {"minutes": int(age // 60)})] if age > number("heartbeat_stale_s") else []


def _extensions_allowed(evidence: Evidence) -> list[Refusal]:
    allowed = (data_of(evidence, "vm.model") or {}).get("allow_extension_operations")
    return [Refusal("extensions_disallowed")] if allowed is False else []


def _running_backup(evidence: Evidence) -> list[Refusal]:
    job = running_backup(data_of(evidence, "backup.jobs"))
    return [Refusal("backup_would_break", {"job": job["name"]})] if job else []


def _settled(evidence: Evidence) -> list[Refusal]:
    state = str((data_of(evidence, "vm.model") or {}).get("provisioning_state") or "")
    return [Refusal("vm_changing", {"state": state})] if state.lower() in CHANGING else []


def _locks(change: Mapping[str, Any], resource: str, evidence: Evidence) -> list[Refusal]:
    for lock in data_of(evidence, "vm.locks") or []:
        covers = f"{resource.lower()}/".startswith(f"{lock['scope'].rstrip('/').lower()}/")
        bars = lock["level"].lower() == "readonly" or change["deletes"]
        if covers and bars and change["resource"] != "lock_id":
            return [Refusal("locked", {"lock": lock["name"], "level": lock["level"], "scope": lock["scope"]})]
    return []
