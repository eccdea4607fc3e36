"""What is read out of a fleet's run folder: rows, groups, what is at risk, and what changed."""

from __future__ import annotations

import json
import time
from collections import Counter
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleets import HEALTHY, WORLDS, a_fleet, run_of, write_vm
from vmbackup import clock
from vmbackup.fleet import summary
from vmbackup.fleet.compare import compare
from vmbackup.fleet.folder import fleet_json, inventory_line, read
from vmbackup.fleet.grouping import groups, is_healthy
from vmbackup.fleet.rows import listed_row, unknown_row
from vmbackup.fleet.tonight import outlook
from vmbackup.model import Fact, FactStatus, SetupError
from vmbackup.runs.fleet import Fleet, FleetRow, Kept, Standing, VmState, late_h


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return a_fleet(tmp_path_factory.mktemp("fleet"))


@pytest.fixture(scope="module")
def fleet(folder: Path) -> Fleet:
    return read(str(folder), "en")


@pytest.fixture(scope="module")
def rows(fleet: Fleet) -> dict[str, FleetRow]:
    return {row["name"]: row for row in fleet.rows}


def test_every_vm_has_one_row_whatever_became_of_it(rows: dict[str, FleetRow], fleet: Fleet) -> None:
    assert len(fleet.rows) == len(rows) == len(WORLDS) + 3
    states = Counter(row["state"] for row in fleet.rows)
    assert states == {VmState.EXAMINED: len(WORLDS) - 2, VmState.NOT_EXAMINED: 2, VmState.FAILED: 2, VmState.PENDING: 1}
    assert "evidence.json" in str(rows["broken"]["why"])
    assert rows["died"]["why"] == "The kernel <b>died</b>."
    assert [gap["scope"] for gap in fleet.gaps] == ["/subscriptions/other", "/subscriptions/third"]


def test_a_row_says_what_the_vms_own_run_says(rows: dict[str, FleetRow]) -> None:
    for world in set(WORLDS) - set(HEALTHY):
        run, row = run_of(world), rows[world]
        diagnosis = run.diagnosis()
        assert row["probable_cause"] == (diagnosis.probable.cause if diagnosis.probable else None), world
        said = {step.cause: str(step.verdict) for step in diagnosis.steps}
        found = {cause: "problem" if verdict == "symptom" else verdict for cause, verdict in row["verdicts"].items()}
        assert found == said, world
    assert rows["agent_stopped_linux"]["verdicts"]["agent_linux"] == "symptom"


def test_what_was_not_examined_has_no_verdict_and_still_its_last_good_backup(rows: dict[str, FleetRow]) -> None:
    for world in HEALTHY:
        row = rows[world]
        assert row["state"] == VmState.NOT_EXAMINED
        assert row["verdicts"] == {}
        assert row["outcome"] is None
        assert row["kept"] == Kept.KEPT
        assert is_healthy(row)


def test_the_age_of_the_last_good_backup_is_held_against_the_policy(rows: dict[str, FleetRow]) -> None:
    kept = {name: row["kept"] for name, row in rows.items()}
    assert kept["not_protected_linux"] == Kept.UNPROTECTED
    assert kept["error_403_everything_else"] == kept["waits"] == kept["broken"] == Kept.UNKNOWN
    assert kept["no_internet_linux"] == Kept.LATE
    assert late_h(rows["crash_consistent_downgrade_linux"]) == pytest.approx(51.9, abs=0.1)
    assert late_h(rows["waits"]) is None


@pytest.mark.parametrize(("world", "hours", "kept"), [
    ("healthy_linux", 21.5, Kept.KEPT),
    ("healthy_linux", 23.0, Kept.LATE),
    ("no_internet_linux", -27.5, Kept.LATE),
    ("no_internet_linux", -28.5, Kept.KEPT),
])  # fmt: skip
def test_a_backup_that_is_due_may_still_run_where_none_failed(world: str, hours: float, kept: Kept) -> None:
    run = run_of(world)
    fact = run.evidence["backup.recovery_points"]
    moved = [
        {**each, "time": clock.stamp((clock.parse(each["time"]) or datetime.min) - timedelta(hours=hours))}
        for each in fact.data
    ]
    row = listed_row(run.target, {**run.evidence, "backup.recovery_points": replace(fact, data=moved)})
    assert row["kept"] == kept, row["age_h"]


def test_a_downgrade_is_dated_by_the_first_point_that_is_less_consistent(rows: dict[str, FleetRow]) -> None:
    row = rows["crash_consistent_downgrade_linux"]
    since = (row["downgraded_since"], row["downgraded_before"], row["downgraded_type"])
    assert since == ("2026-11-20T23:06:00Z", False, "CrashConsistent")
    assert [name for name, each in rows.items() if each["consistency"] == "problem"] == [row["name"]]


# --- tonight ---------------------------------------------------------------------------------------------------------


def test_what_puts_the_next_backup_at_risk_is_only_what_the_evidence_shows(rows: dict[str, FleetRow]) -> None:
    found = {name: {risk["signal"] for risk in row["next_failures"]} for name, row in rows.items()}
    assert found == {
        **dict.fromkeys(rows, set()),
        "agent_old_windows": {"agent_version"},
        "agent_stopped_linux": {"agent_silent"},
        "disk_too_large_linux": {"disks"},
        "error_403_everything_else": {"agent_silent"},
        "guest_python_missing_linux": {"python"},
        "not_protected_linux": {"protection"},
        "protection_stopped_linux": {"protection"},
        "restore_points_lock_windows": {"points", "lock"},
    }


def test_without_a_fact_nothing_is_at_risk_that_was_not() -> None:
    for world in WORLDS:
        evidence = run_of(world).evidence
        seen = {risk["check"] for risk in outlook(evidence)[1]}
        for name in evidence:
            less = {**evidence, name: Fact(FactStatus.DENIED)}
            verdicts, risks = outlook(less)
            more = {risk["check"] for risk in risks} - seen
            # What is not backed up has no other risk; where that is not known any more, they are said again.
            assert not more or name.startswith("backup."), (world, name, more)


@pytest.mark.parametrize(("count", "first"), [(17, "2026-11-24T23:00:00Z"), (16, "2026-11-25T23:00:00Z")])
def test_a_lock_is_a_risk_from_the_backup_on_that_reaches_the_policys_limit(count: int, first: str) -> None:
    evidence = dict(run_of("restore_points_lock_windows").evidence)
    points = [{**each, "restore_points": count} for each in evidence["vm.restore_points"].data]
    evidence["vm.restore_points"] = Fact(FactStatus.OK, points, taken_at="2026-11-23T03:00:00Z")
    (risk,) = outlook(evidence)[1]
    assert (risk["signal"], risk["from_time"]) == ("lock", first)
    policy = {**evidence["backup.policy"].data, "type": "V2"}
    evidence["backup.policy"] = Fact(FactStatus.OK, policy)
    (risk,) = outlook(evidence)[1]
    assert risk["from_time"] is None, "the limit of an Enhanced policy is not known"


# --- groups ----------------------------------------------------------------------------------------------------------


def row(name: str, **values: Any) -> FleetRow:
    made: dict[str, Any] = {**unknown_row(name, f"/id/{name}"), "state": "examined", **values}
    return made  # type: ignore[return-value]


def bad(name: str, cause: str = "no_internet", **values: Any) -> FleetRow:
    return row(name, probable_cause=cause, failing=True, kept="late", age_h=50.0, policy_h=24.0, **values)


def good(name: str, **values: Any) -> FleetRow:
    return row(name, failing=False, kept="kept", age_h=4.0, policy_h=24.0, **values)


def test_a_group_is_divided_by_what_its_vms_have_and_healthy_ones_do_not() -> None:
    vms = [bad(f"a{n}", subnet_id="A", policy="P") for n in range(4)]
    vms += [bad(f"b{n}", subnet_id="B", policy="P") for n in range(2)]
    vms += [good(f"h{n}", subnet_id="C", policy="P") for n in range(14)]
    first, second = groups(vms)
    assert [first.trait and first.trait.value, second.trait and second.trait.value] == ["A", "B"]
    assert [len(first.rows), len(second.rows)] == [4, 2]
    policy = next(trait for trait in first.shared if trait.name == "policy")
    assert (policy.members, policy.healthy, policy.healthy_known) == (4, 14, 14)


def test_what_healthy_vms_share_as_well_divides_no_group() -> None:
    vms = [bad(f"a{n}", subnet_id="A") for n in range(3)] + [good(f"h{n}", subnet_id="A") for n in range(3)]
    (group,) = groups(vms)
    assert group.trait is None
    assert [(trait.healthy, trait.healthy_known) for trait in group.shared] == [(3, 3)]


def test_what_may_be_chance_divides_no_group() -> None:
    vms = [bad(f"a{n}", subnet_id="A") for n in range(2)]
    vms += [good(f"h{n}", subnet_id="A" if n < 6 else "B") for n in range(14)]
    (group,) = groups(vms)
    assert group.trait is None, "two VMs in one subnet of two, where 6 of 14 healthy ones are too"
    alone = groups([bad(f"a{n}", subnet_id="A") for n in range(9)])
    assert [each.trait for each in alone] == [None], "there is no healthy VM to compare with"


def test_vms_without_a_cause_stand_by_what_failed(fleet: Fleet) -> None:
    found = {group.code for group in groups(fleet.rows) if group.cause is None}
    assert found == {"UserErrorGuestAgentStatusUnavailable"}


_ROW = st.builds(
    row,
    st.uuids().map(str),
    probable_cause=st.sampled_from([None, "no_internet", "disks"]),
    failing=st.sampled_from([None, True, False]),
    kept=st.sampled_from([str(each) for each in Kept]),
    state=st.sampled_from([str(each) for each in VmState]),
    failed_title=st.sampled_from([None, "A", "B"]),
    subnet_id=st.sampled_from([None, "A", "B"]),
    nsg_ids=st.sampled_from([None, [], ["N"], ["N", "M"]]),
    agent_version=st.sampled_from([None, "Unknown", "1.2", "1.3"]),
    consistency=st.sampled_from(["ok", "problem", "unknown"]),
)


@given(st.lists(_ROW, max_size=12))
def test_every_vm_that_fails_is_in_exactly_one_group(rows: list[FleetRow]) -> None:
    grouped = Counter(each["name"] for group in groups(rows) for each in group.rows)
    assert grouped == {each["name"]: 1 for each in rows if each["probable_cause"] or each["failing"]}


# --- since last time -------------------------------------------------------------------------------------------------


def test_two_runs_are_compared_vm_by_vm() -> None:
    before = [bad("cured"), bad("same"), bad("other"), bad("gone"), good("new"), good("good"), bad("unseen"),
              row("worse", failing=True, kept="kept")]  # fmt: skip
    now = [good("cured"), bad("same"), bad("other", "disks"), bad("new"), good("good"), row("unseen"), bad("worse")]
    found = {(each.now or each.before or {})["name"]: each.standing for each in compare(before, now)}
    assert found == {
        "cured": Standing.CURED,
        "same": Standing.SAME,
        "other": Standing.CAUSE_CHANGED,
        "gone": Standing.GONE,
        "new": Standing.NEW,
        "good": Standing.GOOD,
        "unseen": Standing.UNSEEN,
        "worse": Standing.WORSE,
    }


@given(st.lists(_ROW, max_size=8), st.lists(_ROW, max_size=8))
def test_only_what_was_seen_to_be_good_is_cured(before: list[FleetRow], now: list[FleetRow]) -> None:
    found = compare([*before, *now], now)
    assert len(found) == len(before) + len(now)
    assert all(each.now is None or is_healthy(each.now) for each in found if each.standing is Standing.CURED)


# --- what others wrote -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("result.json", "[]"),
        ("result.json", '{"schema": "vmbackup.result/1", "section": null, "outcome": "x", "steps": 1}'),
        ("result.json", json.dumps({"schema": "vmbackup.result/1", "section": None, "outcome": "cause_found",
                                    "probable_cause": "witchcraft", "weight": None, "steps": []})),
        ("result.json", "[" * 100_000),
        ("evidence.json", '{"schema": "vmbackup.evidence/1", "target": {}, "facts": {}}'),
        ("evidence.json", "\x00"),
    ],
)  # fmt: skip
def test_a_damaged_folder_is_a_row_that_says_so(tmp_path: Path, file: str, content: str) -> None:
    write_vm(tmp_path, "vm", "healthy_linux")
    (tmp_path / "vms" / "vm" / file).write_text(content, "utf-8")
    (row,) = read(str(tmp_path), "de").rows
    assert row["state"] == VmState.FAILED
    assert file in str(row["why"])


def test_a_vm_without_a_result_keeps_what_the_lists_say_of_it(tmp_path: Path) -> None:
    run = run_of("no_internet_linux")
    write_vm(tmp_path, "failed", "no_internet_linux")
    (tmp_path / "vms" / "failed" / "error.json").write_text('{"error": "The last cell timed out."}', "utf-8")
    (tmp_path / "inventory.jsonl").write_bytes(inventory_line(run.target, run.evidence))
    asked = [{"name": name, "vm_id": run.target.vm_id, "examine": True} for name in ("failed", "waits")]
    (tmp_path / "fleet.json").write_text(json.dumps(fleet_json(asked)))
    failed, waits = read(str(tmp_path), "en").rows
    assert [failed["state"], failed["why"]] == [VmState.FAILED, "The last cell timed out."]
    assert waits["state"] == VmState.PENDING
    for row in (failed, waits):
        assert row["kept"] == Kept.LATE
        assert row["verdicts"] == {}
        assert row["probable_cause"] is None


def test_the_evidence_of_another_vm_is_no_result(tmp_path: Path) -> None:
    write_vm(tmp_path, "vm", "healthy_linux")
    other = run_of("no_internet_linux").target.vm_id
    (tmp_path / "fleet.json").write_text(json.dumps(fleet_json([{"name": "vm", "vm_id": other, "examine": True}])))
    (row,) = read(str(tmp_path), "en").rows
    assert (row["vm_id"], row["state"], row["verdicts"]) == (other, VmState.FAILED, {})
    assert "another VM" in str(row["why"])


def test_a_name_leads_nowhere_else(tmp_path: Path) -> None:
    write_vm(tmp_path, "vm", "healthy_linux")
    names = ("..", "../vms/vm", "/etc", "a/b")
    (tmp_path / "fleet.json").write_text(json.dumps(fleet_json({"name": name, "vm_id": "x"} for name in names)))
    assert [row["name"] for row in read(str(tmp_path), "en").rows] == ["vm"]


def test_a_fleet_in_a_store_reads_the_same(folder: Path, fleet: Fleet) -> None:
    import fsspec

    fsspec.filesystem("memory").put(str(folder), "/insight/fleet", recursive=True)
    assert read("memory://insight/fleet", "en") == fleet


def test_a_damaged_line_of_the_lists_is_a_gap(tmp_path: Path) -> None:
    run = run_of("healthy_linux")
    (tmp_path / "inventory.jsonl").write_bytes(b"{}\n" + inventory_line(run.target, run.evidence) + b"[\n")
    fleet = read(str(tmp_path), "en")
    assert [row["state"] for row in fleet.rows] == [VmState.NOT_EXAMINED]
    assert [gap["scope"] for gap in fleet.gaps] == ["1", "3"]


def test_a_folder_without_a_fleet_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="no_fleet"):
        read(str(tmp_path), "en")


# --- the table -------------------------------------------------------------------------------------------------------


def test_the_table_is_the_same_as_parquet_and_csv_and_no_cell_is_a_formula(fleet: Fleet, tmp_path: Path) -> None:
    import pandas as pd

    evil = '=HYPERLINK("http://x","y")'
    rows = [*fleet.rows, row(evil, why="+1", policy="@x", failed_title="-2", location="\tx")]
    table = summary.frame(rows)
    (tmp_path / "t.parquet").write_bytes(summary.parquet(table))
    (tmp_path / "t.csv").write_bytes(summary.csv(table))
    parquet = pd.read_parquet(tmp_path / "t.parquet")
    csv = pd.read_csv(tmp_path / "t.csv", encoding="utf-8-sig")
    assert list(parquet["name"]) == [each["name"] for each in rows]
    assert len(csv) == len(rows)
    texts = csv.select_dtypes(exclude=["number", "bool"]).astype("string").to_numpy().ravel()
    assert not [cell for cell in texts if isinstance(cell, str) and cell.startswith(tuple("=+-@\t\r"))]
    assert csv["name"].iloc[-1] == f"'{evil}"
    assert parquet["late_h"].notna().sum() == csv["late_h"].notna().sum() > 5


def test_thousands_of_vms_take_seconds(tmp_path: Path) -> None:
    for number in range(78):
        world = WORLDS[number % len(WORLDS)]
        name = run_of(world).target.vm_name
        write_vm(tmp_path, f"{number:04}-{world}", world, {name: f"{name}-{number:04}"})
    start = time.process_time()
    rows = read(str(tmp_path), "en").rows
    assert len({row["vm_id"] for row in rows}) == 78
    summary.csv(summary.frame(rows))
    assert groups(rows)
    assert (time.process_time() - start) / 78 < 0.02, "10,000 VMs in a few minutes at the very most"
