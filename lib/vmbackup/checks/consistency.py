"""Addition: backups succeed, but no longer with the wanted consistency."""

from __future__ import annotations

from typing import Any

from vmbackup.checks.base import Judgement, check, not_applicable, ok, problem, unknown
from vmbackup.checks.vm_state import is_off
from vmbackup.facts.backup import Policy, RecoveryPoint
from vmbackup.facts.vm import VmModel, VmPower

APPLICATION = ("appconsistent", "applicationconsistent")


@check("backup.recovery_points", optional=("backup.policy", "vm.power", "vm.model"), then=True)
def recovery_points_have_the_wanted_consistency(
    points: list[RecoveryPoint] | None, policy: Policy | None, power: VmPower | None, model: VmModel | None
) -> Judgement:
    """The newest recovery point is as consistent as the policy wants it.

    Why: Azure Backup may take a crash-consistent snapshot after an application-consistent one failed; the job then is
    completed and hides that agent, extension or VSS are broken.
    """
    if not points:
        return not_applicable()
    newest = max(points, key=lambda point: point["time"] or "")
    kind = (newest["type"] or "").lower()
    shown: dict[str, Any] = {"type": newest["type"], "time": newest["time"]}
    os = model["os"] if model else None
    if kind in APPLICATION:
        return ok(**shown)
    if kind == "filesystemconsistent":
        return _file_system_consistent(os, shown)
    if kind != "crashconsistent":
        return unknown(**shown)
    if wants_crash_only(policy):
        return ok("wanted", **shown)
    if power is not None and is_off(power["power"]):
        return ok("vm_off", **shown)
    if policy is None or power is None or power["power"] is None:
        return unknown("undecided", **shown)
    return problem(**shown)


def wants_crash_only(policy: Policy | None) -> bool:
    """Whether the policy is known to want crash-consistent points alone."""
    return policy is not None and (policy["consistency"] or "").lower() == "onlycrashconsistent"


def _file_system_consistent(os: str | None, shown: dict[str, Any]) -> Judgement:
    """The best that Linux gives without scripts of its own; on Windows it means that VSS writers failed."""
    if os == "linux":
        return ok(**shown)
    return problem("file_system_only", **shown) if os == "windows" else unknown("undecided", **shown)
