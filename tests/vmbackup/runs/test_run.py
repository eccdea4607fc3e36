"""The run of one VM: each act leaves the evidence whole and the folder such that the run goes on from there."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from saying import refused
from vmbackup.guest.document import GuestOutputError
from vmbackup.model import Fact, RunbookError, Verdict
from vmbackup.notebook.runbook import Runbook
from vmbackup.parameters import Parameters
from vmbackup.remedies.apply import Consent
from vmbackup.remedies.receipt import Receipt
from vmbackup.runs.folder import RUN_EVIDENCE, RunFolder
from vmbackup.runs.open import open_run
from vmbackup.runs.saved_run import SavedRun
from walking import cure, guest_output, interrupt, opened, restarted, run_over


def test_collecting_tells_each_fact_and_keeps_them(tmp_path: Path) -> None:
    with run_over("agent_old_linux", tmp_path) as run:
        reported: list[str] = []
        run.collect(lambda name, fact: reported.append(name))
        assert "vm.agent" in reported
        assert run.diagnosis().step("agent_linux").verdict is Verdict.PROBLEM
        assert run.next_cause() == "agent_linux"
        assert (tmp_path / RUN_EVIDENCE).exists()


def test_stopped_in_the_middle_what_was_known_before_stays(tmp_path: Path) -> None:
    with run_over("agent_old_linux", tmp_path) as run:
        run.collect()
        known = dict(run.evidence)
        stopped = Event()
        stopped.set()
        run.collect(stopped=stopped)
        assert run.evidence == known


def test_a_recheck_asks_only_for_what_the_cause_reads(tmp_path: Path) -> None:
    with opened("disk_too_large_windows", tmp_path, "disk_not_supported") as (run, simulator):
        run.collect()
        before = len(simulator.requests)
        run.recheck("disks")
        paths = [path.rsplit("/", 1)[-1] for _, path in simulator.requests[before:]]
        assert "effectiveRouteTable" not in paths
        assert any("disks" in path for _, path in simulator.requests[before:])
        assert run.next_cause() == "disks"


def test_what_an_earlier_guest_answer_said_stays_when_it_cannot_be_asked_again(tmp_path: Path) -> None:
    with run_over("agent_stopped_linux", tmp_path) as run:
        run.collect()
        run.paste(guest_output(run, "agent_stopped"))
        taken = run.evidence["guest.probe"].taken_at
        run.recheck("agent_linux")
        assert run.evidence["guest.probe"].taken_at == taken


@pytest.mark.parametrize("text", ["", "nothing of the kind", "<html><body>Sign in</body></html>"])
def test_pasting_something_else_changes_nothing(tmp_path: Path, text: str) -> None:
    with run_over("agent_stopped_linux", tmp_path) as run:
        run.collect()
        known = dict(run.evidence)
        with pytest.raises(GuestOutputError):
            run.paste(text)
        assert run.evidence == known
        assert run.pasted_at is None


def test_skipping_needs_a_reason_and_goes_on_to_the_next_open_cause(tmp_path: Path) -> None:
    with run_over("agent_stopped_linux", tmp_path) as run:
        run.collect()
        assert run.next_cause() == "agent_linux"
        with refused("Say why"):
            run.skip("agent_linux", "  ")
        run.skip("agent_linux", "restarts at 04:00")
        assert run.next_cause() not in (None, "agent_linux")
        run.take_up("agent_linux")
        assert run.next_cause() == "agent_linux"


def test_a_change_of_which_nobody_knows_the_end_leaves_nothing_old_either(tmp_path: Path) -> None:
    with opened("guest_disk_full_linux", tmp_path) as (run, simulator):
        run.collect()
        simulator.azure.worlds[0].spec["faults"] = [{"match": "/runCommand", "status": 401, "code": "Expired"}]
        run.files.journal.begin("restart_guest_agent_linux", run.target.vm_id, run.target.vm_id, None, {})
        with pytest.raises(RunbookError):
            cure(run)
        assert not [name for name in run.evidence if name.startswith("guest.")]


def test_a_file_of_guest_output_is_not_read_again_after_a_remedy(tmp_path: Path) -> None:
    with run_over("agent_stopped_linux", tmp_path) as run:
        file = tmp_path / "pasted.txt"
        file.write_text(guest_output(run, "agent_stopped"), "utf-8")
        run.parameters = replace(run.parameters, guest_output=str(file), probe="never")
        run.collect()
        assert run.evidence["guest.probe"].answered
        cure(run)
        run.collect()
        assert run.evidence["guest.probe"].why == "probe_off"


def test_a_file_of_guest_output_that_is_older_than_the_folders_last_remedy_is_refused(tmp_path: Path) -> None:
    with run_over("agent_stopped_linux", tmp_path) as run:
        file = tmp_path / "pasted.txt"
        file.write_text(guest_output(run, "agent_stopped"), "utf-8")
        done = Receipt("restart_vm", run.target.vm_id, "done", "me", None, "2026-12-01T00:00:00Z", (), {}, {})
        run.files.journal.close("", done)
        run.parameters = replace(run.parameters, guest_output=str(file))
        run.collect()
        assert run.evidence["guest.probe"].why == "before_change"


def test_the_job_that_the_operator_named_survives_remedy_recheck_and_backup(tmp_path: Path) -> None:
    with run_over("agent_old_linux", tmp_path) as run:
        run.collect()
        older = [job["name"] for job in run.evidence["backup.jobs"].data if job["status"] == "Failed"][1]
        run.parameters = replace(run.parameters, failure=older)
        acts: list[Callable[[], object]] = [
            run.collect, lambda: run.recheck("vss"), lambda: cure(run), run.back_up, lambda: run.recheck("vss"),
        ]  # fmt: skip
        for act in acts:
            act()
            assert run.evidence["backup.failed_job"].data["name"] == older
        assert run.proof is not None
        assert run.proof.fixed


def test_a_run_that_is_not_kept_leaves_no_file(tmp_path: Path) -> None:
    with run_over("agent_stopped_linux", tmp_path / "new") as run:
        run.kept = False
        run.collect()
        run.skip("agent_linux", "later")
    assert not (tmp_path / "new").exists()


def test_the_result_in_the_folder_follows_what_the_operator_does(tmp_path: Path) -> None:
    with run_over("agent_stopped_linux", tmp_path) as run:
        run.collect()
        run.paste(guest_output(run, "agent_stopped"))
        result = json.loads((tmp_path / "result.json").read_text("utf-8"))
        [step] = [each for each in result["steps"] if each["cause"] == "agent_linux"]
        verdicts = {each["check"]: each["verdict"] for each in step["findings"]}
        assert verdicts["linux_agent_process_runs"] == "problem"


def test_cells_that_run_again_after_a_remedy_start_no_backup(tmp_path: Path) -> None:
    with opened("agent_old_linux", tmp_path) as (run, simulator):
        run.collect()
        cure(run)
        Runbook(run).retry()
        assert not [path for _, path in simulator.requests if path.endswith("/backup")]
        run.back_up()
        assert "Fixed" in Runbook(run).retry().text()
        assert len([path for _, path in simulator.requests if path.endswith("/backup")]) == 1


def test_remedy_and_backup_prove_it_fixed_and_both_outlive_the_kernel(tmp_path: Path) -> None:
    with run_over("agent_old_linux", tmp_path) as run:
        run.collect()
        change = cure(run)
        assert change.receipt.outcome == "done"
        compared = {now.cause: (was.verdict, now.verdict) for was, now in change.steps}
        # Azure named the agent's version: whether that is over, only the next good backup shows.
        assert compared["agent_linux"] == (Verdict.PROBLEM, Verdict.UNKNOWN)
        assert run.changed["agent_linux"].verdict is Verdict.PROBLEM
        assert run.back_up().fixed
        assert run.diagnosis().step("agent_linux").verdict is Verdict.OK
        resumed = restarted(run)
        resumed.resume()
        assert resumed.proof == run.proof
        assert [each.remedy for each in resumed.receipts] == [change.receipt.remedy]


class KilledError(Exception):
    """The process ends here."""


class UntilProven(RunFolder):
    """The folder of a run that is killed when it would save its proof."""

    def save_run(self, done: SavedRun, *others: Any) -> None:
        if done.proof:
            raise KilledError
        super().save_run(done, *others)


def test_killed_before_its_proof_is_saved_a_run_follows_its_backup_and_orders_no_other(tmp_path: Path) -> None:
    with opened("healthy_linux", tmp_path) as (run, simulator):
        run.collect()
        run.files = UntilProven(tmp_path)
        with pytest.raises(KilledError):
            run.back_up()
        again = restarted(run)
        again.collect()
        assert again.back_up().fixed
        assert sum(method == "POST" and path.endswith("/backup") for method, path in simulator.requests) == 1


def test_what_an_interrupted_run_began_is_where_the_run_goes_on(tmp_path: Path) -> None:
    with run_over("agent_old_linux", tmp_path) as run:
        run.collect()
        plan = next(each for each in run.plans("agent_linux") if each.applicable)
        interrupt(run, plan)
        assert run.next_cause() == "agent_linux"
        found = run.plans("agent_linux")
        assert [each.remedy for each in found].count(plan.remedy) == 1
        assert run.apply(found[0], Consent.for_plan(found[0])).receipt.continued


def test_what_an_interrupted_run_began_and_nobody_continues_is_closed_and_said(tmp_path: Path) -> None:
    with run_over("agent_old_linux", tmp_path) as run:
        run.collect()
        plan = next(each for each in run.plans("agent_linux") if each.applicable)
        interrupt(run, plan, "2026-11-22T03:00:00Z")
        assert run.interrupted() == []
        run.collect()
        assert run.files.journal.unfinished() == []
        assert [each.outcome for each in run.files.journal.receipts()] == ["superseded"]
        assert "is not continued" in run.files.notices[-1]
        assert run.audit() == []


def test_a_replay_asks_and_changes_nothing(tmp_path: Path) -> None:
    with run_over("agent_old_linux", tmp_path) as run:
        run.collect()
    saved = Parameters(azure="replay", evidence_file=str(tmp_path / "evidence.json"), run_folder=str(tmp_path / "new"))
    replayed = open_run(saved, "agent_unreachable")
    assert not replayed.live
    assert replayed.next_cause() == "agent_linux"
    for ask in (replayed.collect, lambda: replayed.recheck("disks"), replayed.back_up, lambda: cure(replayed)):
        with refused("replay"):
            ask()


def test_an_error_while_asking_reaches_the_operator_and_loses_nothing(tmp_path: Path) -> None:
    with opened("agent_old_linux", tmp_path) as (run, simulator):
        run.collect()
        known = dict(run.evidence)
        for world in simulator.azure.worlds:
            world.spec["faults"] = [{"match": ".", "status": 401, "code": "ExpiredAuthenticationToken"}]
        for stopped in (None, Event()):
            with refused("az login"):
                run.collect(stopped=stopped)
            assert run.evidence == known


def test_what_is_kept_is_json_without_half_files(tmp_path: Path) -> None:
    with run_over("agent_stopped_linux", tmp_path) as run:
        run.collect()
        run.skip("agent_linux", "<b>later</b>")
    assert json.loads((tmp_path / "run.json").read_text("utf-8"))["skipped"]["agent_linux"]["reason"] == "<b>later</b>"


@pytest.mark.parametrize("ends", ["stop", "interrupt"])
def test_while_the_first_facts_come_in_nothing_is_final_and_a_stop_or_an_interrupt_keeps_them(
    ends: str, tmp_path: Path
) -> None:
    stopped, came, final = Event(), set[str](), set[str]()
    with run_over("agent_stopped_linux", tmp_path) as run:

        def on_fact(name: str, fact: Fact) -> None:
            came.add(name)
            steps = run.diagnosis().steps
            final.update(f"{step.cause} {step.verdict}" for step in steps if not run.is_being_checked(step))
            if name == "vm.agent":
                assert run.diagnosis().step("agent_linux").verdict is Verdict.PROBLEM, "known as soon as it is said"
            if len(came) == 20:
                stopped.set()
                if ends == "interrupt":
                    raise KeyboardInterrupt

        with suppress(KeyboardInterrupt):
            run.collect(on_fact, stopped if ends == "stop" else None)
        assert (run.awaited, set(run.evidence)) == (frozenset(), came)
        assert (tmp_path / RUN_EVIDENCE).exists()
        verdicts = {step.cause: step.verdict for step in run.diagnosis().steps}
        assert final <= {f"{cause} {verdict}" for cause, verdict in verdicts.items()}
        assert not any(each.startswith("agent_linux") for each in final), "the guest is still to come"
        assert Verdict.OK not in (verdicts["snapshot"], verdicts["extension"])
