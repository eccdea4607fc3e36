"""What the guest adds: worlds whose cause only the guest can tell, examined with the real script's own output."""

from __future__ import annotations

from pathlib import Path

import pytest

from azuresim.guest import output_file, printed
from azuresim.loading import load_world
from saying import refused
from vmbackup.diagnosis import Diagnosis, diagnose
from vmbackup.model import SIGNS, Fact, FactStatus
from vmbackup.parameters import Parameters, read
from vmbackup.runs.examine import examine, guest_decides
from vmbackup.runs.folder import RunFolder
from vmbackup.runs.open import open_run
from worlds import world

SECTION = "snapshot_extension_failed"


def examined(name: str, tmp_path: Path, **parameters: object) -> tuple[dict[str, Fact], list[tuple[str, str]]]:
    given = Parameters(scenario=name, run_folder=str(tmp_path), deadline_s=20, **parameters)  # type: ignore[arg-type]
    with world(name) as (simulator, azure, target):
        return examine(azure, target, given, SECTION, RunFolder(tmp_path)), list(simulator.requests)


def problems(diagnosis: Diagnosis) -> set[str]:
    return {finding.check for step in diagnosis.steps for finding in step.findings if finding.verdict == "problem"}


@pytest.mark.parametrize(
    ("name", "check"),
    [
        ("guest_python_missing_linux", "backup_extension_finds_its_python"),
        # Its extension's status says so; no file system is frozen any more.
        ("guest_freeze_failed_linux", SIGNS),
        ("guest_clock_skew_linux", "guest_clock_is_right"),
        ("guest_disk_full_linux", "guest_has_room_for_the_agent"),
        ("case_01_stale_extension_state_downgrade", "no_old_state_blocks_the_extension"),
    ],
)
def test_the_probe_decides_what_the_control_plane_left_open(name: str, check: str, tmp_path: Path) -> None:
    with world(name) as (_, azure, target):
        parameters = Parameters(scenario=name, run_folder=str(tmp_path), probe="never", deadline_s=20)
        without = examine(azure, target, parameters, SECTION, RunFolder(tmp_path))
    assert check not in problems(diagnose(SECTION, without))
    evidence, _ = examined(name, tmp_path)
    assert evidence["guest.probe"].answered
    assert check in problems(diagnose(SECTION, evidence))


def test_after_a_sound_guest_no_verdict_waits_for_the_guest(tmp_path: Path) -> None:
    evidence, _ = examined("healthy_linux", tmp_path)
    assert not guest_decides(SECTION, evidence)


def test_the_guest_decides_nothing_where_azure_owes_the_fact(tmp_path: Path) -> None:
    evidence, _ = examined("healthy_linux", tmp_path, probe="force")
    denied = evidence | {"vm.agent": Fact(FactStatus.DENIED), "vm.power": Fact(FactStatus.DENIED)}
    open_checks = {
        finding.check
        for step in diagnose(SECTION, denied).steps
        for finding in step.findings
        if finding.verdict == "unknown"
    }
    assert "linux_agent_version_is_supported" in open_checks
    assert not guest_decides(SECTION, denied)


def test_nothing_is_sent_through_a_dead_agent_and_the_reader_is_told_why(tmp_path: Path) -> None:
    evidence, requests = examined("agent_stopped_linux", tmp_path)
    assert evidence["guest.probe"].why == "agent_not_ready"
    assert not [path for _, path in requests if path.endswith("/runCommand")]


def test_nothing_is_sent_through_an_agent_that_fell_silent(tmp_path: Path) -> None:
    evidence, requests = examined("agent_stale_linux", tmp_path)
    assert evidence["guest.probe"].why == "agent_silent"
    assert not [path for _, path in requests if path.endswith("/runCommand")]


def test_nothing_is_sent_to_a_vm_that_does_not_run(tmp_path: Path) -> None:
    evidence, requests = examined("snapshot_shutdown_linux", tmp_path)
    assert evidence["guest.probe"].why == "vm_not_running"
    assert not [path for _, path in requests if path.endswith("/runCommand")]


def test_probe_never_sends_nothing(tmp_path: Path) -> None:
    evidence, requests = examined("healthy_linux", tmp_path, probe="never")
    assert evidence["guest.probe"].why == "probe_off"
    assert not [path for _, path in requests if path.endswith("/runCommand")]


def test_pasted_output_decides_where_the_agent_is_dead(tmp_path: Path) -> None:
    before, _ = examined("agent_stopped_linux", tmp_path)
    model = before["vm.model"].data
    pasted = tmp_path / "pasted.txt"
    pasted.write_text(
        "root@vm:~# sh -s\n" + printed(output_file("linux", "agent_stopped"), model["vm_id"], model["computer_name"]),
        "utf-8",
    )
    evidence, _ = examined("agent_stopped_linux", tmp_path, guest_output=str(pasted))
    assert "linux_agent_process_runs" in problems(diagnose(SECTION, evidence))


def test_the_signed_address_of_the_serial_log_is_nowhere_in_the_evidence(tmp_path: Path) -> None:
    evidence, _ = examined("agent_stopped_linux", tmp_path)
    assert "sig=" not in str(evidence)


def test_a_world_from_any_folder_is_examined_with_what_was_pasted_beside_it(tmp_path: Path) -> None:
    file = tmp_path / "of mine.yaml"
    file.write_text("agent: {state: not_ready}", "utf-8")
    name = load_world(file).vms[0]["vm_name"]
    file.with_suffix(".guest.txt").write_text(printed(output_file("linux", "clock_skew"), "", name), "utf-8")
    run = open_run(read({"scenario": str(file)}), SECTION)
    run.collect()
    assert "guest_clock_is_right" in problems(run.diagnosis())
    assert run.parameters.folder == "runs/of mine"


def test_a_world_nobody_understands_is_refused_by_file_and_key(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("agnet: {}", "utf-8")
    with refused(r"mine\.yaml: unknown key 'agnet'"):
        open_run(read({"scenario": str(file)}), SECTION)
