"""The start notebook lists VMs that failed, lets one choose where to look, and writes what opens their runbooks."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from azuresim.loading import load_world
from saying import refused
from vmbackup.arm.connection import Azure
from vmbackup.notebook.start import DEMO_WORLDS, Start, open_start
from vmbackup.parameters import from_notebook, target
from vmbackup.widgets.start import StartTool
from worlds import connected, serving, world


def start(azure: Azure, **given: str) -> Start:
    return Start(from_notebook({"azure": "live", **given}, about="vault"), azure, {})


@pytest.fixture
def buttons(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A frontend that shows buttons, in a folder of its own."""
    monkeypatch.setenv("VMBACKUP_WIDGETS", "1")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def shown(book: Start) -> StartTool:
    tool = book.failed_jobs()
    assert isinstance(tool, StartTool)
    return tool


def choose(tool: StartTool, **choice: Any) -> list[dict[str, Any]]:
    """What the frontend is told when the operator chooses this."""
    told: list[dict[str, Any]] = []
    tool.send = lambda content, buffers=None: told.append(content)
    tool._handle_custom_msg(choice, [])
    return told


def rows(tool: StartTool) -> list[Mapping[str, Any]]:
    return tool.view["list"]["rows"] if tool.view["list"] else []


def test_a_block_of_parameters_opens_the_runbook_also_below_the_parameters_of_the_demo() -> None:
    with world("agent_stopped_linux") as (_, azure, subject):
        page = start(azure, subscription_id=subject.subscription_id).failed_jobs()
        named = start(azure, vm_id=subject.vm_id).failed_jobs()
    block = page.blocks[-1].blocks[0].text  # type: ignore[union-attr]
    notebook: dict[str, object] = {"azure": "simulator", "scenario": "agent_stopped_linux", "subscription_id": ""}
    exec(block, {}, notebook)
    assert target(from_notebook(notebook)).vm_id.lower() == subject.vm_id.lower()
    assert named == page


def test_jobs_that_cannot_be_read_leave_their_reason_and_a_vm_that_was_named_keeps_its_row(tmp_path: Path) -> None:
    (tmp_path / "denied.yaml").write_text(
        "os: linux\nfaults: [{match: resourceGraph, status: 403, code: AuthorizationFailed}]\n", "utf-8"
    )
    with world(tmp_path / "denied.yaml") as (_, azure, subject):
        page = start(azure, subscription_id=subject.subscription_id).failed_jobs().text()
        named = start(azure, vm_id=subject.vm_id).failed_jobs().text()
    assert "Microsoft.RecoveryServices/Vaults/backupJobs/read" in page
    assert "Last good backups could not be read" in page
    assert "no failed job found" in named
    assert subject.vm_name in named


def test_a_vm_that_was_repaired_is_shown_as_recovered() -> None:
    loaded = load_world("agent_old_linux")
    with serving(loaded) as simulator:
        azure, subject = connected(simulator, loaded)
        book = start(azure, subscription_id=subject.subscription_id)
        assert "not yet" in book.failed_jobs().text()
        jobs = loaded.machines[0]["jobs"]
        jobs.insert(0, completed(jobs[0]))
        text = book.failed_jobs().text()
    assert "✔ " in text
    assert "not yet" not in text


def completed(failed: Mapping[str, Any]) -> dict[str, Any]:
    times = {name: failed[name] + timedelta(hours=1) for name in ("start", "end")}
    return {**failed, **times, "status": "Completed", "errors": [], "name": "11111111-0000-0000-0000-000000000000"}


def test_the_demo_says_that_it_is_one_and_each_button_writes_a_runbook_of_its_own(buttons: Path) -> None:
    tool = shown(open_start({"azure": "simulator", "scenario": "", "language": "en"}))
    assert tool.view["notices"] == ["Simulated data: none of these VMs is real."]
    assert len(rows(tool)) == len(DEMO_WORLDS)
    told = [choose(tool, open=row["key"])[-1]["open"] for row in rows(tool)]
    assert all(each["run"] and (buttons / each["name"]).exists() for each in told)
    assert len({each["name"] for each in told}) == len(DEMO_WORLDS)
    first = buttons / told[0]["name"]
    first.write_text(first.read_text("utf-8").replace("retry: bool = False", "retry: bool = True"), "utf-8")
    again = choose(tool, open=rows(tool)[0]["key"])[-1]["open"]
    assert (again["name"], again["run"]) == (told[0]["name"], False), "what an operator changed is never run"
    first.write_text(first.read_text("utf-8").replace("retry: bool = True", "retry: bool = False"), "utf-8")
    books = [json.loads((buttons / each["name"]).read_text("utf-8")) for each in told]
    cells = ["".join(cell["source"]) for book in books for cell in book["cells"] if cell["metadata"].get("tags")]
    assert all('remedies: str = ""' in cell and "retry: bool = False" in cell for cell in cells)
    assert sorted(name for cell in cells for name in DEMO_WORLDS if f'scenario: str = "{name}"' in cell) == sorted(
        DEMO_WORLDS
    )


def test_what_was_proved_in_a_simulated_runbook_is_shown(buttons: Path) -> None:
    folder = buttons / "runs" / "disk_too_large_linux"
    folder.mkdir(parents=True)
    proof = {"fixed": True, "point": {"time": "2026-11-24T00:00:00Z"}}
    (folder / "result.json").write_text(json.dumps({"proof": proof}), "utf-8")
    tool = shown(open_start({"scenario": "disk_too_large_linux"}))
    [row] = rows(tool)
    assert (row["verdict"], row["cells"][-1]) == ("ok", "2026-11-24 00:00 UTC")


def test_one_finds_ones_own_azure_without_knowing_an_id(buttons: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    worlds = [load_world("agent_stopped_linux"), load_world("agent_old_linux")]
    with serving(*worlds) as simulator:
        monkeypatch.setenv("VMBACKUP_ARM_ENDPOINT", simulator.endpoint)
        tool = shown(open_start({"scenario": "disk_too_large_linux"}))
        choose(tool, own=True)
        assert len(rows(tool)) == 2
        assert tool.view["notices"] == []
        [vaults] = tool.view["choices"]
        vault = vaults["options"][1]
        choose(tool, vault=vault[0])
        assert len(rows(tool)) == 1
        choose(tool, vault="")
        assert len(rows(tool)) == 2


@pytest.mark.usefixtures("buttons")
def test_where_nothing_is_named_one_chooses_among_the_subscriptions_that_one_can_see(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    failing, healthy = load_world("agent_stopped_linux"), load_world("healthy_linux", seed=7)
    with serving(failing, healthy) as simulator:
        monkeypatch.setenv("VMBACKUP_ARM_ENDPOINT", simulator.endpoint)
        tool = shown(open_start({"azure": "live", "scenario": "agent_stopped_linux"}))
        assert (rows(tool), tool.status) == ([], "")
        [places] = tool.view["choices"]
        assert {each[0] for each in places["options"]} == {"", failing.subscription, healthy.subscription}
        choose(tool, subscription=healthy.subscription)
        assert "No failed backup jobs" in tool.view["notices"][0]
        choose(tool, subscription=failing.subscription)
        assert len(rows(tool)) == 1
        monkeypatch.delenv("VMBACKUP_WIDGETS")
        page = open_start({"azure": "live"}).failed_jobs().text()
    assert failing.subscription in page


def test_what_goes_wrong_is_said_in_the_tool_and_leaves_nothing_of_the_place_before(
    buttons: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with world("agent_stopped_linux") as (simulator, _, subject):
        monkeypatch.setenv("VMBACKUP_ARM_ENDPOINT", simulator.endpoint)
        tool = shown(open_start({"azure": "live", "subscription_id": subject.subscription_id}))
        assert rows(tool)
        choose(tool, again=True)
        assert rows(tool)
        choose(tool, subscription="11111111-2222-3333-4444-555555555555")
    assert "does not know the subscription" in tool.status
    assert rows(tool) == []


def test_wrong_parameters_are_refused_in_words() -> None:
    with refused("is not the resource id of a vault"):
        open_start({"azure": "live", "vault_id": "my-vault"})
