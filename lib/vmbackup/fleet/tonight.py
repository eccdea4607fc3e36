"""Whose next backup is at risk, why, and from which backup on: only what the evidence shows. Pure.

The checks of the diagnosis decide; whether a backup has already failed plays no part. What they could not determine is
unknown, signal by signal.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import cache

from vmbackup import catalog, clock
from vmbackup.checks.base import load, run
from vmbackup.diagnosis.cause import dated
from vmbackup.facts.backup import Policy
from vmbackup.model import Evidence, Finding, Verdict, data_of, operating_system, weightiest
from vmbackup.remedies.retry.schedule import next_run
from vmbackup.runs.fleet import NextFailure

PROTECTION, LOCK, POINTS = "protection", "lock", "points"


@cache
def signals() -> Mapping[str, tuple[str, ...]]:
    """What puts a backup at risk, with the checks that see it."""
    return {
        PROTECTION: ("vm_is_protected", "protection_is_active"),
        "agent_version": ("windows_agent_version_is_supported", "linux_agent_version_is_supported"),
        "agent_silent": (
            "windows_agent_reports_ready",
            "windows_agent_heartbeat_is_fresh",
            "linux_agent_reports_ready",
            "linux_agent_heartbeat_is_fresh",
        ),
        POINTS: ("restore_points_are_below_the_limit",),
        LOCK: ("no_lock_blocks_restore_points",),
        "disks": tuple(catalog.causes()["disks"]["checks"]),
        "python": ("backup_extension_finds_its_python",),
    }


def outlook(evidence: Evidence) -> tuple[dict[str, str], list[NextFailure]]:
    """The verdict of each signal, and what puts the next backups at risk."""
    os, now = operating_system(evidence), clock.now(evidence)
    found = {
        signal: [dated(run(load()[check], evidence, os), now.date()) for check in checks]
        for signal, checks in signals().items()
    }
    verdicts = {signal: str(weightiest(findings)) for signal, findings in found.items()}
    # For a VM that is not backed up at all, no other risk matters.
    at_risk = [PROTECTION] if verdicts[PROTECTION] == Verdict.PROBLEM else list(found)
    policy = data_of(evidence, "backup.policy")
    return verdicts, [
        NextFailure(
            signal=signal,
            check=finding.check,
            reason=finding.reason,
            values=dict(finding.values),
            from_time=_from(signal, found[POINTS][0], policy, now),
        )
        for signal in at_risk
        for finding in found[signal]
        if finding.verdict is Verdict.PROBLEM
    ]


def following_run(policy: Policy | None, now: datetime, skip: int = 0) -> str | None:
    """When the policy starts the next backup, or the one after so many more; ISO 8601 UTC."""
    start = next_run(policy, now)
    for _ in range(skip):
        start = next_run(policy, start) if start else None
    return clock.stamp(start)


def _from(signal: str, points: Finding, policy: Policy | None, now: datetime) -> str | None:
    """The first backup that is at risk. Under a lock each backup adds a point, until their number is at the limit; the
    limit of an Enhanced policy is not known."""
    if signal == PROTECTION:
        return None
    if signal != LOCK or points.verdict is Verdict.PROBLEM:
        return following_run(policy, now)
    if points.verdict is not Verdict.OK or "limit" not in points.values:
        return None
    if policy is None or (policy["type"] or "").upper() != "V1":
        return None
    return following_run(policy, now, points.values["limit"] - points.values["count"])
