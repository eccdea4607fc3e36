"""Backup policies."""

from __future__ import annotations

from azuresim import defaults, effects
from azuresim.answer import Answer, Json, Refused, ok
from azuresim.handlers.vaults import VAULT
from azuresim.odata import equals
from azuresim.routing import Request, route
from azuresim.world import World

_RIGHT = "Microsoft.RecoveryServices/Vaults/backupPolicies"


@route("GET", VAULT + "/backupPolicies", _RIGHT + "/read")
def list_policies(request: Request) -> Answer:
    """All policies of a vault."""
    wanted = equals(request.query.get("$filter", "")).get("backupmanagementtype", "AzureIaasVM")
    known = {name: (world, policy) for world in request.candidates for name, policy in world.policies.items()}
    policies = known.values() if wanted == "AzureIaasVM" else []
    return request.page([policy_json(world, policy) for world, policy in policies])


@route("GET", VAULT + "/backupPolicies/{policy}", _RIGHT + "/read")
def get_policy(request: Request) -> Answer:
    """One policy."""
    return ok(policy_json(request.world, _find(request)))


@route("PUT", VAULT + "/backupPolicies/{policy}", _RIGHT + "/write")
def put_policy(request: Request) -> Answer:
    """Change a policy or add one; what the world knows of a policy is read from the body."""
    given = request.body.get("properties", {})
    schedule = given.get("schedulePolicy", {})
    daily = schedule.get("dailySchedule") or schedule
    times = [text[11:16] for text in daily.get("scheduleRunTimes") or []]
    name = request.params["policy"]
    known = {key.lower(): key for key in request.world.policies}
    policy = request.world.policies.get(known.get(name.lower(), ""), defaults.policy({"name": name}))
    policy["type"] = given.get("policyType") or policy["type"]
    policy["time_zone"] = given.get("timeZone") or policy["time_zone"]
    policy["times"] = times or policy["times"]
    policy["consistency"] = given.get("snapshotConsistencyType") or ""
    request.world.policies[policy["name"]] = policy
    effects.apply(request.world, request.world.machines[0], "policy_changed")
    return ok(policy_json(request.world, policy))


def _find(request: Request) -> Json:
    for name, policy in request.world.policies.items():
        if name.lower() == request.params["policy"].lower():
            return policy
    raise Refused(404, "BMSUserErrorPolicyNotFound", f"The policy '{request.params['policy']}' was not found.")


def policy_json(world: World, policy: Json) -> Json:
    """A policy on the wire. Times carry a dummy date."""
    times = [f"2026-02-11T{text}:00Z" for text in policy["times"]]
    enhanced = policy["type"] == "V2"
    details = {}
    if policy["rg_prefix"]:
        details["azureBackupRGNamePrefix"] = policy["rg_prefix"]
    if policy["rg_suffix"]:
        details["azureBackupRGNameSuffix"] = policy["rg_suffix"]
    properties: Json = {
        "backupManagementType": "AzureIaasVM",
        "policyType": policy["type"],
        "instantRPDetails": details,
        "schedulePolicy": _enhanced(policy, times) if enhanced else _standard(policy, times),
        "retentionPolicy": {
            "retentionPolicyType": "LongTermRetentionPolicy",
            "dailySchedule": {"retentionTimes": times, "retentionDuration": {"count": 30, "durationType": "Days"}},
        },
        "instantRpRetentionRangeInDays": policy["instant_days"],
        "timeZone": policy["time_zone"],
        "protectedItemsCount": sum(machine["item"] is not None for machine in world.machines),
    }
    if policy["consistency"]:
        properties["snapshotConsistencyType"] = policy["consistency"]
    return {
        "id": f"{world.vault_id}/backupPolicies/{policy['name']}",
        "name": policy["name"],
        "type": "Microsoft.RecoveryServices/vaults/backupPolicies",
        "properties": properties,
    }


def _standard(policy: Json, times: list[str]) -> Json:
    schedule = {
        "schedulePolicyType": "SimpleSchedulePolicy",
        "scheduleRunFrequency": policy["frequency"],
        "scheduleRunTimes": times,
        "scheduleWeeklyFrequency": 0,
    }
    return schedule | ({"scheduleRunDays": policy["days"]} if policy["frequency"] == "Weekly" else {})


def _enhanced(policy: Json, times: list[str]) -> Json:
    schedule: Json = {
        "schedulePolicyType": "SimpleSchedulePolicyV2",
        "scheduleRunFrequency": policy["frequency"],
    }
    if policy["frequency"] == "Hourly":
        schedule["hourlySchedule"] = {
            "interval": policy["interval_h"],
            "scheduleWindowStartTime": times[0],
            "scheduleWindowDuration": policy["window_h"],
        }
    elif policy["frequency"] == "Weekly":
        schedule["weeklySchedule"] = {"scheduleRunDays": policy["days"], "scheduleRunTimes": times}
    else:
        schedule["dailySchedule"] = {"scheduleRunTimes": times}
    return schedule
