"""A confirmed plan is done once, seen to be done, and put down; all else is refused or found out by looking."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
import time

import pytest

from remedy_worlds import opened, problems
from vmbackup.arm.audit import allow_changes, rows
from vmbackup.model import Finding, RemedyRefused, Step, Verdict
from vmbackup.pages import remedies as pages
from vmbackup.remedies.again import affected, interrupted, refreshed
from vmbackup.remedies.apply import Confirmation, allowed, apply
from vmbackup.remedies.journal import Operations
from vmbackup.remedies.plan import plan as plan_for
from vmbackup.remedies.receipt import Receipt
from vmbackup.remedies.retry.back_up_now import retry
from vmbackup.remedies.steps import vm as do

EXTENSION = "remove_backup_extension"


def yes(plan):
    return Confirmation.of(plan)


def test_the_receipt_says_who_when_what_before_and_after(tmp_path):
    with opened("extension_failed_linux", tmp_path) as case:
        plan = case.plan(EXTENSION)
        receipt = apply(plan, case.tools, yes(plan))
        assert receipt.outcome == "done"
        assert receipt.cured
        assert receipt.who == case.azure.who() != "unknown"
        assert receipt.started_at.startswith("2026-11-23T03:")
        assert receipt.before["provisioning_state"] == "Failed"
        assert receipt.after["provisioning_state"] == "absent"
        (row,) = rows(case.tools.audit.path)
        assert row["request_id"] in receipt.request_ids
        assert (row["method"], row["why"], row["outcome"]) == ("DELETE", EXTENSION, "succeeded")
        assert case.tools.operations.receipts()[0].outcome == "done"
        assert case.tools.operations.unfinished() == []
        assert EXTENSION in pages.audit(rows(case.tools.audit.path), "de").text() or row["resource"]
        assert "Erledigt" in pages.receipt(receipt, "de").text() or "erledigt" in pages.receipt(receipt, "de").text()


def test_doing_it_twice_sends_it_once(tmp_path):
    with opened("extension_failed_linux", tmp_path) as case:
        plan = case.plan(EXTENSION)
        apply(plan, case.tools, yes(plan))
        again = apply(plan, case.tools, yes(plan))
        assert again.outcome == "already"
        assert case.sent("DELETE", "/extensions/") == 1


@pytest.mark.parametrize(
    ("remedies", "max_risk", "said"),
    [("", "high", "does not name"), ("other", "high", "does not name"), (EXTENSION, "low", "max_risk allows low")],
)
def test_headless_only_what_the_parameters_name_up_to_the_risk(tmp_path, remedies, max_risk, said):
    with opened("extension_failed_linux", tmp_path) as case:
        plan = case.plan(EXTENSION)
        with pytest.raises(RemedyRefused, match=said):
            apply(plan, case.tools, Confirmation.from_parameters(remedies, max_risk))
        assert case.sent("DELETE", "") == 0
        assert not case.tools.audit.path.exists()


def test_headless_what_is_named_within_the_risk_is_done(tmp_path):
    with opened("extension_failed_linux", tmp_path) as case:
        allowed = Confirmation.from_parameters(f"restart_vm, {EXTENSION}", "medium")
        assert apply(case.plan(EXTENSION), case.tools, allowed).outcome == "done"


def test_headless_the_rest_is_only_shown(tmp_path):
    with opened("extension_failed_linux", tmp_path) as case:
        plans = case.plans()
        assert allowed(plans, Confirmation.from_parameters("", "high")) == []
        chosen = allowed(plans, Confirmation.from_parameters(f"{EXTENSION},restore_consistency", "medium"))
        assert [each.remedy for each in chosen] == [EXTENSION]


def test_a_risk_that_does_not_exist_is_refused():
    with pytest.raises(RemedyRefused, match="max_risk"):
        Confirmation.from_parameters("x", "huge")


def test_a_dead_agent_keeps_the_extension_where_it_is(tmp_path):
    with opened("two_s1_agent_unreachable_linux", tmp_path) as case:
        plan = case.plan(EXTENSION)
        with pytest.raises(RemedyRefused, match="travels through the agent"):
            apply(plan, case.tools, yes(plan))
        assert case.sent("DELETE", "") == 0


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"vm": {"power": "stopped"}}, "PowerState/stopped"),
        ({"agent": {"state": "not_ready", "message": "VM Agent is unresponsive."}}, "travels through the agent"),
    ],
)
def test_what_died_since_the_plan_was_made_is_noticed_before_anything_is_sent(tmp_path, changes, said):
    with opened("extension_failed_linux", tmp_path) as case:
        plan = case.plan(EXTENSION)
        with opened("extension_failed_linux", tmp_path, **changes) as now:
            with pytest.raises(RemedyRefused, match=said):
                apply(plan, now.tools, yes(plan))
            assert now.sent("DELETE", "") == 0


def test_a_missing_right_is_named_before_anything_is_sent(tmp_path):
    with opened("extension_failed_linux", tmp_path) as case:
        plan = case.plan(EXTENSION)
        case.world.spec["permissions"] = {"deny": ["Microsoft.Compute/virtualMachines/extensions/delete"]}
        with pytest.raises(RemedyRefused, match="Microsoft.Compute/virtualMachines/extensions/delete"):
            apply(plan, case.tools, yes(plan))
        assert case.sent("DELETE", "") == 0


def test_a_resource_guard_is_respected(tmp_path):
    with opened("protection_stopped_linux", tmp_path, resource_guard=True) as case:
        plan = case.plan("resume_protection")
        with pytest.raises(RemedyRefused, match="Resource Guard"):
            apply(plan, case.tools, yes(plan))
        assert case.sent("PUT", "") == 0


def go_on(case):
    """What Azure does meanwhile: it proceeds with everything that it accepted."""
    return lambda: [operation.poll() for operation in case.simulator.azure.operations.known.values()]


def test_an_answer_lost_after_azure_accepted_the_delete_is_found_out_by_looking(tmp_path):
    lost = [{"match": "DELETE .*/extensions/", "mode": "cut_off", "times": 1}]
    with opened("extension_failed_linux", tmp_path, faults=lost) as case:
        plan = case.plan(EXTENSION)
        receipt = apply(plan, case.tools, yes(plan), deadline_s=60, each=go_on(case))
        assert receipt.outcome == "done"
        assert receipt.after["provisioning_state"] == "absent"
        assert case.sent("DELETE", "/extensions/") == 1


def test_a_lost_answer_that_looking_does_not_settle_stays_open_for_the_next_run(tmp_path):
    lost = [{"match": "DELETE .*/extensions/", "mode": "cut_off", "times": 1}]
    with opened("extension_failed_linux", tmp_path, faults=lost) as case:
        plan = case.plan(EXTENSION)
        assert apply(plan, case.tools, yes(plan), deadline_s=0.1).outcome == "unsure"
        assert case.tools.operations.unfinished(EXTENSION, plan.resource)
        receipt = apply(plan, case.tools, yes(plan), deadline_s=60, each=go_on(case))
        assert (receipt.outcome, receipt.continued) == ("done", True)
        assert case.sent("DELETE", "/extensions/") == 1


@pytest.mark.parametrize(
    ("scenario", "remedy", "cause", "check"),
    [
        ("snapshot_sql_windows", "set_vss_copy_backup", "snapshot", "sql_backup_uses_vss_copy"),
        ("extension_provider_windows", "enable_backup_provider", "extension", "backup_provider_service_can_start"),
    ],
)
def test_what_only_the_guest_shows_is_cured_by_its_script_and_proven(tmp_path, scenario, remedy, cause, check):
    with opened(scenario, tmp_path) as case:
        evidence = case.look()
        shown = Step(1, cause, False, (Finding(check, cause, Verdict.PROBLEM, "problem"),))
        chosen = next(each for each in plan_for(shown, evidence, case.target, "en") if each.remedy == remedy)
        assert retry(case.tools, case.target, evidence).reason == "failed_again"
        assert apply(chosen, case.tools, yes(chosen), deadline_s=60).outcome == "done"
        assert retry(case.tools, case.target, evidence).fixed


def test_an_operation_that_fails_ends_in_a_failed_receipt_with_azures_words(tmp_path):
    fails = [{"match": "DELETE .*/extensions/", "mode": "operation_failed", "code": "VMExtensionProvisioningTimeout",
              "message": "It timed out."}]  # fmt: skip
    with opened("extension_failed_linux", tmp_path, faults=fails) as case:
        plan = case.plan(EXTENSION)
        receipt = apply(plan, case.tools, yes(plan))
        assert (receipt.outcome, receipt.code, receipt.message) == (
            "failed",
            "VMExtensionProvisioningTimeout",
            "It timed out.",
        )
        assert rows(case.tools.audit.path)[0]["outcome"] == "failed"
        assert case.tools.operations.unfinished() == []


def test_a_refusal_by_azure_ends_in_a_failed_receipt(tmp_path):
    refused = [{"match": "POST .*/reapply", "status": 409, "code": "Conflict", "message": "Busy."}]
    with opened("vm_provisioning_failed_linux", tmp_path, faults=refused) as case:
        plan = case.plan("reapply_vm")
        receipt = apply(plan, case.tools, yes(plan))
        assert (receipt.outcome, receipt.code) == ("failed", "Conflict")


def test_throttling_is_waited_for_and_not_counted_as_done(tmp_path):
    busy = [{"match": "POST .*/reapply", "status": 429, "headers": {"Retry-After": "1"}, "times": 1}]
    with opened("vm_provisioning_failed_linux", tmp_path, faults=busy) as case:
        plan = case.plan("reapply_vm")
        assert apply(plan, case.tools, yes(plan)).outcome == "done"
        assert [row["outcome"] for row in rows(case.tools.audit.path)] == ["refused", "succeeded"]


def test_a_never_ending_operation_stays_open_and_the_next_run_goes_on_with_it(tmp_path):
    never = [{"match": "POST .*/reapply", "mode": "never_ending", "times": 1}]
    with opened("vm_provisioning_failed_linux", tmp_path, faults=never) as case:
        plan = case.plan("reapply_vm")
        receipt = apply(plan, case.tools, yes(plan), deadline_s=0.1)
        assert (receipt.outcome, receipt.code) == ("unsure", "timeout")
        (open_,) = case.tools.operations.unfinished("reapply_vm", plan.resource)
        assert "/operations/" in open_.accepted[0]
        again = apply(plan, case.tools, yes(plan), deadline_s=0.1)
        assert again.continued
        assert case.sent("POST", "/reapply") == 1


@pytest.mark.parametrize("spoilt", ["{}", '{"remedy": "restart_vm"}', '{"remedy": "res', "[1]"])
def test_a_spoilt_line_among_the_receipts_hides_no_receipt(tmp_path, spoilt):
    receipt = Receipt("restart_vm", "/vm", "done", "me", None, None, ("1",), {}, {})
    (tmp_path / "receipts.jsonl").write_text(f"{spoilt}\n{json.dumps(receipt.as_json())}\n{spoilt}\n")
    assert Operations(tmp_path).receipts() == [receipt]


def test_a_restart_whose_answer_was_lost_is_not_repeated(tmp_path):
    lost = [{"match": "POST .*/restart", "mode": "cut_off", "times": 1}]
    with opened("agent_stopped_linux", tmp_path, faults=lost) as case:
        plan = case.plan("restart_vm")
        assert apply(plan, case.tools, yes(plan)).outcome == "unsure"
        again = apply(plan, case.tools, yes(plan))
        assert again.outcome == "unsure"
        assert case.sent("POST", "/restart") == 1


def test_an_accepted_change_that_cannot_be_followed_is_no_failed_one(tmp_path):
    refused = [{"match": "GET .*/operations/", "status": 403, "code": "AuthorizationFailed", "message": "no"}]
    with opened("extension_failed_linux", tmp_path, faults=refused) as case:
        plan = case.plan(EXTENSION)
        receipt = apply(plan, case.tools, yes(plan))
        assert receipt.outcome == "unsure"
        assert "AuthorizationFailed" in receipt.message
        assert rows(case.tools.audit.path)[0]["outcome"] == "accepted"
        case.world.spec["faults"] = []
        receipt = apply(plan, case.tools, yes(plan))
        assert (receipt.outcome, receipt.continued) == ("done", True)
        assert case.sent("DELETE", "/extensions/") == 1


@pytest.mark.parametrize("fault", [{"status": 500, "code": "InternalServerError"}, {"mode": "plain", "status": 504}])
def test_a_server_that_fails_at_a_change_may_have_made_it(tmp_path, fault):
    with opened("extension_failed_linux", tmp_path, faults=[{"match": "DELETE ", "times": 1, **fault}]) as case:
        plan = case.plan(EXTENSION)
        receipt = apply(plan, case.tools, yes(plan))
        assert receipt.outcome == "unsure"
        assert str(fault["status"]) in receipt.message
        assert rows(case.tools.audit.path)[0]["outcome"] == "unknown"
        assert apply(plan, case.tools, yes(plan)).outcome == "done"


def test_nothing_is_sent_while_azure_does_not_show_how_it_is(tmp_path):
    fails = [{"match": "GET .*/extensions/", "status": 503, "code": "ServerBusy", "message": "busy"}]
    with opened("extension_failed_linux", tmp_path) as case:
        plan = case.plan(EXTENSION)
        case.world.spec["faults"] = fails
        with pytest.raises(RemedyRefused, match=r"Nothing was changed.*ServerBusy"):
            apply(plan, case.tools, yes(plan))
        assert case.sent("DELETE", "") == 0
        assert case.tools.operations.unfinished() == []


@pytest.mark.parametrize("fault", [{"mode": "garbage"}, {"status": 404, "code": "NotFound"}])
def test_an_operation_that_azure_does_not_tell_of_is_no_success_and_no_reason_to_restart_again(tmp_path, fault):
    with opened("agent_stopped_linux", tmp_path, faults=[{"match": "GET .*/operations/", **fault}]) as case:
        plan = case.plan("restart_vm")
        assert apply(plan, case.tools, yes(plan)).outcome == "unsure"
        assert apply(plan, case.tools, yes(plan)).outcome == "unsure"
        assert case.sent("POST", "/restart") == 1


def test_a_guest_script_that_says_nothing_proves_nothing(tmp_path):
    with opened("agent_old_linux", tmp_path, effects=[]) as case:
        plan = case.plan("update_guest_agent_linux")
        receipt = apply(plan, case.tools, yes(plan), deadline_s=0.1)
        assert (receipt.outcome, receipt.code) == ("unsure", "no_outcome")


def test_a_detached_guest_script_is_done_when_the_agent_reports_again(tmp_path):
    with opened("agent_old_linux", tmp_path) as case:
        plan = case.plan("update_guest_agent_linux")
        receipt = apply(plan, case.tools, yes(plan), deadline_s=60)
        assert receipt.outcome == "done"
        assert receipt.after["agent"]["version"] == "2.15.0.1"
        assert receipt.after["script"]["note"] == "update in 10 s"


def test_only_what_the_remedy_concerns_is_asked_again(tmp_path):
    from vmbackup.collectors import collect

    with opened("vm_provisioning_failed_linux", tmp_path) as case:
        evidence = case.look()
        plan = case.plan("reapply_vm")
        apply(plan, case.tools, yes(plan))
        names = affected(plan)
        assert "vm.model" in names
        assert "network.nics" not in names
        again = refreshed(evidence, collect(case.azure, case.target, only=names), names)
        assert problems(again) == []
        assert again["network.nics"] is evidence["network.nics"]


def test_what_was_interrupted_goes_on_though_its_problem_is_gone(tmp_path):
    """A VM that was stopped to be started again must not stay off because being off is no problem."""
    with opened("snapshot_state_misreported_windows", tmp_path) as case:
        plan = case.plan("stop_and_start_vm")
        first, _ = do.steps(plan)
        name = case.tools.operations.begin(plan.remedy, plan.resource, {}, plan.values, plan.cures)
        case.tools.operations.sending(name, 0)
        with allow_changes(case.tools.audit, plan.remedy):
            answer = case.tools.arm.request(first.method, first.path)
        case.tools.operations.accepted(name, 0, answer.operation, answer.time)
        case.tools.arm.poll(answer.operation, 5)
        evidence = case.look()
        assert evidence["vm.power"].data["power"] == "deallocated"
        assert "stop_and_start_vm" not in [each.remedy for each in case.plans(evidence)]
        (again,) = interrupted(case.tools.operations.unfinished(), evidence, case.target, "en")
        receipt = apply(again, case.tools, yes(again), deadline_s=60)
        assert (receipt.outcome, receipt.continued) == ("done", True)
        assert case.look()["vm.power"].data["power"] == "running"
        assert case.sent("POST", "/deallocate") == 1
        assert case.tools.operations.unfinished() == []


def test_what_was_interrupted_on_another_vm_is_none_of_this_ones(tmp_path):
    with opened("vm_provisioning_failed_linux", tmp_path) as case:
        case.tools.operations.begin("reapply_vm", "/other", {}, {"vm_id": "/other"})
        assert interrupted(case.tools.operations.unfinished(), case.look(), case.target, "en") == []


CHILD = """
    import os, sys
    from pathlib import Path
    from remedy_worlds import problems
    from vmbackup.collectors import collect
    from vmbackup.arm.connection import Azure, Connection
    from azure.identity import DefaultAzureCredential
    from vmbackup.model import Target
    from vmbackup.remedies.apply import Confirmation, apply
    from vmbackup.remedies.executor import open_tools
    from vmbackup.remedies.plan import plan
    endpoint, subscription, group, name, folder = sys.argv[1:]
    target = Target(subscription, group, name)
    azure = Azure(DefaultAzureCredential(), subscription, Connection(endpoint, polling_interval_s=0.05))
    evidence = collect(azure, target)
    found = [p for s in problems(evidence) for p in plan(s, evidence, target, "en") if p.remedy == "reapply_vm"][0]
    apply(found, open_tools(azure, Path(folder)), Confirmation.of(found), deadline_s=60)
"""


def test_a_kernel_killed_in_the_middle_is_continued_by_the_next_run(tmp_path):
    with opened("vm_provisioning_failed_linux", tmp_path, operation_polls=40) as case:
        target = case.target
        command = [sys.executable, "-c", textwrap.dedent(CHILD), case.simulator.endpoint, target.subscription_id,
                   target.resource_group, target.vm_name, str(tmp_path)]  # fmt: skip
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
        child = subprocess.Popen(command, env=environment)
        try:
            for _ in range(400):
                if any(each.accepted for each in case.tools.operations.unfinished("reapply_vm")):
                    break
                assert child.poll() is None
                time.sleep(0.05)
            else:
                pytest.fail("the child never got as far as Azure's 202")
        finally:
            child.send_signal(signal.SIGKILL)
            child.wait()
        assert rows(case.tools.audit.path)[0]["outcome"] == "accepted"
        plan = case.plan("reapply_vm")
        receipt = apply(plan, case.tools, yes(plan), deadline_s=60)
        assert (receipt.outcome, receipt.continued) == ("done", True)
        assert case.sent("POST", "/reapply") == 1
        assert case.tools.operations.unfinished() == []
