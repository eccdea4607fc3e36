"""Addition: restore points of the VM are at their limit, or a lock keeps old ones from being removed."""

from __future__ import annotations

from vmbackup.checks.base import Judgement, check, ok, problem, unknown
from vmbackup.checks.shared.named_fault import Named, said_of
from vmbackup.facts.backup import FailedJob, Job, Policy, ProtectedItem
from vmbackup.facts.vm import Lock, RestorePointCollection

INSTANT_RESTORE_POINTS_MOST = 18
"""T1, SM: instant restore points of one VM."""
_GROUP_PREFIX = "azurebackuprg_"


@check("vm.restore_points", optional=("backup.failed_job", "backup.jobs", "backup.item"))
def restore_points_are_below_the_limit(
    collections: list[RestorePointCollection] | None,
    job: FailedJob | None,
    jobs: list[Job] | None,
    item: ProtectedItem | None,
) -> Judgement:
    """The VM has fewer instant restore points than Azure Backup allows."""
    counts = [collection["restore_points"] for collection in collections or []]
    count = sum(each or 0 for each in counts)
    if count >= INSTANT_RESTORE_POINTS_MOST:
        return problem(count=count, limit=INSTANT_RESTORE_POINTS_MOST)
    if None in counts:
        return unknown(count=count)
    if said_of("restore_points", job, jobs, item).named is Named.IT:
        return unknown("named_but_below", count=count, limit=INSTANT_RESTORE_POINTS_MOST)
    return ok(count=count, limit=INSTANT_RESTORE_POINTS_MOST)


@check("vm.locks", "vm.restore_points", optional=("backup.policy",))
def no_lock_blocks_restore_points(
    locks: list[Lock] | None, collections: list[RestorePointCollection] | None, policy: Policy | None
) -> Judgement:
    """No lock covers the place where the VM's restore points live.

    Why: a lock there keeps Azure Backup from removing old restore points, until their number is at the limit. A lock on
    the VM, or on a resource group without restore points, harms no backup.
    """
    for lock in locks or []:
        scope = lock["scope"].rstrip("/")
        shown = {"lock": lock["name"], "level": lock["level"], "scope": scope}
        if any(_covers(scope, collection["id"]) for collection in collections or []):
            return problem(**shown)
        if not collections and _is_such_a_group(scope, policy):
            return unknown("no_collection_yet", **shown)
    return ok()


def _covers(scope: str, resource_id: str) -> bool:
    return f"{resource_id.lower()}/".startswith(f"{scope.lower()}/")


def _is_such_a_group(scope: str, policy: Policy | None) -> bool:
    """Whether the scope is a resource group that Azure Backup makes for restore points."""
    parts = scope.lower().strip("/").split("/")
    if len(parts) != 4 or parts[2] != "resourcegroups":
        return False
    own = ((policy["restore_point_group_prefix"] if policy else None) or "").lower()
    return parts[3].startswith(_GROUP_PREFIX) or (bool(own) and parts[3].startswith(own))
