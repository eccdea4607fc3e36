"""One remedy for many VMs: what is true now decides for each; harm stops at the wave in which it shows; and nothing is
sent twice."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from faulty_fleets import REMEDY, SPOILT, faulty_fleet
from saying import refused
from vmbackup.fleet.ledger import Ledger
from vmbackup.fleet.rollout.record import rollouts
from vmbackup.fleet.rollout.vm import Patience
from vmbackup.many_vms import fleet_of
from vmbackup.runs.folder import RunFolder
from vmbackup.runs.lock import vm_lock
from vmbackup.runs.rollout import Ending

FAULT = {"match": "DELETE .*/extensions/", "status": 409, "code": "Conflict", "message": "Somebody changes it."}


def endings(ends: Any) -> dict[str, str]:
    return {name: end["ending"] for name, end in ends.items()}


def test_each_vm_is_changed_once_in_its_wave_with_its_own_audit_receipt_and_proof(tmp_path: Path) -> None:
    with faulty_fleet(tmp_path, 4) as vms:
        ends = vms.carried_out(width=2, retry=True)
        assert vms.deleted[0] == "vm-00", "one before all others"
        assert set(vms.deleted[1:3]) == {"vm-01", "vm-02"}
        assert vms.deleted[3:] == ["vm-03"]
    assert endings(ends) == dict.fromkeys(ends, "helped")
    assert {end["fixed"] for end in ends.values()} == {True}
    for name in ends:
        files = RunFolder(vms.ledger.folder(name))
        assert [each.remedy for each in files.journal.receipts()] == [REMEDY, "backup_now"]
        assert [row["method"] for row in files.audited()] == ["DELETE", "POST"]
        assert {row["resource"].lower().count(f"{name[3:]}") > 0 for row in files.audited()} == {True}
        result = files.result() or {}
        assert [each["outcome"] for each in result["remedies"]] == ["done"]
        assert result["proof"]["fixed"]
        assert files.evidence_before()["vm.extensions"].data, "what was before is kept"
    (rollout,) = rollouts(vms.ledger.place)
    assert endings(rollout.ends) == endings(ends)
    for language, words in (("en", "helped 4"), ("de", "geholfen 4")):
        many = fleet_of(vms.ledger.place, language)
        assert words in many.remedies().text()
        assert words in many.document()


@pytest.mark.parametrize(
    ("bad", "waves"),
    [((0, 9, 18, 27, 36, 45), 1), ((2, 4, 23, 31, 40, 59), 2)],
    ids=["the first", "among the few"],
)
def test_of_sixty_vms_of_which_a_tenth_gets_worse_only_one_wave_is_harmed(
    tmp_path: Path, bad: tuple[int, ...], waves: int
) -> None:
    with faulty_fleet(tmp_path, 60, dict.fromkeys(bad, SPOILT)) as vms:
        proposal = vms.propose()
        ends = {end["name"]: end for end in vms.run_of(proposal).run()}
        reached = [vm["name"] for wave in proposal.agreement.waves[:waves] for vm in wave]
        harmed = {f"vm-{number:02}" for number in bad}.intersection(reached)
        assert set(vms.deleted) <= set(reached)
        assert vms.harmed() <= harmed
        assert vms.harmed()
    worse = {name for name, end in ends.items() if end["ending"] == Ending.WORSE}
    assert worse == vms.harmed()
    assert {ends[name]["why"] for name in worse} == {"Its agent reported before and has not reported since."}
    many = fleet_of(vms.ledger.place, "en")
    assert f"Stopped at {next(name for name in ends if name in worse)}" in many.remedies().text()


def test_harm_among_the_rest_stops_after_one_slice(tmp_path: Path) -> None:
    with faulty_fleet(tmp_path, 9, {4: SPOILT, 7: SPOILT}) as vms:
        ends = vms.carried_out(width=2)
        assert vms.harmed() == {"vm-04"}
        assert sorted(ends) == ["vm-00", "vm-01", "vm-02", "vm-03", "vm-04"]


def test_a_remedy_that_fails_stops_as_well(tmp_path: Path) -> None:
    with faulty_fleet(tmp_path, 3, {0: {"faults": [FAULT]}}) as vms:
        ends = vms.carried_out()
        assert endings(ends) == {"vm-00": "worse"}
        assert "Somebody changes it." in ends["vm-00"]["why"]
        assert ends["vm-00"]["outcome"] == "failed"


def test_what_azure_does_not_answer_for_a_while_is_followed_to_its_end(tmp_path: Path) -> None:
    cut = {"match": "GET .*Microsoft.Compute/locations/.*/operations/", "mode": "cut_off", "times": 4}
    with faulty_fleet(tmp_path, 1, {0: {"faults": [cut]}}) as vms:
        proposal = vms.propose()
        proposal.agreement.vms[0]["parameters"]["probe"] = "never"
        record = vms.begin(proposal)
        ends = {end["name"]: end for end in vms.run_of(proposal, record, patience=Patience(9, 0.01)).run()}
        assert endings(ends) == {"vm-00": "unclear"}, ends
        assert vms.worlds[0].spec["faults"][0]["_done"] == 4
        assert vms.deleted == ["vm-00"]
        assert len(RunFolder(vms.ledger.folder("vm-00")).journal.receipts()) == 1


def test_a_vm_that_is_not_as_planned_any_more_is_left_out_and_nothing_is_sent(tmp_path: Path) -> None:
    healthy = {"snapshot_extension": {}, "vm": {}, "failure": {}, "backup_fails_while": []}
    lock = {"name": "keep", "level": "CanNotDelete", "scope": "vm"}
    now: dict[str, tuple[dict[str, Any], str]] = {
        "vm-00": (healthy, "the problem that this remedy fixes is no longer found"),
        "vm-01": ({"exists": False}, "does not know the VM"),
        "vm-02": ({"locks": [lock]}, "keep"),
        "vm-03": ({"permissions": {"deny": ["Microsoft.Compute/virtualMachines/extensions/delete"]}}, "extensions/del"),
        "vm-04": ({"vm": {"power": "deallocated"}}, ""),
        "vm-05": ({"agent": {"state": "not_ready", "message": "VM Agent is unresponsive."}}, ""),
        "vm-06": ({"jobs": [{"operation": "Backup", "status": "InProgress", "hours_ago": 0.1}]}, "running"),
        "vm-07": ({}, "Another run is changing"),
        "vm-08": ({}, "would now do something else"),
    }
    with faulty_fleet(tmp_path, len(now), dict(enumerate(world for world, _ in now.values()))) as vms:
        proposal = vms.propose()
        proposal.agreement.vms[-1]["what"] = "Deletes the extension VMSnapshotLinux of vm-08 and vm-09."
        with vm_lock(vms.simulator.endpoint, vms.world("vm-07").vm_id(vms.world("vm-07").machines[0]).lower()):
            ends = {end["name"]: end for end in vms.run_of(proposal).run()}
        assert vms.deleted == []
    assert endings(ends) == dict.fromkeys(now, "left_out")
    assert {name: ends[name]["why"] for name, (_, words) in now.items() if words not in ends[name]["why"]} == {}
    assert all(end["why"] for end in ends.values())
    assert [end["wave"] for end in ends.values()] == list(range(1, len(now) + 1)), "one by one until one was changed"


def test_after_a_stop_nothing_further_is_begun_and_the_next_run_does_the_rest_once(tmp_path: Path) -> None:
    with faulty_fleet(tmp_path, 4) as vms:
        proposal = vms.propose(width=2)
        record = vms.begin(proposal)
        first = vms.run_of(proposal, record)
        for _ in first.run():
            first.stop()
        assert list(record.ended()) == ["vm-00"]
        assert vms.deleted == ["vm-00"]
        again = vms.run_of(proposal, record)
        assert {end["name"] for end in again.run()} == {"vm-01", "vm-02", "vm-03"}
        assert sorted(vms.deleted) == ["vm-00", "vm-01", "vm-02", "vm-03"]
        assert list(vms.run_of(proposal, record).run()) == []


def test_once_a_vm_got_worse_a_later_run_begins_no_other(tmp_path: Path) -> None:
    with faulty_fleet(tmp_path, 3, {0: SPOILT}) as vms:
        proposal = vms.propose()
        record = vms.begin(proposal)
        assert endings({end["name"]: end for end in vms.run_of(proposal, record).run()}) == {"vm-00": "worse"}
        assert list(vms.run_of(proposal, record).run()) == []
        assert vms.deleted == ["vm-00"]


# --- the plan --------------------------------------------------------------------------------------------------------


def test_the_plan_names_who_is_left_out_and_why_and_asks_nothing(tmp_path: Path) -> None:
    with faulty_fleet(tmp_path, 5) as vms:
        (tmp_path / "vms" / "vm-01" / "evidence.json").write_text("{")
        (tmp_path / "vms" / "vm-02" / "runbook.ipynb").unlink()
        (tmp_path / "vms" / "vm-03" / "evidence.json").write_text(
            (tmp_path / "vms" / "vm-04" / "evidence.json").read_text()
        )
        before = sorted(tmp_path.rglob("*"))
        proposal = vms.propose(without=["vm-04"])
        assert vms.simulator.requests == []
        assert sorted(tmp_path.rglob("*")) == before
    assert [vm["name"] for vm in proposal.agreement.vms] == ["vm-00"]
    why = {each["name"]: each["why"] for each in proposal.left}
    assert sorted(why) == ["vm-01", "vm-02", "vm-03", "vm-04"]
    assert "evidence.json" in why["vm-01"]
    assert "not finished" in why["vm-02"]
    assert "another VM" in why["vm-03"]
    assert "--without" in why["vm-04"]


def test_a_remedy_beyond_the_allowed_risk_is_planned_for_nobody(tmp_path: Path) -> None:
    with faulty_fleet(tmp_path, 2) as vms:
        proposal = vms.propose(max_risk="low")
        assert proposal.agreement.vms == []
        assert {each["why"] for each in proposal.left} == {"Its risk is medium, and max_risk allows low."}
        assert vms.propose(remedy="restart_vm").unaffected == 2
        with refused("no VM 'vm-99'"):
            vms.propose(without=["vm-99"])


def test_the_same_change_for_several_vms_is_made_once(tmp_path: Path) -> None:
    with faulty_fleet(tmp_path, 3, scenario="no_internet_linux") as vms:
        content = (tmp_path / "vms" / "vm-01" / "evidence.json").read_text()
        # The group of VM 00 stands before both.
        (tmp_path / "vms" / "vm-01" / "evidence.json").write_text(
            content.replace("rg-01/providers/Microsoft.Network/networkSecurityGroups/", "rg-00/providers/"
                            "Microsoft.Network/networkSecurityGroups/").replace("nsg-01", "nsg-00")
        )  # fmt: skip
        proposal = vms.propose(remedy="allow_storage_in_nsg")
        assert [vm["name"] for vm in proposal.agreement.vms] == ["vm-00", "vm-02"]
        assert [(each["name"], each["why"]) for each in proposal.left] == [
            ("vm-01", "The same change is already planned for vm-00; it is needed only once.")
        ]


def test_the_hash_is_the_same_in_both_languages_and_another_for_other_vms(tmp_path: Path) -> None:
    with faulty_fleet(tmp_path, 3) as vms:
        plain = vms.propose()
        german = vms.propose(language="de")
        assert plain.agreement.digest == german.agreement.digest
        assert plain.words != german.words
        others = [vms.propose(without=["vm-01"]), vms.propose(width=1), vms.propose(retry=True)]
        assert len({plain.agreement.digest, *(each.agreement.digest for each in others)}) == 4


# --- the folder ------------------------------------------------------------------------------------------------------


def test_a_plan_that_was_changed_on_file_is_not_the_one_that_was_agreed_to(tmp_path: Path) -> None:
    with faulty_fleet(tmp_path, 2) as vms:
        record = vms.begin(vms.propose())
        assert record.agreed
        file = tmp_path / "remedies" / f"{record.digest}.json"
        content = json.loads(file.read_text())
        content["plan"]["vms"][0]["vm_id"] += "-other"
        file.write_text(json.dumps(content))
        assert record.agreed is None
        assert record.rollout() is None
        for spoilt in ("", "[]", "{", "\x00", "[" * 100_000):
            file.write_text(spoilt)
            assert record.agreed is None
            assert rollouts(str(tmp_path)) == []


def test_lines_that_cannot_be_read_are_left_out(tmp_path: Path) -> None:
    with faulty_fleet(tmp_path, 2) as vms:
        record = vms.begin(vms.propose())
        end = {"event": "ended", "name": "vm-00", "wave": 1, "ending": "helped", "why": "", "outcome": None}
        events = [{**end, "name": "../x"}, {**end, "ending": "great"}, {**end, "wave": "1"}, {"event": "ended"},
                  {"event": "begun", "name": "vm-01", "condition": 1, "cures": [], "receipts": 0}]  # fmt: skip
        lines = "\n".join(["{", "[]", *map(json.dumps, events)])
        (tmp_path / "remedies" / f"{record.digest}.jsonl").write_text(lines)
        assert record.begun() == {}
        rollout = record.rollout()
        assert rollout is not None
        assert rollout.ends == {}
        assert "not begun 2" in fleet_of(str(tmp_path), "en").remedies().text()


def test_the_folder_may_be_in_a_store(tmp_path: Path) -> None:
    import fsspec

    with faulty_fleet(tmp_path, 2) as vms:
        fsspec.filesystem("memory").put(str(tmp_path), "/rollout/fleet", recursive=True)
        vms.ledger = Ledger("memory://rollout/fleet")
        ends = vms.carried_out()
    assert endings(ends) == {"vm-00": "unclear", "vm-01": "unclear"}, ends
    (rollout,) = rollouts(vms.ledger.place)
    assert endings(rollout.ends) == endings(ends)
    assert rollouts(str(tmp_path)) == []
