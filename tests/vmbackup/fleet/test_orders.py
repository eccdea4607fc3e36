"""A table of VMs: every bad row is named before anything runs, and each VM gets a folder name of its own."""

from __future__ import annotations

import string
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from saying import refused
from vmbackup.fleet.orders import orders, read_table

SUBSCRIPTION = "11111111-1111-1111-1111-111111111111"
VM = "/subscriptions/" + SUBSCRIPTION + "/resourceGroups/{group}/providers/Microsoft.Compute/virtualMachines/{name}"
NAMES = st.text(string.ascii_letters + string.digits + "-_. =+@ÄßЖ", min_size=1, max_size=64).filter(
    lambda name: name.strip() == name and name not in (".", "..")
)


def row(name: str, group: str = "rg") -> dict[str, str]:
    return {"azure": "live", "vm_id": VM.format(group=group, name=name)}


@given(st.lists(NAMES, min_size=1, max_size=12, unique_by=str.lower), st.randoms())
def test_each_vm_has_one_name_that_is_a_folder_anywhere_and_the_same_in_any_order(
    names: list[str], chance: object
) -> None:
    rows = [row(name, group) for name in names for group in ("one", "two")]
    found = orders(rows, {})
    assert found.faults == []
    by_vm = {spec.parameters["vm_id"]: spec.name for spec in found.specs}
    folders = [name.lower() for name in by_vm.values()]
    assert len(set(folders)) == len(rows)
    assert all(set(name) & set('/\\:*?"<>|') == set() and 0 < len(name) < 100 for name in folders)
    assert not {name.partition(".")[0] for name in folders} & {"con", "nul", "aux", "prn"}
    chance.shuffle(rows)  # type: ignore[attr-defined]
    assert {spec.parameters["vm_id"]: spec.name for spec in orders(rows, {}).specs} == by_vm


def test_names_that_are_no_file_names_become_some() -> None:
    names = ["con", "NUL.txt", "x" * 300, "=cmd", "..vm", "ümlaut"]
    found = [spec.name for spec in orders([row(name) for name in names], {}).specs]
    assert [name[:9] for name in found] == ["con_" + found[0][4:9], found[1][:9], "x" * 9, "cmd", "vm", "ümlaut"]
    assert found[0] != "con"
    assert all(len(name) < 100 for name in found)


def test_all_bad_rows_of_many_are_told_at_once_and_the_good_ones_stay() -> None:
    rows = [row(f"vm-{number}") for number in range(1000)]
    rows[10] = {"azure": "live", "vm_id": "no id"}
    rows[500] = {**rows[500], "probe": "sometimes"}
    rows[999] = row("VM-0", "RG")
    found = orders(rows, {})
    assert [fault.number for fault in found.faults] == [11, 501, 1000]
    assert "probe" in found.faults[1].message
    assert "row 1" in found.faults[2].message
    assert len(found.specs) == 997


def test_the_runbook_is_the_rows_section_else_that_of_its_failure_else_the_general_one() -> None:
    rows = [
        {"scenario": "healthy_linux", "section": "disk_not_supported"},
        {"scenario": "healthy_windows", "failure": "UserErrorGuestAgentStatusUnavailable"},
        {"scenario": "agent_stopped_linux"},
    ]
    stems = [spec.notebook.stem for spec in orders(rows, {}).specs]
    assert stems == ["06_disk_not_supported", "01_agent_unreachable", "05_internal_error"]
    [fault] = orders([{"scenario": "healthy_linux", "section": "disk_not_suported"}], {}).faults
    assert "disk_not_supported" in fault.message


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_a_csv_of_a_spreadsheet_is_read_by_the_parameters_types(delimiter: str, tmp_path: Path) -> None:
    lines = [["scenario", "deadline_s", "retry", "probe"], ["healthy_linux", "60", "TRUE", ""], ["", "", "", ""]]
    table = tmp_path / "vms.csv"
    table.write_bytes(("\ufeff" + "\r\n".join(delimiter.join(line) for line in lines)).encode())
    [spec] = orders(read_table(str(table)), {}).specs
    assert spec.parameters == {"azure": "simulator", "scenario": "healthy_linux", "deadline_s": 60, "retry": True}


def test_what_is_no_table_is_refused_in_words(tmp_path: Path) -> None:
    for name, content, words in (
        ("a.yaml", "{", "Cannot read the table"),
        ("b.yaml", "word", "must be a list"),
        ("c.csv", "scenario\n", "has no rows"),
        ("d.csv", "\xff\xfe", "has no rows"),
        ("e.csv", f"vm_id\n{'x' * 200_000}\n", "field larger"),
        ("f.csv", "vm_id, vm_id\na,b\n", "has vm_id twice"),
        ("g.yaml", "- {failure: a, failure: b}", "has failure twice"),
        ("h.yaml", "[" * 100_000, "nested too deeply"),
        ("i.json", '[{"vm_id": !!binary aGk=}]', "Cannot read the table"),
    ):
        (tmp_path / name).write_text(content, "utf-8")
        with refused(words):
            read_table(str(tmp_path / name))
    with refused("Cannot read the table"):
        read_table(str(tmp_path / "none.csv"))
    for encoding in ("utf-16", "cp1252"):
        (tmp_path / "excel.csv").write_text("scenario\nÜ\n", encoding)
        with refused("CSV UTF-8"):
            read_table(str(tmp_path / "excel.csv"))


def test_blank_cells_and_rows_are_passed_over_and_the_rows_below_keep_their_numbers(tmp_path: Path) -> None:
    table = tmp_path / "vms.csv"
    table.write_text("\n\nscenario;probe\nhealthy_linux; \n;\nhealthy_windows;sometimes\n")
    found = orders(read_table(str(table)), {})
    assert [spec.parameters["scenario"] for spec in found.specs] == ["healthy_linux"]
    assert [fault.number for fault in found.faults] == [3]


def test_yaml_makes_nothing_else_of_a_cell_than_its_text(tmp_path: Path) -> None:
    common = f"- &all {{subscription_id: {SUBSCRIPTION}, resource_group: on, vm_name: 007, failure: ~}}\n"
    table = tmp_path / "vms.yaml"
    table.write_text(f"{common}- {{<<: *all, vm_name: 2026-13-45, deadline_s: 60, retry: yes}}\n")
    first, second = (spec.parameters for spec in orders(read_table(str(table)), {}).specs)
    assert (first["vm_name"], first["resource_group"], "failure" in first) == ("007", "on", False)
    assert (second["vm_name"], second["deadline_s"], second["retry"]) == ("2026-13-45", 60, True)


def test_a_value_of_any_size_is_refused_at_its_beginning(tmp_path: Path) -> None:
    bomb = "".join(f"- scenario: &l{n} [{', '.join([f'*l{n - 1}' if n else 'x'] * 9)}]\n" for n in range(12))
    table = tmp_path / "vms.yaml"
    table.write_text(f"{bomb}- {{scenario: healthy_linux, deadline_s: {'9' * 5000}}}\n")
    faults = orders(read_table(str(table)), {}).faults
    assert len(faults) == 13
    assert all(len(fault.message) < 1000 for fault in faults)


def test_a_row_may_not_choose_its_folder_and_a_misspelt_column_is_named() -> None:
    found = orders(
        [{"scenario": "healthy_linux", "run_folder": "/"}, {"scenario": "healthy_windows", "proble": "auto"}], {}
    )
    assert "run_folder" in found.faults[0].message
    assert "probe" in found.faults[1].message
