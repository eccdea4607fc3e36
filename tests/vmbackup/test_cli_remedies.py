"""The commands plan, apply, retry, role and preflight, as an operator types them."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from vmbackup.audit import rows
from vmbackup.cli_remedies import app
from vmbackup.model import RemedyRefused, SetupError


def call(*words, **options):
    return CliRunner().invoke(app, [str(word) for word in words], **options)


def test_plan_shows_what_would_be_done_and_changes_nothing(tmp_path):
    said = call("plan", "--scenario", "extension_failed_linux", "--language", "de")
    assert said.exit_code == 0
    assert "remove_backup_extension" in said.output
    assert "Microsoft.Compute/virtualMachines/extensions/delete" in said.output


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
    assert "Done and seen to be done" in said.output
    assert "Fixed: the job is completed" in said.output
    assert [row["method"] for row in rows(tmp_path / "audit.jsonl")] == ["DELETE", "POST"]


def test_apply_without_asking_stops_at_the_risk_that_is_allowed(tmp_path):
    said = call(
        "apply", "remove_backup_extension", "--scenario", "extension_failed_linux", "--folder", tmp_path, "--yes"
    )
    assert isinstance(said.exception, RemedyRefused)
    assert "medium" in str(said.exception)


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
