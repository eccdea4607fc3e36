"""The guest script travels only where it can arrive, is started once, and its output belongs to this VM."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from azuresim.guest import output_file, printed
from remedy_worlds import opened
from saying import refused
from vmbackup.arm.connection import Azure
from vmbackup.catalog.words import why
from vmbackup.collectors import collect
from vmbackup.collectors.guest import boot_diagnostics, from_text, obstacle, probe, script
from vmbackup.guest.document import GuestOutputError
from vmbackup.model import Evidence, Fact, FactStatus, Target
from vmbackup.runs.folder import GUEST_OPERATION, RunFolder
from worlds import world

HEALTHY = output_file("linux", "healthy")
MODEL = {"os": "linux", "allow_extension_operations": True, "vm_id": "id-1", "computer_name": "vm"}
READY = {"display_status": "Ready", "age_s": 30.0}
RUNNING = {"power": "running"}


def probed(azure: Azure, target: Target, found: Evidence, deadline_s: float, files: RunFolder) -> dict[str, Fact]:
    return probe(azure, target, found, deadline_s, files.guest_operation(), files.note_guest_operation)


def evidence(model: object = MODEL, power: object = RUNNING, agent: object = READY) -> dict[str, Fact]:
    facts = {"vm.model": model, "vm.power": power, "vm.agent": agent}
    return {name: Fact(FactStatus.OK if data else FactStatus.FAILED, data) for name, data in facts.items()}


@pytest.mark.parametrize(
    ("found", "reason"),
    [
        (evidence(), None),
        (evidence(model=None), "needs"),
        (evidence(model={**MODEL, "os": None}), "needs"),
        (evidence(power={"power": "stopped"}), "vm_not_running"),
        (evidence(power=None), "vm_not_running"),
        (evidence(agent={"display_status": "Not Ready"}), "agent_not_ready"),
        (evidence(agent=None), "agent_not_ready"),
        (evidence(agent={**READY, "age_s": 3 * 3600.0}), "agent_silent"),
        (evidence(agent={**READY, "age_s": None}), None),
        (evidence(model={**MODEL, "allow_extension_operations": False}), "extension_operations_disallowed"),
    ],
)
def test_what_stands_in_the_way_is_named(found: dict[str, Fact], reason: str | None) -> None:
    hindered = obstacle(found)
    assert (hindered.why if hindered else None) == reason


@pytest.mark.parametrize("os", ["windows", "linux"])
def test_the_scripts_are_part_of_the_product(os: str) -> None:
    assert len(script(os)) > 1000


def test_output_of_another_vm_is_refused() -> None:
    with refused("another VM", GuestOutputError):
        from_text(printed(HEALTHY, "00000000-0000-0000-0000-000000000001", "other"), evidence())


def test_output_of_another_system_is_refused() -> None:
    with refused("another VM", GuestOutputError):
        from_text(printed(HEALTHY, "", "vm"), evidence(model={**MODEL, "vm_id": None, "os": "windows"}))


def test_output_of_this_vm_becomes_facts() -> None:
    facts = from_text(printed(HEALTHY, "id-1", "vm"), evidence(model={**MODEL, "vm_id": "id-1"}))
    assert facts["guest.probe"].answered
    assert {"guest.agent", "guest.network", "guest.extension"} <= set(facts)


def test_an_operation_that_was_left_is_picked_up_and_not_started_twice(tmp_path: Path) -> None:
    files = RunFolder(tmp_path)
    with world("healthy_linux") as (simulator, azure, target):
        found = collect(azure, target, deadline_s=20)
        late = probed(azure, target, found, 0.01, files)
        assert late["guest.probe"].why == "timeout"
        assert files.guest_operation()
        assert probed(azure, target, found, 20, files)["guest.probe"].answered
        starts = [path for method, path in simulator.requests if method == "POST" and path.endswith("/runCommand")]
    assert len(starts) == 1
    assert not files.guest_operation()


def test_an_operation_that_failed_is_over_and_the_next_run_starts_anew(tmp_path: Path) -> None:
    files = RunFolder(tmp_path)
    with world("agent_stopped_linux") as (simulator, azure, target):
        found = collect(azure, target, deadline_s=20)
        for _ in range(2):
            assert probed(azure, target, found, 20, files)["guest.probe"].why == "run_command_agent_not_reporting"
            assert not files.guest_operation()
        starts = [path for method, path in simulator.requests if method == "POST" and path.endswith("/runCommand")]
    assert len(starts) == 2


def test_an_operation_that_azure_has_forgotten_is_started_anew(tmp_path: Path) -> None:
    files = RunFolder(tmp_path)
    with world("healthy_linux") as (_, azure, target):
        provider = f"{azure.connection.endpoint}/subscriptions/{target.subscription_id}/providers/Microsoft.Compute"
        operation = "00000000-0000-0000-0000-000000000000?api-version=2024-07-01"
        left = {"Azure-AsyncOperation": f"{provider}/locations/westeurope/operations/{operation}"}
        files.note_guest_operation(left)
        found = collect(azure, target, deadline_s=20)
        assert probed(azure, target, found, 20, files)["guest.probe"].answered
    assert not files.guest_operation()


def test_an_address_in_the_run_folder_that_is_no_operation_is_never_asked(tmp_path: Path) -> None:
    files = RunFolder(tmp_path)
    with world("healthy_linux") as (simulator, azure, target):
        found = collect(azure, target, deadline_s=20)
        for path in ("/subscriptions/victim", f"{target.vm_id}/../victim", f"{target.vm_id}/victim?api-version=1"):
            files.note_guest_operation({"Location": f"{azure.connection.endpoint}{path}"})
            assert probed(azure, target, found, 20, files)["guest.probe"].answered
        assert not [path for _, path in simulator.requests if "victim" in path]


def test_run_command_without_a_document_says_nothing_of_copying_or_pasting(tmp_path: Path) -> None:
    for output in ("Killed", "-----BEGIN VMBACKUP GUEST 1-----\nH4sI"):
        with opened("healthy_linux", tmp_path, run_command={"output": output}) as case:
            fact = probed(case.azure, case.target, case.look(), 20, RunFolder(tmp_path))["guest.probe"]
        assert fact.why == "run_command_no_document"
        assert not re.search("cop(y|ied)|paste", why(fact, "en"), re.IGNORECASE)


def test_a_vm_that_is_gone_is_no_answer_of_the_guest(tmp_path: Path) -> None:
    with world("healthy_linux") as (_, azure, target):
        found = collect(azure, target, deadline_s=20)
        gone = replace(target, vm_name="gone")
        fact = probed(azure, gone, found, 20, RunFolder(tmp_path))["guest.probe"]
    assert (fact.status, fact.why) == (FactStatus.FAILED, "refused")


@pytest.mark.parametrize(
    "edited",
    [
        '{"Azure-AsyncOperation": "https://somewhere.else/operation"}',
        "https://somewhere.else/",
        "[5]",
        '{"a": 5}',
        "{}",
    ],
)
def test_an_edited_address_gets_no_sign_in(tmp_path: Path, edited: str) -> None:
    files = RunFolder(tmp_path)
    files.write(GUEST_OPERATION, edited.encode())
    with world("healthy_linux") as (_, azure, target):
        found = collect(azure, target, deadline_s=20)
        assert probed(azure, target, found, 20, files)["guest.probe"].answered


def test_of_a_long_serial_log_the_newest_boot_counts(tmp_path: Path) -> None:
    earlier = "[FAILED] Failed to start walinuxagent.service - Azure Linux Agent.\n"
    newest = "[  OK  ] Started walinuxagent.service - Azure Linux Agent.\n"
    log = earlier + "[   12.345678] filler of an old boot\n" * 300_000 + newest
    with opened("agent_stopped_linux", tmp_path, serial_log=log) as case:
        found = boot_diagnostics(case.azure, case.target, case.look(), 20)["guest.serial_log"]
    assert found.answered
    assert found.data["agent"] == "started"
