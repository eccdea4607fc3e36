"""The command line: tables for people, JSON for machines, and exit codes that mean one thing each."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from saying import sentence
from vmbackup.cli.main import app


def test_the_installed_command_says_by_its_exit_code_what_it_found() -> None:
    """The one test in a process of its own; what it prints and returns is what ``main`` does."""
    command = [Path(sys.executable).with_name("vmbackup"), "diagnose", "--scenario", "agent_old_linux", "--json"]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert (ran.returncode, json.loads(ran.stdout)["outcome"]) == (1, "cause_found"), ran.stderr


@pytest.mark.parametrize(
    ("world", "code", "outcome"),
    [
        ("healthy_linux", 0, "no_cause_found"),
        ("agent_old_linux", 1, "cause_found"),
        ("snapshot_sql_windows", 3, "undecided"),
        ("rights_missing_linux", 4, "missing_rights"),
    ],
)
def test_each_outcome_has_its_exit_code(vmbackup: Any, world: str, code: int, outcome: str) -> None:
    ran = vmbackup("diagnose", "--scenario", world, "--json")
    assert (ran.returncode, json.loads(ran.stdout)["outcome"]) == (code, outcome), ran.stderr


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["diagnose", "--scenario", "error_401"], "az login"),
        (["diagnose", "--scenario", "error_404_vm"], "vm"),
        (["diagnose", "--scenario", "nowhere"], "There is no scenario 'nowhere'"),
        (["diagnose"], "needs subscription_id"),
        (["diagnose", "--vm-id", "x"], "is not the resource id of a VM"),
        (["diagnose", "--nonsense"], "No such option"),
        (["replay", "pyproject.toml"], "not valid JSON"),
        (["replay", "nothing.json"], "Cannot read"),
        (["checks", "explain", "disks_are_small_enuff"], "Did you mean 'disks_are_small_enough'?"),
        (["demo", "nowhere"], "nowhere"),
    ],
)
def test_what_cannot_be_done_ends_with_2_and_one_clear_line(vmbackup: Any, arguments: list[str], says: str) -> None:
    ran = vmbackup(*arguments)
    assert ran.returncode == 2
    assert says.lower() in ran.stderr.lower()
    assert "Traceback" not in ran.stderr


def test_a_person_gets_a_table_with_the_next_action(vmbackup: Any) -> None:
    ran = vmbackup("diagnose", "--scenario", "agent_stopped_linux")
    assert "✖ Symptom" in ran.stdout
    assert "Next:" in ran.stdout


def test_the_table_speaks_german_too(vmbackup: Any) -> None:
    assert "Nächster Schritt:" in vmbackup("diagnose", "--scenario", "agent_stopped_linux", "--language", "de").stdout


def test_a_replay_of_what_was_saved_gives_the_same_result(vmbackup: Any, tmp_path: Path) -> None:
    first = vmbackup("diagnose", "--scenario", "extension_failed_windows", "--json", "--save", str(tmp_path))
    again = vmbackup("replay", str(tmp_path / "evidence.json"), "--json")
    assert (again.returncode, again.stdout) == (first.returncode, first.stdout)


@pytest.mark.parametrize(
    ("failure", "section"),
    [
        ("UserErrorGuestAgentStatusUnavailable", "agent_unreachable"),
        ("400206", "snapshot_no_network"),
        ("Fehler beim Vorgang der VMSnapshot-Erweiterung", "snapshot_extension_failed"),
        ("the coffee machine is broken", None),
    ],
)
def test_triage_prints_section_and_candidates(vmbackup: Any, failure: str, section: str | None) -> None:
    sorted_into = json.loads(vmbackup("triage", failure, "--json").stdout)
    assert sorted_into["section"] == section
    assert isinstance(sorted_into["candidates"], list)


def test_triage_reads_standard_input() -> None:
    assert "01_agent_unreachable" in CliRunner().invoke(app, ["triage", "-"], input="Error code 400196\n").stdout


def test_checks_can_be_listed_and_explained(vmbackup: Any) -> None:
    listed = json.loads(vmbackup("checks", "list", "--json").stdout)
    assert {"no_internet", "disks"} <= {row["cause"] for row in listed}
    assert "32" in vmbackup("checks", "explain", "disks_are_small_enough").stdout


def test_the_demo_prints_a_row_per_runbook_and_keeps_the_notebooks(vmbackup: Any, tmp_path: Path) -> None:
    ran = vmbackup("demo", "agent_stopped_linux", "disk_too_large_windows", "--folder", str(tmp_path), "--workers", "2")
    assert ran.returncode == 0, ran.stderr
    assert "agent_unreachable" in ran.stdout
    assert "disk_not_supported" in ran.stdout
    assert len(list(tmp_path.glob("*/runbook.ipynb"))) == 2
    assert len(list(tmp_path.glob("*/result.json"))) == 2


@pytest.mark.parametrize(
    ("name", "part"),
    [("windows", "Get-Service"), ("linux", "waagent"), ("linux-logs", "tar"), ("restart_vss", "vssadmin")],
)
def test_every_script_for_the_guest_can_be_printed(name, part):
    assert part in CliRunner().invoke(app, ["guest-script", name]).output


def test_an_unknown_guest_script_names_those_there_are():
    assert "linux-logs" in str(CliRunner().invoke(app, ["guest-script", "solaris"]).exception)
    assert "PowerShell" in sentence(CliRunner().invoke(app, ["guest-script", "windows", "--short"]).exception)
    packed = CliRunner().invoke(app, ["guest-script", "linux", "--short"]).output
    assert packed.startswith("s=\ns=${s}H4sI")
