"""The commands plan, apply, retry, role and preflight, as an operator types them."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from saying import sentence
from vmbackup.cli.remedies import app
from vmbackup.model import RemedyRefused, SetupError
from vmbackup.runs.folder import RunFolder


def call(*words, **options):
    return CliRunner().invoke(app, [str(word) for word in words], **options)


def test_plan_shows_what_would_be_done_and_changes_nothing(tmp_path):
    said = call("plan", "--scenario", "extension_failed_linux", "--language", "de")
    assert said.exit_code == 0
    assert "remove_backup_extension" in said.output
    assert "Microsoft.Compute/virtualMachines/extensions/delete" in said.output


@pytest.mark.parametrize("command", ["plan", "retry", "preflight"])
def test_a_vm_is_named_by_its_parts_as_everywhere(command):
    said = call(command, "-s", "not-a-guid", "-g", "group", "-n", "vm")
    assert isinstance(said.exception, SetupError)
    assert "not-a-guid" in sentence(said.exception)


@pytest.mark.parametrize("command", [["plan"], ["apply", "remove_backup_extension"], ["retry"]])
def test_the_failed_job_that_the_operator_names_is_the_one_that_is_read(command):
    job = "00000000-0000-4000-8000-000000000000"
    said = call(*command, "--scenario", "extension_failed_linux", "--failure", job)
    assert isinstance(said.exception, SetupError), said.output
    assert f"has no job {job}" in sentence(said.exception)


def test_apply_asks_first_and_takes_no_for_an_answer(tmp_path):
    said = call(
        "apply", "remove_backup_extension", "--scenario", "extension_failed_linux", "--folder", tmp_path, input="n\n"
    )
    assert isinstance(said.exception, RemedyRefused)
    assert not (tmp_path / "audit.jsonl").exists()


def test_apply_and_retry_in_one_go_prove_the_cure(tmp_path):
    said = call(
        "apply", "remove_backup_extension", "--scenario", "extension_failed_linux", "--folder", tmp_path, "--yes",
        "--max-risk", "medium", "--retry",
    )  # fmt: skip
    assert said.exit_code == 0, said.output
    assert "Done and verified" in said.output
    assert "Fixed: the job completed" in said.output
    assert [row["method"] for row in RunFolder(tmp_path).audited()] == ["DELETE", "POST"]


def test_apply_without_asking_stops_at_the_risk_that_is_allowed(tmp_path):
    said = call(
        "apply", "remove_backup_extension", "--scenario", "extension_failed_linux", "--folder", tmp_path, "--yes"
    )
    assert isinstance(said.exception, RemedyRefused)
    assert "medium" in sentence(said.exception)


def test_apply_with_nobody_there_to_answer_changes_nothing(tmp_path):
    said = call("apply", "remove_backup_extension", "--scenario", "extension_failed_linux", "--folder", tmp_path)
    assert isinstance(said.exception, RemedyRefused)
    assert "not confirmed" in sentence(said.exception)
    assert not (tmp_path / "audit.jsonl").exists()


def test_apply_shows_the_cause_before_and_after(tmp_path):
    said = call(
        "apply", "reapply_vm", "--scenario", "vm_provisioning_failed_linux", "--folder", tmp_path, "--yes",
        "--max-risk", "medium", "--language", "de",
    )  # fmt: skip
    (row,) = [line for line in said.output.splitlines() if "Gefunden" in line]
    assert "Bereitstellung" in row
    assert "Nicht feststellbar" in row, "Azure named it for the failed backup: only the next one shows that it is over"


def test_json_is_all_that_a_machine_gets(tmp_path):
    (plan, *_) = json.loads(call("plan", "--scenario", "extension_failed_linux", "--json").stdout)
    assert {"remedy", "risk", "actions", "undo", "duration", "commands", "refusals", "sources"} <= set(plan)
    done = call(
        "apply", "remove_backup_extension", "--scenario", "extension_failed_linux", "--folder", tmp_path, "--yes",
        "--max-risk", "medium", "--retry", "--json",
    )  # fmt: skip
    told = json.loads(done.stdout)
    assert [each["outcome"] for each in told["receipts"]] == ["done"]
    assert told["proof"]["fixed"]
    assert [row["method"] for row in told["audit"]] == ["DELETE", "POST"]
    rights = json.loads(call("preflight", "--scenario", "error_403_locks", "--json").stdout)
    assert rights[0]["missing"] == ["Microsoft.Authorization/locks/read"]


@pytest.mark.parametrize("command", ["apply", "retry"])
def test_a_folder_that_cannot_be_written_is_named_and_nothing_is_changed(tmp_path, command):
    (tmp_path / "file").write_text("")
    words = {"apply": ["apply", "remove_backup_extension", "--yes", "--max-risk", "medium"], "retry": ["retry"]}[
        command
    ]
    said = call(*words, "--scenario", "extension_failed_linux", "--folder", tmp_path / "file" / "run")
    assert isinstance(said.exception, SetupError)
    assert f"Cannot write {tmp_path / 'file' / 'run'}" in sentence(said.exception)


def test_spoilt_files_in_the_folder_stop_nothing(tmp_path):
    for name in ("audit", "operations", "receipts"):
        (tmp_path / f"{name}.jsonl").write_bytes(
            b'\xff\xfe\n{"operation": "1"}\n[1]\n{"event": "begun", "operation": "2"'
        )
    assert call("retry", "--scenario", "healthy_linux", "--folder", tmp_path).exit_code == 0


def test_an_unknown_remedy_is_refused_before_anything_is_asked(tmp_path):
    said = call("apply", "restart_vn", "--scenario", "healthy_linux", "--folder", tmp_path)
    assert isinstance(said.exception, SetupError)
    assert "Did you mean 'restart_vm'?" in sentence(said.exception)


def test_apply_of_what_cures_nothing_here_is_refused(tmp_path):
    said = call("apply", "start_vm", "--scenario", "healthy_linux", "--folder", tmp_path, "--yes")
    assert isinstance(said.exception, SetupError)


@pytest.mark.parametrize(("scenario", "code"), [("healthy_linux", 0), ("fs_freeze_linux", 1)])
def test_retry_ends_with_the_proofs_verdict(tmp_path, scenario, code):
    assert call("retry", "--scenario", scenario, "--folder", tmp_path).exit_code == code


def test_role_prints_json_or_bicep_or_the_capabilities():
    assert json.loads(call("role", "retry", "--subscription-id", "s").output)["Name"] == "vmbackup retry"
    assert "roleDefinitions@" in call("role", "retry", "--format", "bicep").output
    assert "diagnose_guest" in call("role").output.split()


@pytest.mark.parametrize(("scenario", "code"), [("healthy_linux", 0), ("error_403_locks", 4)])
def test_preflight_ends_with_four_when_rights_are_missing(scenario, code):
    assert call("preflight", "--scenario", scenario).exit_code == code
