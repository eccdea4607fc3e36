"""What happened to the VM: the activity log before the first failure, and Resource Health."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial

from vmbackup import clock
from vmbackup.arm.call import gather
from vmbackup.arm.errors import cut
from vmbackup.arm.paging import Listing, read_list
from vmbackup.arm.wire import inside, resource, text
from vmbackup.collectors.base import Answers, Ask, collector, listed_fact
from vmbackup.facts.backup import FailedJob, Policy
from vmbackup.facts.vm import ActivityEvent, ResourceHealth, RestorePointCollection, VmModel

_BEFORE = timedelta(hours=24)
_AFTER = timedelta(hours=2)
_MOST = 1000


@collector(
    "vm.activity",
    optional=("backup.failed_job", "vm.restore_points", "backup.policy", "vm.model"),
    actions=("Microsoft.Insights/eventtypes/values/Read",),
)
def activity(
    ask: Ask,
    job: FailedJob | None,
    collections: list[RestorePointCollection] | None,
    policy: Policy | None,
    model: VmModel | None,
) -> Answers:
    """What was done in the resource groups of the VM and of its restore points in the 24 hours before the first
    failure, and while it failed."""
    start, end = window(job["first_failure"] if job else None, ask.now)
    span = f"eventTimestamp ge '{clock.stamp(start)}' and eventTimestamp le '{clock.stamp(end)}'"
    groups = {ask.target.resource_group, *restore_point_groups(collections, policy, model)}
    found = gather([partial(_events, ask, span, group) for group in sorted(groups)])
    listing = Listing([event for each in found for event in each.entries], any(each.is_cut for each in found))
    return {"vm.activity": listed_fact(listing, read_events(listing.entries))}


def window(first_failure: str | None, now: datetime) -> tuple[datetime, datetime]:
    """From when to when events matter: before the first failure and shortly after it, else the last day."""
    first = clock.parse(first_failure)
    return (first or now) - _BEFORE, min(first + _AFTER, now) if first else now


def read_events(wires: Sequence[object]) -> list[ActivityEvent]:
    """The events, newest first."""
    return sorted(map(read_event, wires), key=lambda event: event["time"], reverse=True)


def _events(ask: Ask, span: str, group: str) -> Listing:
    asked = f"{span} and resourceGroupName eq '{group}'"
    path = f"/subscriptions/{ask.target.subscription_id}/providers/Microsoft.Insights/eventtypes/management/values"
    return read_list(ask.arm, path, _MOST, **{"$filter": asked})


def restore_point_groups(
    collections: list[RestorePointCollection] | None, policy: Policy | None, model: VmModel | None
) -> list[str]:
    """Where the VM's restore points are kept, or, if there are none, where Azure Backup would create the first."""
    if collections:
        return [each["resource_group"] for each in collections]
    if policy and policy["restore_point_group_prefix"]:
        return [f"{policy['restore_point_group_prefix']}1{policy['restore_point_group_suffix'] or ''}"]
    return [f"AzureBackupRG_{model['location']}_1"] if model else []


def read_event(wire: object) -> ActivityEvent:
    """One event; the reason of a failure is text inside ``properties.statusMessage``."""
    event = resource(wire)
    message = text(event, "properties", "statusMessage") or text(event, "description")
    return {
        "time": clock.stamp(text(event, "eventTimestamp")) or "",
        "operation": text(event, "operationName", "value") or "",
        "status": text(event, "status", "value"),
        "caller": text(event, "caller"),
        "resource_id": text(event, "resourceId") or text(event, "resourceUri"),
        "code": text(event, "subStatus", "value") or text(event, "properties", "statusCode"),
        "message": cut(message) if message else None,
    }


@collector("vm.health", actions=("Microsoft.ResourceHealth/availabilityStatuses/read",))
def health(ask: Ask) -> Answers:
    """What Resource Health says of the VM now."""
    found = ask.azure.health.availability_statuses.get_by_resource(ask.target.vm_id.lstrip("/"))
    return {"vm.health": read_health(found.as_dict())}


def read_health(wire: object) -> ResourceHealth:
    """``GET availabilityStatuses/current``."""
    properties = inside(resource(wire), "properties")
    return {
        "state": text(properties, "availabilityState") or "Unknown",
        "reason": text(properties, "reasonType") or text(properties, "title"),
        "summary": text(properties, "summary"),
        "since": clock.stamp(text(properties, "occuredTime") or text(properties, "occurredTime")),
    }
