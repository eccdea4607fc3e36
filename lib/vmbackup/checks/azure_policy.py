"""Addition: an Azure Policy denies the resources that hold restore points."""

from __future__ import annotations

from vmbackup.checks.base import Judgement, check, ok, problem, unknown
from vmbackup.facts.backup import Job
from vmbackup.facts.vm import ActivityEvent, RestorePointCollection
from vmbackup.failures.jobs import is_over
from vmbackup.failures.recognition import recognise

_OF_RESTORE_POINTS = ("restorepoint", "snapshot", "azurebackuprg", "resourcegroups/write")


@check(optional=("vm.activity", "vm.restore_points", "backup.jobs"))
def no_policy_denies_restore_points(
    activity: list[ActivityEvent] | None, collections: list[RestorePointCollection] | None, jobs: list[Job] | None
) -> Judgement:
    """No Azure Policy denies creating the resource group, the collection or the snapshot of a restore point.

    How it is measured: the log of a group is asked by the group's name, which is certain only once a collection exists.
    """
    for event in activity or []:
        if _is_denial(event) and not is_over(event["time"], jobs):
            return problem("denied", operation=event["operation"], message=event["message"] or "")
    if activity is None:
        return unknown()
    return ok() if collections else unknown("group_not_known")


def _is_denial(event: ActivityEvent) -> bool:
    """Denied by policy, and about restore points: the log also shows what was denied to others."""
    words = " ".join(event[key] or "" for key in ("operation", "code", "message", "resource_id")).lower()
    about = " ".join(event[key] or "" for key in ("operation", "resource_id", "message")).lower()
    denied = "policies/deny" in words or any(each.id == "policy_denies" for each in recognise(words, "platform"))
    return denied and any(word in about for word in _OF_RESTORE_POINTS)
