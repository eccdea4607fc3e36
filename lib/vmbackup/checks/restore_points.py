"""Addition: restore points of the VM are at their limit, or a lock keeps old ones from being removed."""

from __future__ import annotations

from vmbackup.catalog.knowledge import number
from vmbackup.checks.base import Judgement, check, ok, problem, unknown
from vmbackup.facts.backup import Policy
from vmbackup.facts.vm import Lock, RestorePointCollection

_GROUP_PREFIX = "azurebackuprg_"


@check(
    "vm.restore_points",
    optional=("backup.policy",),
    knows=("standard_restore_points_most", "enhanced_instant_days_most"),
    sees=("restore_point_limit",),
)
def restore_points_are_below_the_limit(
    collections: list[RestorePointCollection] | None, policy: Policy | None
) -> Judgement:
    """The VM has fewer instant restore points of Azure Backup than its policy allows.

    Why: the Standard policy keeps few; under the Enhanced one their number follows from its interval and its days, and
    42 are usual. Restore points that others made of the VM do not count.
    """
    counts = [each["restore_points"] for each in collections or [] if _is_backups(each, policy)]
    count = sum(each or 0 for each in counts)
    if None in counts:
        return unknown(count=count)
    limit = number("standard_restore_points_most")
    if count < limit:
        return ok(count=count, limit=limit)
    kind = ((policy["type"] if policy else None) or "").upper()
    if policy is None or kind not in ("V1", "V2"):
        return unknown("policy_unknown", count=count, limit=limit)
    if kind == "V1":
        return problem(count=count, limit=limit)
    wanted = _wanted(policy)
    return ok("enhanced", count=count, wanted=wanted) if wanted and count <= wanted else unknown("many", count=count)


def _wanted(policy: Policy) -> int | None:
    """How many restore points an Enhanced policy keeps: those of its days, and of one day that is not over."""
    days, every = policy["instant_restore_days"], policy["interval_h"] or 24
    return (days + 1) * 24 // every if days and every > 0 else None


def _is_backups(collection: RestorePointCollection, policy: Policy | None) -> bool:
    """Whether this is Azure Backup's own collection: by its name, or by the resource group that it keeps them in."""
    group = collection["resource_group"].lower()
    own = ((policy["restore_point_group_prefix"] if policy else None) or _GROUP_PREFIX).lower()
    return collection["name"].lower().startswith("azurebackup_") or group.startswith((_GROUP_PREFIX, own))


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
        own = [each for each in collections or [] if _is_backups(each, policy)]
        if any(_covers(scope, collection["id"]) for collection in own):
            return problem(**shown)
        if not own and _is_such_a_group(scope, policy):
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
