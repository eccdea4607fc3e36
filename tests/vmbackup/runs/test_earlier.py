"""An earlier run in the folder: what is resumed, and what is not."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from saying import refused
from vmbackup.runs.folder import RUN_EVIDENCE
from vmbackup.runs.run import Run
from walking import cure, guest_output, restarted, run_over


def test_another_run_over_the_same_folder_goes_on_where_this_one_ended(tmp_path: Path) -> None:
    with run_over("agent_stopped_linux", tmp_path) as run:
        run.collect()
        assert run.earlier is None
        run.paste(guest_output(run, "agent_stopped"))
        run.skip("agent_linux", "restarts at 04:00")
        resumed = restarted(run)
        assert resumed.earlier
        resumed.resume()
        assert resumed.skipped == run.skipped
        assert resumed.pasted_at == run.pasted_at
        assert resumed.diagnosis() == run.diagnosis()


def test_after_new_asking_only_the_guests_answers_come_from_the_earlier_run(tmp_path: Path) -> None:
    with run_over("agent_stopped_linux", tmp_path) as run:
        run.collect()
        run.paste(guest_output(run, "agent_stopped"))
        resumed = restarted(run)
        resumed.collect()
        fresh = resumed.evidence["vm.agent"]
        resumed.resume()
        assert resumed.evidence["vm.agent"] is fresh
        assert resumed.evidence["guest.probe"] == run.evidence["guest.probe"]


def test_an_earlier_run_stays_in_the_folder_until_it_was_decided_about(tmp_path: Path) -> None:
    with run_over("agent_stopped_linux", tmp_path) as run:
        run.collect()
        run.paste(guest_output(run, "agent_stopped"))
        run.skip("agent_linux", "restarts at 04:00")
        undecided = restarted(run)
        undecided.collect()
        assert undecided.earlier
        undecided.skip("snapshot", "looked at by the network team")
        resumed = restarted(run)
        resumed.resume()
        assert set(resumed.skipped) == {"agent_linux", "snapshot"}
        assert resumed.pasted_at == run.pasted_at
        assert resumed.evidence["guest.probe"] == run.evidence["guest.probe"]


def test_what_was_started_over_is_not_offered_again(tmp_path: Path) -> None:
    with run_over("agent_stopped_linux", tmp_path) as run:
        run.collect()
        run.skip("agent_linux", "later")
        anew = restarted(run)
        anew.start_over()
        anew.collect()
        assert restarted(run).earlier is None or not restarted(run).earlier.worth


def test_an_earlier_run_never_brings_back_what_the_guest_said_before_a_remedy(tmp_path: Path) -> None:
    with run_over("guest_disk_full_linux", tmp_path) as run:
        run.collect()
        run.skip("guest_disk_space", "later")
        changing = restarted(run)
        changing.collect()
        changing.parameters = replace(changing.parameters, probe="never")
        cure(changing)
        changing.resume()
        assert changing.evidence["guest.probe"].why == "probe_off"


def test_an_applied_remedy_alone_is_worth_resuming_beside_new_evidence(tmp_path: Path) -> None:
    with run_over("agent_old_linux", tmp_path) as run:
        run.collect()
        applied = cure(run).receipt
        resumed = restarted(run)
        resumed.collect()
        assert resumed.earlier
        resumed.resume()
        assert [each.remedy for each in resumed.receipts] == [applied.remedy]


def test_a_run_whose_evidence_is_gone_is_not_offered(tmp_path: Path) -> None:
    with run_over("agent_stopped_linux", tmp_path) as run:
        run.collect()
        run.skip("agent_linux", "later")
        (tmp_path / RUN_EVIDENCE).unlink()
        assert restarted(run).earlier is None


def test_a_folder_with_another_vms_run_is_refused_and_stays_as_it_is(tmp_path: Path) -> None:
    with run_over("agent_stopped_linux", tmp_path) as run:
        run.collect()
        kept = (tmp_path / "run.json").read_bytes()
        namesake = replace(run.target, resource_group="rg-test")
        with refused("another VM, .*rg-agent-stopped-linux.*run_folder"):
            Run(run.parameters, run.section, namesake)
    assert (tmp_path / "run.json").read_bytes() == kept


def test_however_the_vm_is_written_and_its_vault_given_it_is_the_same_run(tmp_path: Path) -> None:
    with run_over("agent_stopped_linux", tmp_path) as run:
        run.collect()
        vault = "/subscriptions/0/resourceGroups/rg/providers/Microsoft.RecoveryServices/vaults/vault"
        written = replace(run.target, vm_name=run.target.vm_name.upper(), vault_id=vault)
        assert Run(run.parameters, run.section, written).earlier


def test_nothing_to_resume_is_said(tmp_path: Path) -> None:
    with run_over("agent_stopped_linux", tmp_path) as run, refused("no earlier walk"):
        run.resume()
