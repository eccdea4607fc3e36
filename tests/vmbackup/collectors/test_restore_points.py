"""Restore point collections of this VM, and the locks that concern it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from vmbackup.arm.errors import Unreadable
from vmbackup.collectors.restore_points import read_collection, read_lock, source_of
from worlds import examine


def test_the_points_of_a_collection_are_counted_where_they_are_listed() -> None:
    wire = {"id": "/subscriptions/s/resourceGroups/RG/x/c", "name": "c", "properties": {"restorePoints": [{}, {}]}}
    assert (read_collection(wire)["restore_points"], read_collection(wire)["resource_group"]) == (2, "RG")
    assert read_collection({"id": "/c", "properties": {"restorePoints": []}})["restore_points"] == 0
    assert read_collection({"id": "/c", "properties": {}})["restore_points"] is None
    with pytest.raises(Unreadable):
        read_collection({"properties": {"restorePoints": []}})


@pytest.mark.parametrize("id_", [None, "", 7, "vm"])
def test_what_is_no_id_leaves_open_which_vm_a_collection_is_of(id_: object) -> None:
    with pytest.raises(Unreadable):
        source_of({"properties": {"source": {"id": id_}}})


def test_a_collection_whose_points_cannot_be_read_is_still_there(tmp_path: Path) -> None:
    unread = tmp_path / "unread.yaml"
    unread.write_text('os: linux\nfaults: [{match: "GET .*/restorePointCollections/.", status: 403, code: A}]', "utf-8")
    [collection] = examine(str(unread))["vm.restore_points"].data
    assert collection["restore_points"] is None


def test_no_collection_is_an_empty_list(tmp_path: Path) -> None:
    assert examine("azure_policy_denies_linux")["vm.restore_points"].data == []


@pytest.mark.parametrize(
    ("lock_id", "scope"),
    [
        ("/subscriptions/s/providers/Microsoft.Authorization/locks/l", "/subscriptions/s"),
        (
            "/subscriptions/s/resourceGroups/g/providers/Microsoft.Authorization/locks/l",
            "/subscriptions/s/resourceGroups/g",
        ),
        (
            "/subscriptions/s/resourceGroups/g/providers/P/t/n/providers/microsoft.authorization/LOCKS/l",
            "/subscriptions/s/resourceGroups/g/providers/P/t/n",
        ),
    ],
)
def test_a_lock_sits_where_its_id_says(lock_id: str, scope: str) -> None:
    lock = read_lock({"id": lock_id, "name": "l", "properties": {"level": "CanNotDelete"}})
    assert lock == {"name": "l", "level": "CanNotDelete", "scope": scope}


@pytest.mark.parametrize("scope", ["vm", "resource_group", "restore_points", "subscription"])
def test_locks_around_the_vm_are_found(tmp_path: Path, scope: str) -> None:
    locked = tmp_path / "locked.yaml"
    locked.write_text(f"os: linux\nlocks: [{{name: kept, level: CanNotDelete, scope: {scope}}}]", "utf-8")
    assert [lock["name"] for lock in examine(str(locked))["vm.locks"].data] == ["kept"]


def test_a_lock_on_the_group_that_the_policy_names_is_found_before_it_holds_anything(tmp_path: Path) -> None:
    locked = tmp_path / "locked.yaml"
    locked.write_text(
        "os: linux\npolicy: {rg_prefix: Kept-}\nrestore_points: {present: false}\n"
        "locks: [{name: kept, level: ReadOnly, scope: restore_points}]",
        "utf-8",
    )
    assert [lock["name"] for lock in examine(str(locked))["vm.locks"].data] == ["kept"]


def test_a_lock_without_an_id_is_unreadable() -> None:
    with pytest.raises(Unreadable):
        read_lock({"name": "l", "properties": {"level": "ReadOnly"}})


def test_no_lock_is_an_empty_list() -> None:
    assert examine("healthy_linux")["vm.locks"].data == []


def test_a_collection_that_does_not_say_whose_it_is_is_not_taken_for_none(tmp_path: Path) -> None:
    body = '{"value": [{"id": "/subscriptions/s/resourceGroups/g/x/c", "name": "c", "properties": {"source": null}}]}'
    fault = {"match": "restorePointCollections$", "mode": "plain", "status": 200, "body": body}
    fault["headers"] = {"Content-Type": "application/json"}
    (tmp_path / "whose.yaml").write_text(json.dumps({"os": "linux", "faults": [fault]}), "utf-8")
    fact = examine(str(tmp_path / "whose.yaml"))["vm.restore_points"]
    assert (fact.why, "which VM" in fact.details["detail"]) == ("unreadable", True)


def test_the_hours_between_the_points_are_those_that_mostly_lie_between_them() -> None:
    times = ("2026-11-22T00:00:00Z", "2026-11-22T08:00:00Z", "2026-11-22T04:00:00Z", "2026-11-23T04:00:00Z")
    points = [{"properties": {"timeCreated": time}} for time in times]
    assert read_collection({"id": "/c", "properties": {"restorePoints": points}})["interval_h"] == 4.0
    assert read_collection({"id": "/c", "properties": {"restorePoints": points[:1]}})["interval_h"] is None
