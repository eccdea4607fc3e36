"""The operator's way through a run: each act leaves the evidence whole and the folder such that the walk goes on."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from threading import Event

import pytest

from vmbackup.guest.document import GuestOutputError
from vmbackup.model import RunbookError, SetupError, Verdict
from vmbackup.notebook.runbook import Run, run_for
from vmbackup.parameters import Parameters
from vmbackup.remedies.journal import Operations
from vmbackup.runs.run import EVIDENCE_FILE, Walkthrough
from walking import guest_output, opened, run_over


def collected(run: Run) -> Walkthrough:
    way = Walkthrough(run)
    way.collect(lambda name, fact: None, Event())
    return way


def test_collecting_tells_each_fact_and_keeps_them(tmp_path: Path) -> None:
    with run_over("agent_old_linux", tmp_path) as run:
        told: list[str] = []
        way = Walkthrough(run)
        way.collect(lambda name, fact: told.append(name), Event())
        assert "vm.agent" in told
        assert way.walk().step("agent_linux").verdict is Verdict.PROBLEM
        assert way.next_cause() == "agent_linux"
        assert (tmp_path / EVIDENCE_FILE).exists()


def test_stopped_in_the_middle_what_was_known_before_stays(tmp_path: Path) -> None:
    with run_over("agent_old_linux", tmp_path) as run:
        way = collected(run)
        known = dict(run.evidence)
        stopped = Event()
        stopped.set()
        way.collect(lambda name, fact: None, stopped)
        assert run.evidence == known


def test_a_re_check_asks_only_for_what_the_cause_reads(tmp_path: Path) -> None:
    with opened("disk_too_large_windows", tmp_path, "disk_not_supported") as (run, simulator):
        way = collected(run)
        before = len(simulator.requests)
        way.recheck("disks", lambda name, fact: None)
        paths = [path.rsplit("/", 1)[-1] for _, path in simulator.requests[before:]]
        assert "effectiveRouteTable" not in paths
        assert any("disks" in path for _, path in simulator.requests[before:])
        assert way.next_cause() == "disks"


def test_what_an_earlier_guest_answer_said_stays_when_it_cannot_be_asked_again(tmp_path: Path) -> None:
    with run_over("agent_stopped_linux", tmp_path) as run:
        way = collected(run)
        way.paste(guest_output(run, "agent_stopped"))
        taken = run.evidence["guest.probe"].taken_at
        way.recheck("agent_linux", lambda name, fact: None)
        assert run.evidence["guest.probe"].taken_at == taken


@pytest.mark.parametrize("text", ["", "nothing of the kind", "<html><body>Sign in</body></html>"])
def test_pasting_something_else_changes_nothing(tmp_path: Path, text: str) -> None:
    with run_over("agent_stopped_linux", tmp_path) as run:
        way = collected(run)
        known = dict(run.evidence)
        with pytest.raises(GuestOutputError):
            way.paste(text)
        assert run.evidence == known
        assert way.pasted_at is None


def test_skipping_needs_a_reason_and_goes_on_to_the_next_open_cause(tmp_path: Path) -> None:
    with run_over("agent_stopped_linux", tmp_path) as run:
        way = collected(run)
        assert way.next_cause() == "agent_linux"
        with pytest.raises(SetupError, match="Say why"):
            way.skip("agent_linux", "  ")
        way.skip("agent_linux", "restarts at 04:00")
        assert way.next_cause() not in (None, "agent_linux")
        way.take_up("agent_linux")
        assert way.next_cause() == "agent_linux"


def test_another_run_over_the_same_folder_takes_up_the_walk(tmp_path: Path) -> None:
    with run_over("agent_stopped_linux", tmp_path) as run:
        way = collected(run)
        assert way.earlier is None
        way.paste(guest_output(run, "agent_stopped"))
        way.skip("agent_linux", "restarts at 04:00")
        resumed = Walkthrough(Run(run.parameters, run.section, run.target, run.azure))
        assert resumed.earlier
        resumed.resume()
        assert resumed.skipped == way.skipped
        assert resumed.pasted_at == way.pasted_at
        assert resumed.walk() == way.walk()


def test_after_new_asking_only_the_guests_answers_come_from_the_earlier_walk(tmp_path: Path) -> None:
    with run_over("agent_stopped_linux", tmp_path) as run:
        way = collected(run)
        way.paste(guest_output(run, "agent_stopped"))
        pasted = run.evidence["guest.probe"]
        again = Run(run.parameters, run.section, run.target, run.azure)
        again.collect()
        fresh = again.evidence["vm.agent"]
        resumed = Walkthrough(again)
        resumed.resume()
        assert again.evidence["vm.agent"] is fresh
        assert again.evidence["guest.probe"] == pasted


def test_an_earlier_walk_stays_in_the_folder_until_it_was_decided_about(tmp_path: Path) -> None:
    with run_over("agent_stopped_linux", tmp_path) as run:
        way = collected(run)
        way.paste(guest_output(run, "agent_stopped"))
        way.skip("agent_linux", "restarts at 04:00")
        undecided = collected(Run(run.parameters, run.section, run.target, run.azure))
        assert undecided.earlier
        undecided.skip("snapshot", "looked at by the network team")
        again = Walkthrough(Run(run.parameters, run.section, run.target, run.azure))
        again.resume()
        assert set(again.skipped) == {"agent_linux", "snapshot"}
        assert again.pasted_at == way.pasted_at
        assert again.run.evidence["guest.probe"] == run.evidence["guest.probe"]


def test_an_applied_remedy_alone_is_worth_resuming_beside_new_evidence(tmp_path: Path) -> None:
    with run_over("agent_old_linux", tmp_path) as run:
        way = collected(run)
        plan = next(each for each in way.plans("agent_linux") if each.applicable)
        way.apply("agent_linux", plan)
        restarted = collected(Run(run.parameters, run.section, run.target, run.azure))
        assert restarted.earlier
        restarted.resume()
        assert [each.remedy for each in restarted.run.receipts] == [plan.remedy]


def test_a_walk_whose_evidence_is_gone_is_not_offered(tmp_path: Path) -> None:
    with run_over("agent_stopped_linux", tmp_path) as run:
        collected(run).skip("agent_linux", "later")
        (tmp_path / EVIDENCE_FILE).unlink()
        assert Walkthrough(run).earlier is None


def test_the_result_in_the_folder_follows_what_the_operator_does(tmp_path: Path) -> None:
    with run_over("agent_stopped_linux", tmp_path) as run:
        collected(run).paste(guest_output(run, "agent_stopped"))
        result = json.loads((tmp_path / "result.json").read_text("utf-8"))
        [step] = [each for each in result["steps"] if each["cause"] == "agent_linux"]
        told = {each["check"]: each["verdict"] for each in step["findings"]}
        assert told["linux_agent_process_runs"] == "problem"


def test_cells_that_run_again_after_a_remedy_start_no_backup(tmp_path: Path) -> None:
    with opened("agent_old_linux", tmp_path) as (run, simulator):
        way = collected(run)
        way.apply("agent_linux", next(each for each in way.plans("agent_linux") if each.applicable))
        run.retry()
        assert not [path for _, path in simulator.requests if path.endswith("/backup")]
        assert way.went_on
        way.retry(lambda progress: None, Event())
        assert "Fixed" in run.retry().text()
        assert len([path for _, path in simulator.requests if path.endswith("/backup")]) == 1


def test_a_folder_with_another_vms_walk_is_refused_and_stays_as_it_is(tmp_path: Path) -> None:
    with run_over("agent_stopped_linux", tmp_path) as run:
        collected(run).skip("agent_linux", "later")
        kept = (tmp_path / "walk.json").read_bytes()
        namesake = replace(run.target, resource_group="rg-test")
        with pytest.raises(SetupError, match="another VM, .*rg-agent-stopped-linux.*run_folder"):
            Walkthrough(Run(run.parameters, run.section, namesake, run.azure))
    assert (tmp_path / "walk.json").read_bytes() == kept


def test_however_the_vm_is_written_and_its_vault_given_it_is_the_same_walk(tmp_path: Path) -> None:
    with run_over("agent_stopped_linux", tmp_path) as run:
        collected(run).skip("agent_linux", "later")
        vault = "/subscriptions/0/resourceGroups/rg/providers/Microsoft.RecoveryServices/vaults/vault"
        written = replace(run.target, vm_name=run.target.vm_name.upper(), vault_id=vault)
        assert Walkthrough(Run(run.parameters, run.section, written, run.azure)).earlier


def test_what_was_asked_again_is_newer_than_the_cells(tmp_path: Path) -> None:
    with run_over("agent_stopped_linux", tmp_path) as run:
        way = collected(run)
        assert not way.went_on
        way.recheck("disks", lambda name, fact: None)
        assert way.went_on
        again = Walkthrough(run)
        again.collect(lambda name, fact: None, Event())
        assert again.went_on


def test_nothing_to_resume_is_said(tmp_path: Path) -> None:
    with run_over("agent_stopped_linux", tmp_path) as run, pytest.raises(SetupError, match="no earlier walk"):
        Walkthrough(run).resume()


def test_apply_then_retry_proves_it_fixed_and_both_outlive_the_kernel(tmp_path: Path) -> None:
    with run_over("agent_old_linux", tmp_path) as run:
        way = collected(run)
        plan = next(each for each in way.plans("agent_linux") if each.applicable)
        receipt = way.apply("agent_linux", plan)
        assert receipt.outcome == "done"
        assert way.changed["agent_linux"].verdict is Verdict.PROBLEM
        assert way.walk().step("agent_linux").verdict is Verdict.OK
        assert way.retry(lambda progress: None, Event()).fixed
        resumed = Walkthrough(Run(run.parameters, run.section, run.target, run.azure))
        resumed.resume()
        assert resumed.run.proof == run.proof
        assert [each.remedy for each in resumed.run.receipts] == [plan.remedy]


def test_what_an_interrupted_run_began_is_where_the_walk_goes_on(tmp_path: Path) -> None:
    with run_over("agent_old_linux", tmp_path) as run:
        way = collected(run)
        plan = next(each for each in way.plans("agent_linux") if each.applicable)
        Operations(tmp_path).begin(plan.remedy, plan.resource, {}, plan.values, plan.cures)
        gone = {**run.evidence["vm.agent"].data, "version": "2.15.0.1"}
        run.evidence["vm.agent"] = replace(run.evidence["vm.agent"], data=gone)
        assert way.next_cause() == "agent_linux"
        again = way.plans("agent_linux")
        assert [each.remedy for each in again].count(plan.remedy) == 1
        assert way.apply("agent_linux", again[0]).continued


def test_a_replay_asks_and_changes_nothing(tmp_path: Path) -> None:
    with run_over("agent_old_linux", tmp_path) as run:
        collected(run)
        run.result()
    saved = Parameters(azure="replay", evidence_file=str(tmp_path / "evidence.json"), run_folder=str(tmp_path / "new"))
    way = Walkthrough(run_for(saved, "agent_unreachable"))
    assert not way.live
    assert way.next_cause() == "agent_linux"
    for ask in (
        lambda: way.collect(lambda name, fact: None, Event()),
        lambda: way.recheck("disks", lambda name, fact: None),
        lambda: way.retry(lambda progress: None, Event()),
    ):
        with pytest.raises(RunbookError, match="replay"):
            ask()


def test_an_error_while_asking_reaches_the_operator_and_loses_nothing(tmp_path: Path) -> None:
    with opened("agent_old_linux", tmp_path) as (run, simulator):
        way = collected(run)
        known = dict(run.evidence)
        for world in simulator.azure.worlds:
            world.spec["faults"] = [{"match": ".", "status": 401, "code": "ExpiredAuthenticationToken"}]
        with pytest.raises(SetupError, match="az login"):
            way.collect(lambda name, fact: None, Event())
        assert run.evidence == known


def test_what_is_kept_is_json_without_half_files(tmp_path: Path) -> None:
    with run_over("agent_stopped_linux", tmp_path) as run:
        collected(run).skip("agent_linux", "<b>later</b>")
    assert json.loads((tmp_path / "walk.json").read_text("utf-8"))["skipped"]["agent_linux"]["reason"] == "<b>later</b>"
