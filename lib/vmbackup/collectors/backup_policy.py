"""The backup policy: when it starts, how often, and what consistency it requires."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from vmbackup import clock
from vmbackup.arm.wire import inside, resource, text, texts, whole
from vmbackup.collectors.base import ABSENT, Answers, Ask, collector
from vmbackup.collectors.vault import vault_parts
from vmbackup.facts.backup import Policy, ProtectedItem, Protection

_DAY_H = 24
# An older response shows the type by its schedule only.
_TYPES = {"SimpleSchedulePolicy": "V1", "SimpleSchedulePolicyV2": "V2"}


@collector(
    "backup.policy",
    needs=("backup.protection", "backup.item"),
    actions=("Microsoft.RecoveryServices/Vaults/backupPolicies/read",),
)
def backup_policy(ask: Ask, protected: Protection, item: ProtectedItem) -> Answers:
    """The policy of the protected item."""
    name = item["policy_name"]
    if name is None:
        return {"backup.policy": ABSENT}
    subscription, group, vault_name = vault_parts(protected)
    found = ask.azure.backup(subscription).protection_policies.get(vault_name, group, name)
    return {"backup.policy": read_policy(found.as_dict())}


def read_policy(wire: object) -> Policy:
    """``GET backupPolicies/{name}``; Standard (V1) and Enhanced (V2) write their schedule in different places."""
    policy = resource(wire)
    properties = inside(policy, "properties")
    schedule = inside(properties, "schedulePolicy")
    names = inside(properties, "instantRPDetails")
    return {
        "name": text(policy, "name") or "",
        "type": text(properties, "policyType") or _TYPES.get(text(schedule, "schedulePolicyType") or ""),
        "frequency": text(schedule, "scheduleRunFrequency"),
        "days": texts(schedule, "scheduleRunDays") or texts(schedule, "weeklySchedule", "scheduleRunDays"),
        "times": _times(schedule),
        "interval_h": whole(schedule, "hourlySchedule", "interval"),
        "time_zone": text(properties, "timeZone"),
        "consistency": text(properties, "snapshotConsistencyType"),
        "instant_restore_days": whole(properties, "instantRpRetentionRangeInDays"),
        "restore_point_group_prefix": text(names, "azureBackupRGNamePrefix"),
        "restore_point_group_suffix": text(names, "azureBackupRGNameSuffix"),
    }


def _times(schedule: Any) -> list[str]:
    times = texts(schedule, "scheduleRunTimes")
    for part in ("dailySchedule", "weeklySchedule"):
        times = times or texts(schedule, part, "scheduleRunTimes")
    # The date is a dummy: only hour and minute count, in the policy's own zone.
    starts = [clock.parse(each) for each in times] or _window(inside(schedule, "hourlySchedule"))
    return [each.strftime("%H:%M") for each in starts if each]


def _window(hourly: Any) -> list[datetime | None]:
    """The starts of an hourly policy, its window's end among them; only the first where no window is given."""
    first = clock.parse(text(hourly, "scheduleWindowStartTime"))
    every, length = whole(hourly, "interval") or _DAY_H, whole(hourly, "scheduleWindowDuration") or 0
    hours = range(0, min(length, _DAY_H - 1) + 1, every) if every > 0 else [0]
    return [first + timedelta(hours=hour) for hour in hours] if first else []
