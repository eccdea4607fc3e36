"""End to end: walk → remedy → walk says ok → backup Completed → proof, for every world that a remedy can cure."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from cures import ALONE, CURES
from remedy_worlds import opened, problems
from vmbackup.arm.audit import changes
from vmbackup.cli.remedies import app
from vmbackup.model import Target, Verdict
from vmbackup.notebook.runbook import Runbook
from vmbackup.parameters import Parameters, read
from vmbackup.remedies.retry.back_up_now import back_up_now
from vmbackup.runs.open import open_run
from vmbackup.runs.run import Run

# Azure's last failed job names these; only the next good backup takes that word back.
NAMED_BY_THE_LAST_JOB = {"backup_in_progress", "com_plus", "secure_channel", "vc_redistributable", "vss"}


@pytest.mark.parametrize("scenario", CURES)
def test_a_world_is_cured_and_the_cure_is_proven(scenario, tmp_path):
    with opened(scenario, tmp_path) as case:
        evidence = case.look()
        for remedy in CURES[scenario]:
            plan = case.plan(remedy, evidence)
            assert plan.applicable, plan.refusals
            receipt = case.apply(plan, deadline_s=60)
            assert receipt.outcome == "done", receipt
            evidence = case.look()
        assert {step.cause for step in problems(evidence)} <= NAMED_BY_THE_LAST_JOB
        proof = back_up_now(case.context, case.target, evidence)
        assert proof.fixed, proof
        assert proof.verdict is Verdict.OK
        assert problems(case.look()) == []
        changing = [path for method, path in case.simulator.requests if changes(method, f"https://x{path}")]
        assert len(case.audited()) == len(changing)


# Each remedy through one of the two other doors; behind them is the same Run.
@pytest.mark.parametrize("remedy", list(ALONE)[::2])
def test_the_command_line_cures_and_proves(remedy, tmp_path):
    words = ["apply", remedy, "--scenario", ALONE[remedy], "--folder", str(tmp_path), "--yes", "--max-risk", "high"]
    said = CliRunner().invoke(app, [*words, "--retry", "--json"])
    assert said.exit_code == 0, said.output
    told = json.loads(said.stdout)
    assert [each["outcome"] for each in told["receipts"]] == ["done"]
    assert told["proof"]["fixed"]


@pytest.mark.parametrize("remedy", list(ALONE)[1::2])
def test_what_a_headless_notebook_calls_cures_and_proves(remedy, tmp_path):
    given = {"scenario": ALONE[remedy], "remedies": remedy, "max_risk": "high", "run_folder": str(tmp_path)}
    run = open_run(read(given), None)
    headless(run)
    assert [each.outcome for each in run.receipts] == ["done"]
    assert run.proof is not None
    assert run.proof.fixed
    assert run.diagnosis().probable is None


def test_an_old_agent_beside_what_azure_names_is_no_problem_to_remedy(tmp_path):
    with opened("two_s3_snapshot_extension_failed_linux", tmp_path) as case:
        evidence = case.look()
        found = {plan.remedy for plan in case.plans(evidence)}
        assert "remove_backup_extension" in found
        assert "update_guest_agent_linux" not in found


def headless(run):
    """What the cells of a headless notebook call."""
    book = Runbook(run)
    book.collect()
    book.remedies()
    book.retry()


def cured(case, folder, remedies):
    given = Parameters(remedies=remedies, max_risk="high", run_folder=str(folder))
    run = Run(given, None, case.target, azure=case.azure)
    headless(run)
    return run


ONE_AFTER_THE_OTHER = {scenario: remedies for scenario, remedies in CURES.items() if scenario.startswith("two_s1")}


@pytest.mark.parametrize("scenario", ONE_AFTER_THE_OTHER)
def test_headless_one_remedy_opens_the_way_for_the_next(scenario, tmp_path):
    with opened(scenario, tmp_path) as case:
        run = cured(case, tmp_path, ",".join(ONE_AFTER_THE_OTHER[scenario]))
        assert [each.remedy for each in run.receipts] == ONE_AFTER_THE_OTHER[scenario]
        assert run.proof.fixed


def test_headless_the_same_remedy_clears_a_second_obstacle_of_its_kind(tmp_path):
    deny = [{"name": "deny all", "access": "Deny", "priority": 4096, "to": "*", "ports": 443}]
    with opened("no_internet_linux", tmp_path, nsg=deny, subnet_nsg=deny) as case:
        run = cured(case, tmp_path, "allow_storage_in_nsg")
        assert [each.resource.rsplit("/", 1)[-1] for each in run.receipts] == ["nsg-nic", "nsg-subnet"]
        assert run.proof.fixed


def test_all_disks_with_the_same_fault_are_left_out_at_once(tmp_path):
    disks = [{"lun": 63, "size_gb": 70000}, {"lun": 7, "size_gb": 64}, {"lun": 0, "size_gb": 66000}]
    with opened("disk_too_large_linux", tmp_path, data_disks=disks) as case:
        plan = case.plan("exclude_disks")
        assert plan.values["disk_luns_list"] == [0, 63]
        assert case.apply(plan).outcome == "done"
        assert problems(case.look()) == []


def test_a_blocking_rule_without_room_ahead_of_it_is_said_to_be_the_reason(tmp_path):
    deny = [{"name": "deny all", "access": "Deny", "priority": 102, "to": "*", "ports": 443}]
    with opened("no_internet_linux", tmp_path, nsg=deny) as case:
        (refusal,) = case.plan("allow_storage_in_nsg").refusals
        assert "deny all (102)" in refusal.words("de")


def test_a_change_without_an_audit_is_stopped_in_the_pipeline_of_every_client(tmp_path):
    from vmbackup.model import RemedyRefused

    with opened("healthy_linux", tmp_path) as case:
        target: Target = case.target
        for change in (
            lambda: case.azure.compute.virtual_machines.begin_restart(target.resource_group, target.vm_name),
            lambda: case.azure.locks.management_locks.delete_at_resource_group_level(target.resource_group, "x"),
            lambda: case.azure.compute.disks.begin_delete(target.resource_group, "x"),
        ):
            with pytest.raises(RemedyRefused):
                change()
        assert [method for method, _ in case.simulator.requests if method != "GET"] == []
