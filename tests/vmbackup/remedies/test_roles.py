"""Each capability works with exactly its role, and with one action less fails by that action's name."""

from __future__ import annotations

import json

import pytest

from cures import CURES
from remedy_worlds import opened
from saying import refused, sentence
from vmbackup.arm.client import Arm
from vmbackup.arm.errors import RequestRefused, ResponseLost
from vmbackup.arm.permissions import Permission, lacking
from vmbackup.catalog import remedies as catalogue
from vmbackup.diagnosis import diagnose
from vmbackup.model import FactStatus, RemedyRefused, RunbookError
from vmbackup.pages import remedies as pages
from vmbackup.remedies import roles
from vmbackup.remedies.executor import execute
from vmbackup.remedies.retry.back_up_now import back_up_now

ACTIONS = roles.actions()
# A world in which the remedy is the first to apply and needs all of its rights.
WORLDS = {remedies[0]: world for world, remedies in CURES.items()} | {
    "remove_backup_extension": "handler_not_ready_linux",
    "add_storage_service_endpoint": "no_internet_route",
    "clear_backup_extension_linux": "extension_failed_linux",
}
TESTED = [name for name in ACTIONS if name in WORLDS]
# Where one right is missing, another question answers instead.
NIC = "Microsoft.Network/networkInterfaces"
FALLBACKS = {
    f"{NIC}/effectiveNetworkSecurityGroups/action": "Microsoft.Network/networkSecurityGroups/read",
    f"{NIC}/effectiveRouteTable/action": "Microsoft.Network/routeTables/read",
}


def outcome(case, plan):
    try:
        receipt = execute(plan, case.context, 0.5, None)
    except (RequestRefused, ResponseLost, RemedyRefused) as error:
        return str(error)
    return receipt.outcome if receipt.cured or receipt.code == "no_outcome" else receipt.message


@pytest.mark.parametrize("remedy", TESTED)
def test_a_remedy_works_with_exactly_its_role_and_with_one_action_less_fails_by_that_actions_name(remedy, tmp_path):
    """The plan is made once; each try has a world of its own, in which it is as good."""
    with opened(WORLDS[remedy], tmp_path / "plan") as case:
        plan = case.plan(remedy)
    said = {}
    for number, missing in enumerate([None, *ACTIONS[remedy]]):
        with opened(WORLDS[remedy], tmp_path / str(number)) as case:
            case.world.spec["permissions"] = {"allow": [each for each in ACTIONS[remedy] if each != missing]}
            said[missing] = outcome(case, plan)
    assert said.pop(None) in ("done", "no_outcome", "unknown")
    assert {action: words for action, words in said.items() if f"'{action}'" not in words} == {}


def test_the_retry_works_with_exactly_its_role(tmp_path):
    with opened("healthy_linux", tmp_path) as case:
        evidence = case.look()
        case.world.spec["permissions"] = {"allow": roles.role("diagnose+retry", "sub")["Actions"]}
        assert back_up_now(case.context, case.target, evidence).fixed


def test_diagnosis_works_with_exactly_its_role_and_says_which_right_is_missing(tmp_path):
    with opened("healthy_linux", tmp_path, restore_points={"count": 3}) as case:
        case.world.spec["permissions"] = {"allow": list(ACTIONS["diagnose"])}
        evidence = case.look()
        assert [name for name, fact in evidence.items() if fact.status is FactStatus.DENIED] == []
        for action in ACTIONS["diagnose"]:
            less = {action, FALLBACKS.get(action, action)}
            if action in FALLBACKS.values() or action == "Microsoft.Compute/virtualMachines/instanceView/read":
                continue
            case.world.spec["permissions"] = {"allow": [each for each in ACTIONS["diagnose"] if each not in less]}
            evidence = case.look()
            denied = {fact.details["action"].lower() for fact in evidence.values() if fact.status is FactStatus.DENIED}
            by_graph = (
                evidence["backup.protection"].data and evidence["backup.protection"].data["via"] == "resource_graph"
            )
            routes = evidence["network.routes"]
            by_objects = "effectiveRouteTable" in action and routes.data and routes.data["source"] == "objects"
            assert denied & {each.lower() for each in less} or by_graph or by_objects, action


def test_the_json_is_what_az_reads():
    made = json.loads(roles.as_json("retry", "sub"))
    assert made["IsCustom"] is True
    assert made["AssignableScopes"] == ["/subscriptions/sub"]
    assert set(made["Actions"]) == set(ACTIONS["retry"])
    assert not any("*" in action for actions in ACTIONS.values() for action in actions)


def test_the_bicep_names_every_action():
    text = roles.as_bicep("remove_backup_extension")
    assert text.count("{") == text.count("}")
    assert all(f"'{action}'" in text for action in ACTIONS["remove_backup_extension"])


def test_an_unknown_capability_names_those_there_are():
    with refused("diagnose_guest"):
        roles.as_json("everything", "sub")


def test_one_role_can_hold_several_capabilities_and_is_enough_to_apply_a_remedy(tmp_path):
    with opened("extension_failed_linux", tmp_path) as case:
        made = roles.role("diagnose+remove_backup_extension", "sub")
        case.world.spec["permissions"] = {"allow": made["Actions"]}
        plan = case.plan("remove_backup_extension")
        assert case.apply(plan).outcome == "done"


@pytest.mark.parametrize("remedy", [name for name, entry in catalogue.remedies().items() if entry["actions"]])
def test_every_remedy_with_rights_has_its_role_in_both_forms(remedy):
    assert json.loads(roles.as_json(remedy, "sub"))["Actions"] == sorted(catalogue.remedies()[remedy]["actions"])
    assert roles.as_bicep(remedy).count("'Microsoft.") == len(catalogue.remedies()[remedy]["actions"]) + 1


def test_a_remedy_in_the_guest_alone_takes_no_right():
    with refused("needs no right"):
        roles.as_bicep("install_dotnet")


def test_preflight_names_the_causes_that_only_the_guest_could_tell(tmp_path):
    with opened("healthy_linux", tmp_path) as case:
        case.world.spec["permissions"] = {"deny": ["Microsoft.Compute/virtualMachines/runCommand/action"]}
        found = roles.missing_rights(Arm.on(case.azure), case.target, None)
        rows = {row.capability: row for row in found}
        assert rows["diagnose"].missing == ()
        assert {"agent_linux", "file_system_freeze"} <= set(rows["diagnose_guest"].unknown)
        assert rows["update_guest_agent_linux"].refused == ("agent_linux",)


def test_preflight_says_what_will_be_unknown_and_what_refused(tmp_path):
    with opened("healthy_linux", tmp_path) as case:
        denied = ["Microsoft.Network/networkInterfaces/read", "Microsoft.Compute/virtualMachines/extensions/delete"]
        case.world.spec["permissions"] = {"deny": denied}
        vault = case.world.vault_id
        found = roles.missing_rights(Arm.on(case.azure), case.target, vault)
        rows = {row.capability: row for row in found}
        assert rows["diagnose"].missing == (denied[0],)
        assert "no_internet" in rows["diagnose"].unknown
        assert rows["remove_backup_extension"].missing == (denied[1],)
        assert rows["retry"].missing == ()
        assert "wird abgelehnt" in pages.rights(found, "de").text()


def told(place, *actions, status=200):
    """What the permissions API says at a place."""
    body = json.dumps({"value": [{"actions": list(actions), "notActions": [], "dataActions": ["*"]}]})
    return {"match": f"GET {place}/providers/Microsoft.Authorization/permissions$", "mode": "plain", "status": status,
            "body": body, "headers": {"Content-Type": "application/json"}}  # fmt: skip


SUBSCRIPTION = "/subscriptions/[^/]+"


def preflight(case):
    found = roles.missing_rights(Arm.on(case.azure), case.target, case.world.vault_id, case.look())
    assert not isinstance(found, RunbookError)
    return {row.capability: row for row in found}


def test_preflight_counts_rights_where_the_resources_are(tmp_path):
    with opened("healthy_linux", tmp_path, faults=[told(SUBSCRIPTION), told("", "*")]) as case:
        found = preflight(case)
        assert found["allow_storage_in_nsg"].missing == ()
        assert found["move_data_to_smaller_disks"].missing == ()
        assert not any(each.startswith("Microsoft.Network") for each in found["diagnose"].missing)
        assert "Microsoft.Insights/metrics/read" not in found["diagnose"].missing
        assert "Microsoft.Authorization/locks/read" in found["diagnose"].missing


def test_preflight_says_what_it_knows_where_a_place_does_not_tell(tmp_path):
    with opened("healthy_linux", tmp_path, faults=[told(SUBSCRIPTION, status=403), told("", "*")]) as case:
        found = preflight(case)
        assert found["restart_vm"].missing == found["restart_vm"].unreadable == ()
        assert found["diagnose"].missing == ()
        assert "Microsoft.Authorization/locks/read" in found["diagnose"].unreadable
        assert "locks/read" in pages.rights(list(found.values()), "de").text()


@pytest.mark.parametrize("scenario", ["no_internet_linux", "no_internet_route", "healthy_linux"])
def test_preflight_calls_nothing_unknown_that_a_reader_finds_out(tmp_path, scenario):
    with opened(scenario, tmp_path, permissions={"allow": ["*/read"]}) as case:
        unknown = preflight(case)["diagnose"].unknown
        verdicts = {step.cause: step.verdict for step in diagnose("internal_error", case.look()).steps}
        assert [cause for cause in unknown if verdicts[cause] != "unknown"] == []


def test_preflight_says_so_when_the_rights_cannot_be_read(tmp_path):
    refused = [{"match": "GET .*/permissions", "status": 403, "code": "AuthorizationFailed", "message": "no"}]
    with opened("healthy_linux", tmp_path, faults=refused) as case:
        found = roles.missing_rights(Arm.on(case.azure), case.target, None)
        assert "AuthorizationFailed" in sentence(found)
        assert pages.rights(found, "en").text()


@pytest.mark.parametrize(
    ("permission", "action", "granted"),
    [
        (Permission(("*",)), "Microsoft.A/b/read", True),
        (Permission(("*/read",)), "Microsoft.A/b/read", True),
        (Permission(("*/read",)), "Microsoft.A/b/action", False),
        (Permission(("*",), ("Microsoft.A/*/delete",)), "Microsoft.A/b/delete", False),
        (Permission(("microsoft.a/B/READ",)), "Microsoft.A/b/read", True),
        (Permission(("Microsoft.A.b",)), "Microsoft.AXb", False),
        (Permission(()), "Microsoft.A/b/read", False),
    ],
)
def test_a_grant_holds_what_its_wildcards_say_less_its_exceptions(permission, action, granted):
    assert (lacking([action], [permission]) == ()) is granted
