"""A plan that was agreed to is done once, verified and noted; all else is refused or found out by looking."""

from __future__ import annotations

import json
import re
import time
from dataclasses import replace

import pytest

from attacks.children import CONTEXT, Child
from in_process import near
from remedy_worlds import change_context, opened, problems
from vmbackup.arm.audit import allow_changes
from vmbackup.catalog import remedies as catalogue
from vmbackup.checks.base import load, run
from vmbackup.collectors import collect
from vmbackup.model import Fact, FactStatus, RemedyRefused, Step
from vmbackup.pages import remedies as pages
from vmbackup.remedies.apply import Consent, allowed, apply, close_superseded
from vmbackup.remedies.plan import facts_to_recollect, merge_fresh
from vmbackup.remedies.plan import plan as plan_for
from vmbackup.remedies.receipt import Receipt
from vmbackup.remedies.retry.back_up_now import back_up_now
from vmbackup.remedies.steps.registry import requests
from vmbackup.runs.folder import RunFolder

EXTENSION = "remove_backup_extension"


def yes(plan):
    return Consent.for_plan(plan)


def test_the_receipt_says_who_when_what_before_and_after(tmp_path):
    with opened("extension_failed_linux", tmp_path) as case:
        plan = case.plan(EXTENSION)
        receipt = case.apply(plan)
        assert receipt.outcome == "done"
        assert receipt.cured
        assert receipt.who == case.azure.who() != "unknown"
        assert receipt.started_at.startswith("2026-11-23T03:")
        assert receipt.before["provisioning_state"] == "Failed"
        assert receipt.after["provisioning_state"] == "absent"
        (row,) = case.audited()
        assert row["request_id"] in receipt.request_ids
        assert (row["method"], row["why"], row["outcome"]) == ("DELETE", EXTENSION, "succeeded")
        assert case.context.journal.receipts()[0].outcome == "done"
        assert case.context.journal.unfinished() == []
        assert EXTENSION in pages.audit(case.audited(), "de").text() or row["resource"]
        assert "Erledigt" in pages.receipt(receipt, "de").text() or "erledigt" in pages.receipt(receipt, "de").text()


def test_what_is_no_problem_any_more_is_not_done_again(tmp_path):
    with opened("extension_failed_linux", tmp_path) as case:
        plan, before = case.plan(EXTENSION), case.evidence
        case.apply(plan)
        case.evidence = before
        with pytest.raises(RemedyRefused, match="problem is gone"):
            case.apply(plan)
        assert case.sent("DELETE", "/extensions/") == 1


@pytest.mark.parametrize(
    ("remedies", "max_risk", "said"),
    [("", "high", "does not name"), ("other", "high", "does not name"), (EXTENSION, "low", "max_risk allows low")],
)
def test_headless_only_what_the_parameters_name_up_to_the_risk(tmp_path, remedies, max_risk, said):
    with opened("extension_failed_linux", tmp_path) as case:
        plan = case.plan(EXTENSION)
        with pytest.raises(RemedyRefused, match=said):
            case.apply(plan, Consent.from_parameters(remedies, max_risk))
        assert case.sent("DELETE", "") == 0
        assert case.audited() == []


def test_headless_what_is_named_within_the_risk_is_done(tmp_path):
    with opened("extension_failed_linux", tmp_path) as case:
        allowed = Consent.from_parameters(f"restart_vm, {EXTENSION}", "medium")
        assert case.apply(case.plan(EXTENSION), allowed).outcome == "done"


def test_headless_the_rest_is_only_shown(tmp_path):
    with opened("extension_failed_linux", tmp_path) as case:
        plans = case.plans()
        assert allowed(plans, Consent.from_parameters("", "high")) == []
        chosen = allowed(plans, Consent.from_parameters(f"{EXTENSION},restore_consistency", "medium"))
        assert [each.remedy for each in chosen] == [EXTENSION]


def test_a_risk_that_does_not_exist_is_refused():
    with pytest.raises(RemedyRefused, match="max_risk"):
        Consent.from_parameters("x", "huge")


def test_a_dead_agent_keeps_the_extension_where_it_is(tmp_path):
    with opened("two_s1_agent_unreachable_linux", tmp_path) as case:
        plan = case.plan(EXTENSION)
        with pytest.raises(RemedyRefused, match="goes through the agent"):
            case.apply(plan)
        assert case.sent("DELETE", "") == 0


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"vm": {"power": "stopped"}}, "PowerState/stopped"),
        ({"agent": {"state": "not_ready", "message": "VM Agent is unresponsive."}}, "goes through the agent"),
    ],
)
def test_what_died_since_the_plan_was_made_is_noticed_before_anything_is_sent(tmp_path, changes, said):
    with opened("extension_failed_linux", tmp_path) as case:
        plan = case.plan(EXTENSION)
        with opened("extension_failed_linux", tmp_path, **changes) as now:
            with pytest.raises(RemedyRefused, match=said):
                now.apply(plan)
            assert now.sent("DELETE", "") == 0


def test_a_missing_right_is_named_before_anything_is_sent(tmp_path):
    with opened("extension_failed_linux", tmp_path) as case:
        plan = case.plan(EXTENSION)
        case.world.spec["permissions"] = {"deny": ["Microsoft.Compute/virtualMachines/extensions/delete"]}
        with pytest.raises(RemedyRefused, match="Microsoft.Compute/virtualMachines/extensions/delete"):
            case.apply(plan)
        assert case.sent("DELETE", "") == 0


def test_a_resource_guard_is_respected(tmp_path):
    with opened("protection_stopped_linux", tmp_path, resource_guard=True) as case:
        plan = case.plan("resume_protection")
        with pytest.raises(RemedyRefused, match="Resource Guard"):
            case.apply(plan)
        assert case.sent("PUT", "") == 0


def test_nothing_is_changed_while_somebody_else_changes_the_vm(tmp_path):
    with opened("agent_stopped_linux", tmp_path) as case:
        plan = case.plan("restart_vm")
        case.world.machines[0]["vm"]["provisioning_state"] = "Updating"
        with pytest.raises(RemedyRefused, match=r"being changed \(Updating\)"):
            case.apply(plan)
        assert case.changing() == []


@pytest.mark.parametrize(
    ("world", "remedy", "resource"),
    [
        ("no_internet_linux", "allow_storage_in_nsg", "/networkSecurityGroups/"),
        ("no_internet_route", "add_storage_route", "/routeTables/"),
    ],
)
def test_nothing_is_changed_while_somebody_else_changes_the_resource(tmp_path, world, remedy, resource):
    there = near(world)
    evidence = collect(there.azure, there.target, deadline_s=20)
    chosen = next(
        each
        for step in problems(evidence)
        for each in plan_for(step, evidence, there.target, "en")
        if each.remedy == remedy
    )
    there.loopback.damage = lambda line, sent: (
        replace(sent, data=sent.data.replace(b'"Succeeded"', b'"Updating"'), promised=None)
        if re.fullmatch(f"GET .*{resource}[^/]+", line)
        else sent
    )
    context = change_context(there.azure, RunFolder(tmp_path))
    with pytest.raises(RemedyRefused, match=r"is being changed right now \(Updating\)"):
        apply(chosen, evidence, context, yes(chosen))
    assert not any(line.startswith(("PUT", "PATCH", "DELETE")) for line in there.loopback.requests)


def test_nothing_that_breaks_a_backup_is_done_once_one_has_begun(tmp_path):
    with opened("agent_stopped_linux", tmp_path) as case:
        plan = case.plan("restart_vm")
        job = {**case.world.machines[0]["jobs"][0], "name": "begun", "status": "InProgress", "start": case.world.now}
        case.world.machines[0]["jobs"].insert(0, job)
        with pytest.raises(RemedyRefused, match="backup begun is running"):
            case.apply(plan)
        assert case.changing() == []


def go_on(case):
    """What Azure does meanwhile: it proceeds with everything that it accepted."""
    return lambda: [operation.poll() for operation in case.simulator.azure.operations.known.values()]


def end(case):
    """Azure ends everything that it accepted."""
    for _ in range(20):
        go_on(case)()


def test_an_answer_lost_after_azure_accepted_the_delete_is_found_out_by_looking(tmp_path):
    lost = [{"match": "DELETE .*/extensions/", "mode": "cut_off", "times": 1}]
    with opened("extension_failed_linux", tmp_path, faults=lost) as case:
        plan = case.plan(EXTENSION)
        receipt = case.apply(plan, deadline_s=60, on_wait=go_on(case))
        assert receipt.outcome == "done"
        assert receipt.after["provisioning_state"] == "absent"
        assert case.sent("DELETE", "/extensions/") == 1


def test_a_lost_answer_that_looking_does_not_settle_stays_open_for_the_next_run(tmp_path):
    lost = [{"match": "DELETE .*/extensions/", "mode": "cut_off", "times": 1}]
    with opened("extension_failed_linux", tmp_path, faults=lost) as case:
        plan = case.plan(EXTENSION)
        assert case.apply(plan, deadline_s=0.1).outcome == "unknown"
        (left,) = case.resumed().undecided
        with pytest.raises(RemedyRefused, match="it is not known whether"):
            case.apply(plan, deadline_s=5)
        assert case.context.journal.unfinished(EXTENSION, plan.resource) == [left]
        end(case)
        assert [why for _, why in case.resumed().superseded] == ["problem_gone"]
        assert case.sent("DELETE", "/extensions/") == 1


SQL = {"services": [{"name": "MSSQLSERVER", "state": "Running"}], "use_vss_copy_backup": False, "bcdr_agent": {}}
PROVIDER = {"IaaSVmProvider": {"exists": True, "state": "Stopped", "start": "Disabled", "path_ok": True,
                               "account": None}}  # fmt: skip


def guest_fact(name, data, at):
    return {"guest.probe": Fact(FactStatus.OK, {}, taken_at=at), name: Fact(FactStatus.OK, data, taken_at=at)}


@pytest.mark.parametrize(
    ("scenario", "remedy", "check", "facts"),
    [
        ("snapshot_sql_windows", "set_vss_copy_backup", "sql_backup_uses_vss_copy", ("guest.sql", SQL)),
        (
            "extension_provider_windows",
            "enable_backup_provider",
            "backup_provider_service_can_start",
            ("guest.services", PROVIDER),
        ),
    ],
)
def test_what_only_the_guest_shows_is_cured_by_its_script_and_proven(tmp_path, scenario, remedy, check, facts):
    with opened(scenario, tmp_path) as case:
        chosen = guest_plan(case, remedy, check, facts, "2026-11-23T02:59:00Z")
        assert back_up_now(case.context, case.target, case.evidence).reason == "failed_again"
        assert case.apply(chosen, deadline_s=60).outcome == "done"
        assert back_up_now(case.context, case.target, case.evidence).fixed


def guest_plan(case, remedy, check, facts, at):
    """The plan for what only the guest said, at this time."""
    evidence = case.evidence = {**case.look(), **guest_fact(*facts, at)}
    shown = Step(1, load()[check].cause, False, (run(load()[check], evidence, "windows"),))
    return next(each for each in plan_for(shown, evidence, case.target, "en") if each.remedy == remedy)


def test_what_the_guest_said_on_another_day_is_no_reason_to_change_it(tmp_path):
    with opened("snapshot_sql_windows", tmp_path) as case:
        facts = ("guest.sql", SQL)
        old = guest_plan(case, "set_vss_copy_backup", "sql_backup_uses_vss_copy", facts, "2026-11-20T03:00:00Z")
        with pytest.raises(RemedyRefused, match="72 h old"):
            case.apply(old)
        assert case.changing() == []


def test_an_operation_that_fails_ends_in_a_failed_receipt_with_azures_words(tmp_path):
    fails = [{"match": "DELETE .*/extensions/", "mode": "operation_failed", "code": "VMExtensionProvisioningTimeout",
              "message": "It timed out."}]  # fmt: skip
    with opened("extension_failed_linux", tmp_path, faults=fails) as case:
        plan = case.plan(EXTENSION)
        receipt = case.apply(plan)
        assert (receipt.outcome, receipt.code, receipt.message) == (
            "failed",
            "VMExtensionProvisioningTimeout",
            "It timed out.",
        )
        assert case.audited()[0]["outcome"] == "failed"
        assert case.context.journal.unfinished() == []


def test_a_refusal_by_azure_ends_in_a_failed_receipt(tmp_path):
    refused = [{"match": "POST .*/reapply", "status": 409, "code": "Conflict", "message": "Busy."}]
    with opened("vm_provisioning_failed_linux", tmp_path, faults=refused) as case:
        plan = case.plan("reapply_vm")
        receipt = case.apply(plan)
        assert (receipt.outcome, receipt.code) == ("failed", "Conflict")


def test_throttling_is_waited_for_and_not_counted_as_done(tmp_path):
    busy = [{"match": "POST .*/reapply", "status": 429, "headers": {"Retry-After": "1"}, "times": 1}]
    with opened("vm_provisioning_failed_linux", tmp_path, faults=busy) as case:
        plan = case.plan("reapply_vm")
        assert case.apply(plan).outcome == "done"
        assert [row["outcome"] for row in case.audited()] == ["refused", "succeeded"]


def test_a_never_ending_operation_stays_open_and_is_not_sent_again(tmp_path):
    never = [{"match": "POST .*/restart", "mode": "never_ending", "times": 1}]
    with opened("agent_stopped_linux", tmp_path, faults=never) as case:
        plan = case.plan("restart_vm")
        receipt = case.apply(plan, deadline_s=0.1)
        assert (receipt.outcome, receipt.code) == ("unknown", "timeout")
        (open_,) = case.context.journal.unfinished("restart_vm", plan.resource)
        assert "/operations/" in open_.accepted[0]
        again = case.apply(plan, deadline_s=0.1)
        assert again.continued
        assert case.sent("POST", "/restart") == 1


@pytest.mark.parametrize("spoilt", ["{}", '{"remedy": "restart_vm"}', '{"remedy": "res', "[1]"])
def test_a_spoilt_line_among_the_receipts_hides_no_receipt(tmp_path, spoilt):
    receipt = Receipt("restart_vm", "/vm", "done", "me", None, None, ("1",), {}, {})
    (tmp_path / "receipts.jsonl").write_text(f"{spoilt}\n{json.dumps(receipt.as_json())}\n{spoilt}\n")
    assert RunFolder(tmp_path).journal.receipts() == [receipt]


def test_a_restart_whose_answer_was_lost_is_not_repeated(tmp_path):
    lost = [{"match": "POST .*/restart", "mode": "cut_off", "times": 1}]
    with opened("agent_stopped_linux", tmp_path, faults=lost) as case:
        plan = case.plan("restart_vm")
        assert case.apply(plan).outcome == "unknown"
        again = case.apply(plan)
        assert again.outcome == "unknown"
        assert case.sent("POST", "/restart") == 1


def test_an_accepted_change_that_cannot_be_followed_is_no_failed_one(tmp_path):
    refused = [{"match": "GET .*/operations/", "status": 403, "code": "AuthorizationFailed", "message": "no"}]
    with opened("extension_failed_linux", tmp_path, faults=refused) as case:
        plan = case.plan(EXTENSION)
        receipt = case.apply(plan)
        assert receipt.outcome == "unknown"
        assert "AuthorizationFailed" in receipt.message
        assert case.audited()[0]["outcome"] == "accepted"
        case.world.spec["faults"] = []
        end(case)
        with pytest.raises(RemedyRefused, match="problem is gone"):
            case.apply(plan)
        assert [each.outcome for each in case.context.journal.receipts()] == ["superseded"]
        assert case.sent("DELETE", "/extensions/") == 1


@pytest.mark.parametrize("fault", [{"status": 500, "code": "InternalServerError"}, {"mode": "plain", "status": 504}])
def test_a_server_that_fails_at_a_change_may_have_made_it(tmp_path, fault):
    with opened("extension_failed_linux", tmp_path, faults=[{"match": "DELETE ", "times": 1, **fault}]) as case:
        plan = case.plan(EXTENSION)
        receipt = case.apply(plan)
        assert receipt.outcome == "unknown"
        assert str(fault["status"]) in receipt.message
        assert case.audited()[0]["outcome"] == "unknown"
        assert case.apply(plan).outcome == "done"


def test_nothing_is_sent_while_azure_does_not_show_how_it_is(tmp_path):
    fails = [{"match": "GET .*/extensions/", "status": 503, "code": "ServerBusy", "message": "busy"}]
    with opened("extension_failed_linux", tmp_path) as case:
        plan = case.plan(EXTENSION)
        case.world.spec["faults"] = fails
        with pytest.raises(RemedyRefused, match=r"Nothing was changed.*ServerBusy"):
            case.apply(plan)
        assert case.sent("DELETE", "") == 0
        assert case.context.journal.unfinished() == []


@pytest.mark.parametrize("fault", [{"mode": "garbage"}, {"status": 404, "code": "NotFound"}])
def test_an_operation_that_azure_does_not_tell_of_is_no_success_and_no_reason_to_restart_again(tmp_path, fault):
    with opened("agent_stopped_linux", tmp_path, faults=[{"match": "GET .*/operations/", **fault}]) as case:
        plan = case.plan("restart_vm")
        assert case.apply(plan).outcome == "unknown"
        assert case.apply(plan).outcome == "unknown"
        assert case.sent("POST", "/restart") == 1


def test_a_guest_script_that_says_nothing_proves_nothing(tmp_path):
    with opened("agent_old_linux", tmp_path, effects=[]) as case:
        plan = case.plan("update_guest_agent_linux")
        receipt = case.apply(plan, deadline_s=0.1)
        assert (receipt.outcome, receipt.code) == ("unknown", "no_outcome")


def test_a_detached_guest_script_is_done_when_the_agent_reports_again(tmp_path):
    with opened("agent_old_linux", tmp_path) as case:
        plan = case.plan("update_guest_agent_linux")
        receipt = case.apply(plan, deadline_s=60)
        assert receipt.outcome == "done"
        assert receipt.after["agent"]["version"] == "2.15.0.1"
        assert receipt.after["script"]["note"] == "update in 10 s"


def test_only_what_the_remedy_concerns_is_asked_again(tmp_path):
    from vmbackup.collectors import collect

    with opened("vm_provisioning_failed_linux", tmp_path) as case:
        evidence = case.look()
        plan = case.plan("reapply_vm")
        case.apply(plan)
        names = facts_to_recollect(plan)
        assert "vm.model" in names
        assert "network.nics" not in names
        again = merge_fresh(evidence, collect(case.azure, case.target, only=names), names)
        assert problems(again) == []
        assert again["network.nics"] is evidence["network.nics"]


def interrupt(case, remedy, *, at="2026-11-23T03:00:00Z", sent=True, vm_id=None, resource=None):
    """An operation that an earlier run began and did not close; returns its id."""
    vm_id = vm_id or case.target.vm_id
    journal = case.context.journal
    name = journal.begin(remedy, resource or vm_id, vm_id, at, {}, tuple(catalogue.remedies()[remedy]["checks"]))
    if sent:
        journal.sending(name, 0)
    return name


def test_a_vm_that_was_stopped_to_be_started_again_does_not_stay_off(tmp_path):
    """That it is off is no problem by itself: this very interruption left it so."""
    with opened("snapshot_state_misreported_windows", tmp_path) as case:
        plan = case.plan("stop_and_start_vm")
        first, _ = requests(plan)
        name = interrupt(case, plan.remedy)
        with allow_changes(case.context.audit, plan.remedy):
            answer = case.context.arm.request(first.method, first.path)
        case.context.journal.accepted(name, 0, answer.operation, answer.time)
        case.context.arm.poll(answer.operation, 5)
        left = case.resumed()
        assert case.evidence["vm.power"].data["power"] == "deallocated"
        assert plan.remedy not in [each.remedy for each in case.plans(case.evidence)]
        (again,) = left.continued
        receipt = case.apply(again, deadline_s=5)
        assert (receipt.outcome, receipt.continued) == ("done", True)
        assert case.look()["vm.power"].data["power"] == "running"
        assert case.sent("POST", "/deallocate") == 1
        assert case.context.journal.unfinished() == []


@pytest.mark.parametrize(
    ("scenario", "left", "reason"),
    [
        ("healthy_windows", {}, "problem_gone"),
        ("snapshot_state_misreported_windows", {"at": "2026-11-22T03:00:00Z"}, "too_old"),
        ("snapshot_state_misreported_windows", {"at": "2027-11-22T03:00:00Z"}, "too_old"),
        ("snapshot_state_misreported_windows", {"at": None}, "no_time"),
        ("snapshot_state_misreported_windows", {"at": "yesterday"}, "no_time"),
        ("snapshot_state_misreported_windows", {"sent": False}, "not_sent"),
    ],
)
def test_what_is_not_needed_now_is_closed_and_never_continued(tmp_path, scenario, left, reason):
    with opened(scenario, tmp_path) as case:
        interrupt(case, "stop_and_start_vm", **left)
        found = case.resumed()
        assert found.continued == ()
        assert [why for _, why in found.superseded] == [reason]
        (receipt,) = close_superseded(found, case.context, "en")
        assert (receipt.outcome, receipt.code) == ("superseded", reason)
        assert pages.receipt(receipt, "de").text()
        assert case.context.journal.unfinished() == []
        assert case.context.journal.receipts() == [receipt]
        assert case.changing() == []


def test_what_is_named_still_but_cannot_be_done_again_is_closed(tmp_path):
    """Azure's last failed job names the other backup until the next good one; there is no job to cancel any more."""
    with opened("backup_in_progress_windows", tmp_path) as case:
        plan = case.plan("cancel_running_backup")
        interrupt(case, plan.remedy, resource=plan.resource)
        (request,) = requests(plan)
        with allow_changes(case.context.audit, plan.remedy):
            case.context.arm.complete(request.method, request.path)
        found = case.resumed()
        assert found.continued == ()
        assert [why for _, why in found.superseded] == ["problem_gone"]


def test_an_outdated_attempt_at_the_same_change_is_closed_before_a_new_one(tmp_path):
    with opened("agent_stopped_linux", tmp_path) as case:
        interrupt(case, "restart_vm", at="2026-11-20T03:00:00Z")
        receipt = case.apply(case.plan("restart_vm"))
        assert (receipt.outcome, receipt.continued) == ("done", False)
        assert [each.outcome for each in case.context.journal.receipts()] == ["superseded", "done"]
        assert case.context.journal.unfinished() == []


def test_consent_is_needed_anew_for_what_is_continued(tmp_path):
    with opened("agent_stopped_linux", tmp_path) as case:
        interrupt(case, "restart_vm")
        (again,) = case.resumed().continued
        with pytest.raises(RemedyRefused, match="does not name"):
            case.apply(again, Consent.from_parameters("reapply_vm", "high"))
        assert case.changing() == []


def test_what_was_interrupted_on_another_vm_is_none_of_this_ones(tmp_path):
    with opened("vm_provisioning_failed_linux", tmp_path) as case:
        interrupt(case, "reapply_vm", vm_id=f"{case.target.vm_id}-2")
        interrupt(case, "reapply_vm", resource=f"{case.target.vm_id}-2")
        left = case.resumed()
        assert (left.continued, left.superseded) == ((), ())


def test_what_azure_is_still_at_is_neither_repeated_nor_closed_until_it_has_ended(tmp_path):
    with opened("vm_provisioning_failed_linux", tmp_path) as case:
        plan = case.plan("reapply_vm")
        interrupt(case, plan.remedy)
        (request,) = requests(plan)
        with allow_changes(case.context.audit, plan.remedy):
            case.context.arm.request(request.method, request.path)
        left = case.resumed()
        assert (left.continued, left.superseded, len(left.undecided)) == ((), (), 1)
        end(case)
        assert [why for _, why in case.resumed().superseded] == ["problem_gone"]


def test_a_kernel_killed_in_the_middle_is_continued_by_the_next_run(tmp_path):
    with opened("agent_stopped_linux", tmp_path, operation_polls=100) as case:
        child = Child(case, tmp_path, "restart_vm", CONTEXT.Barrier(1))
        try:
            for _ in range(400):
                if any(each.accepted for each in case.context.journal.unfinished("restart_vm")):
                    break
                assert child.process.exitcode is None
                time.sleep(0.05)
            else:
                pytest.fail("the child never got as far as Azure's 202")
        finally:
            child.kill()
        assert case.audited()[0]["outcome"] == "accepted"
        plan = case.plan("restart_vm")
        receipt = case.apply(plan, deadline_s=60)
        assert (receipt.outcome, receipt.continued) == ("done", True)
        assert case.sent("POST", "/restart") == 1
        assert case.context.journal.unfinished() == []
