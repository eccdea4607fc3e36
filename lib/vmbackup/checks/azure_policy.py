"""Addition: an Azure Policy denies the resources that hold restore points."""

from __future__ import annotations

from vmbackup.checks.base import Judgement, check, ok, problem, unknown
from vmbackup.checks.shared.named_fault import Named, said_of
from vmbackup.facts.backup import FailedJob, Job, ProtectedItem
from vmbackup.facts.vm import ActivityEvent, RestorePointCollection
from vmbackup.failures.recognition import recognise

_OF_RESTORE_POINTS = ("restorepoint", "snapshot", "azurebackuprg", "resourcegroups/write")


@check(optional=("backup.failed_job", "backup.jobs", "backup.item", "vm.activity", "vm.restore_points"))
def no_policy_denies_restore_points(
    job: FailedJob | None,
    jobs: list[Job] | None,
    item: ProtectedItem | None,
    activity: list[ActivityEvent] | None,
    collections: list[RestorePointCollection] | None,
) -> Judgement:
    """No Azure Policy denies creating the resource group, the collection or the snapshot of a restore point.

    How it is measured: the log of a group is asked by the group's name, which is certain only once a collection exists.
    """
    said = said_of("azure_policy", job, jobs, item)
    if said.named is Named.IT:
        return problem(code=said.code, message=said.text)
    for event in activity or []:
        if _is_denial(event):
            return problem("denied", operation=event["operation"], message=event["message"] or "")
    if said.named is Named.ANOTHER:
        return ok("another_fault", code=said.code)
    if said.named is Named.NO_FAILURE:
        return ok("nothing_failed")
    if activity is None or said.named is Named.UNREAD:
        return unknown()
    return ok() if collections else unknown("group_not_known")


def _is_denial(event: ActivityEvent) -> bool:
    """Denied by policy, and about restore points: the log also shows what was denied to others."""
    words = " ".join(event[key] or "" for key in ("operation", "code", "message", "resource_id")).lower()
    about = " ".join(event[key] or "" for key in ("operation", "resource_id", "message")).lower()
    denied = "policies/deny" in words or any(each.id == "policy_denies" for each in recognise(words, "platform"))
    return denied and any(word in about for word in _OF_RESTORE_POINTS)
