"""``vmbackup fleet --apply`` as an operator uses it: look at the plan, confirm its hash, and nothing else is done."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from faulty_fleets import REMEDY, FaultyFleet, faulty_fleet
from processes import started
from vmbackup.fleet.rollout.planning import Proposal
from vmbackup.fleet.rollout.record import Record

WORDS = ("fleet", "--apply", REMEDY, "--max-risk", "medium", "--folder")
NO_HASH = "0" * 32
FAULT = {"match": "DELETE .*/extensions/", "status": 409, "code": "Conflict", "message": "Somebody changes it."}
Command = Callable[..., Any]


@pytest.fixture
def of(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Callable[..., FaultyFleet]]:
    """``of(3)``: so many VMs in a simulated Azure, and the folder of a fleet."""
    entered = []

    def begin(count: int, different: Any = None, **common: Any) -> FaultyFleet:
        entered.append(faulty_fleet(tmp_path / "fleet", count, different or {}, **common))
        vms = entered[-1].__enter__()
        monkeypatch.setenv("VMBACKUP_ARM_ENDPOINT", vms.simulator.endpoint)
        return vms

    yield begin
    for each in entered:
        each.__exit__(None, None, None)


def events(output: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in output.splitlines()]


def test_first_the_plan_is_shown_and_with_its_hash_it_is_carried_out(vmbackup: Command, of: Any) -> None:
    vms = of(3, scenario="agent_stopped_linux")
    words = ("fleet", "--apply", "restart_vm", "--max-risk", "high", "--folder", vms.ledger.place)
    shown = vmbackup(*words)
    assert (shown.returncode, vms.simulator.requests) == (0, []), "to look costs nothing"
    for said in ("Plan for 3 VMs", "high", "1 + 2", "vm-02"):
        assert said in shown.stdout
    (plan,) = events(vmbackup(*words, "--json").stdout)
    assert f"--folder {vms.ledger.place} --max-risk high --confirm-plan {plan['hash']}" in shown.stdout
    assert [[vm["name"] for vm in wave] for wave in plan["waves"]] == [["vm-00"], ["vm-01", "vm-02"]]
    only = vmbackup(*words, "--confirm-plan", plan["hash"], "--dry-run")
    assert (only.returncode, only.stdout, vms.simulator.requests) == (0, shown.stdout, [])
    ran = vmbackup(*words, "--confirm-plan", plan["hash"], "--json")
    begin, *ended, end = events(ran.stdout)
    assert (begin["event"], begin["total"]) == ("begin", 3)
    assert {(each["name"], each["ending"]) for each in ended} == {(f"vm-{number:02}", "helped") for number in range(3)}
    assert ran.returncode == end["exit_code"] == 0, ran.stderr
    assert (end["helped"], end["open"]) == (3, 0)
    assert "summary.html" in end["files"]
    assert "helped 3" in (Path(vms.ledger.place) / "summary.html").read_text()
    twice = vmbackup(*words, "--confirm-plan", plan["hash"])
    assert (twice.returncode, "--resume" in twice.stderr) == (2, True)
    again = vmbackup(*words, "--confirm-plan", plan["hash"], "--resume", "--language", "de")
    assert (again.returncode, "geholfen 3" in again.stdout) == (0, True)
    assert sum(method == "POST" and "/restart" in path for method, path in vms.simulator.requests) == 3
    nothing = vmbackup(*words)
    assert (nothing.returncode, "holds no VM to which" in nothing.stderr) == (2, True)


def test_it_stops_at_a_vm_that_fails_and_says_what_to_do(vmbackup: Command, of: Any) -> None:
    vms = of(3, {0: {"faults": [FAULT]}})
    words = (*WORDS, vms.ledger.place)
    (plan,) = events(vmbackup(*words, "--json").stdout)
    ran = vmbackup(*words, "--confirm-plan", plan["hash"])
    assert ran.returncode == 1
    assert "Stopped at vm-00, 2 VMs were not begun" in ran.stdout
    assert "Somebody changes it." in ran.stdout
    assert "new plan" in ran.stderr
    again = vmbackup(*words, "--confirm-plan", plan["hash"], "--resume")
    assert (again.returncode, vms.deleted) == (1, ["vm-00"])


def test_only_exactly_the_plan_that_was_confirmed_is_carried_out(vmbackup: Command, of: Any) -> None:
    vms = of(2)
    folder = Path(vms.ledger.place)
    words = (*WORDS, vms.ledger.place)
    (plan,) = events(vmbackup(*words, "--json").stdout)
    confirmed = ("--confirm-plan", plan["hash"])
    evidence = folder / "vms" / "vm-01" / "evidence.json"
    content = evidence.read_text()

    def refused(said: str, *changed: str) -> None:
        ran = vmbackup(*(changed or words), *confirmed)
        assert (ran.returncode, said in ran.stderr) == (2, True), ran.stderr

    refused("no longer the one that was confirmed", *words, "--without", "vm-00")
    refused("no longer the one that was confirmed", *words, "--at-once", "1")
    refused("no longer the one that was confirmed", *words, "--retry")
    refused("no longer the one that was confirmed", "fleet", "--apply", REMEDY, "--folder", vms.ledger.place)
    refused("no longer the one that was confirmed", *(word.replace(REMEDY, "restart_vm") for word in words))
    refused("has not been started", *words, "--resume")
    evidence.write_text(content.replace("VMSnapshotLinux", "SomethingElse"))
    refused("no longer the one that was confirmed")
    evidence.write_text(content)
    orders = folder / "orders.json"
    rows = json.loads(orders.read_text())
    orders.write_text(json.dumps([{**row, "parameters": {**row["parameters"], "vault_id": ""}} for row in rows]))
    refused("no longer the one that was confirmed")
    orders.write_text(
        json.dumps([{**row, "parameters": {**row["parameters"], "remedies": "restart_vm"}} for row in rows])
    )
    refused("would change something")
    orders.write_text(json.dumps(rows))
    with vms.ledger.held():
        refused("Somebody else is working in")
    (folder / "remedies").mkdir()
    (folder / "remedies" / f"{plan['hash']}.json").write_text(json.dumps({"plan": plan}))
    refused("was changed", *words, "--resume")
    assert vms.simulator.requests == []


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--apply", REMEDY), "--folder"),
        (("--apply", "restart_the_vm", "--folder", "x"), "restart_vm"),
        (("--apply", f"{REMEDY},restart_vm", "--folder", "x"), "There is no remedy"),
        (("--apply", REMEDY, "--folder", "/nowhere/at/all"), "no run of a fleet"),
        (("--apply", REMEDY, "--folder", "x", "--confirm-plan", ""), "not the hash"),
        (("--apply", REMEDY, "--folder", "x", "--confirm-plan", "../../x"), "not the hash"),
        (("--apply", REMEDY, "--folder", "x", "--resume"), "--confirm-plan"),
        (("--apply", REMEDY, "--folder", "x", "--scheduler", "tcp://x"), "--scheduler"),
        (("--apply", REMEDY, "--from", "x.csv", "--folder", "x", "--confirm-plan", NO_HASH), "give --folder"),
        (("--from", "x.csv", "--confirm-plan", NO_HASH), "only be used with --apply"),
        (("--from", "x.csv", "--retry"), "only be used with --apply"),
        (("--from", "x.csv", "--at-once", "3"), "only be used with --apply"),
        (("--from", "x.csv", "--max-risk", "high"), "only be used with --apply"),
    ],
)
def test_what_contradicts_itself_is_refused(
    vmbackup: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], said: str
) -> None:
    words = tuple(str(tmp_path) if word == "x" else word for word in words)
    ran = vmbackup("fleet", *words)
    assert (ran.returncode, said in ran.stderr) == (2, True), ran.stderr


# --- interruptions ---------------------------------------------------------------------------------------------------


def wait_for_a_change(vms: FaultyFleet) -> None:
    """Until a change was sent and is followed."""
    until = time.monotonic() + 60
    while "DELETE" not in [method for method, _ in vms.simulator.requests[:-2]] and time.monotonic() < until:
        time.sleep(0.01)


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_after_an_interruption_the_rest_is_done_and_nothing_is_sent_twice(
    vmbackup: Command, of: Any, how: signal.Signals
) -> None:
    vms = of(2, operation_polls=10)
    words = (*WORDS, vms.ledger.place)
    (plan,) = events(vmbackup(*words, "--json").stdout)
    words = (*words, "--confirm-plan", plan["hash"])
    with started((sys.executable, "-m", "vmbackup", *words), stderr=subprocess.PIPE) as process:
        wait_for_a_change(vms)
        process.send_signal(how)
        _, said = process.communicate()
    assert vms.deleted == ["vm-00"], "no further VM is begun"
    if how is signal.SIGINT:
        assert process.returncode == 130, said
        assert "No further VM will be changed" in said
        assert "--resume" in said
    vms.go_on()
    record = Record(vms.ledger.place, plan["hash"])
    assert record.ended() == {}, "whether its agent reports again is left to the next run"
    assert record.agreed
    ends = list(vms.run_of(Proposal(record.agreed, {}), record).run())
    assert {end["ending"] for end in ends} == {"unclear"}, ends
    assert sorted(record.ended()) == sorted(vms.deleted) == ["vm-00", "vm-01"]
    receipts = [Path(vms.ledger.folder(name)) / "receipts.jsonl" for name in record.ended()]
    assert [len(path.read_text().splitlines()) for path in receipts] == [1, 1]
