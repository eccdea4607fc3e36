"""Evidence survives being saved; a damaged or foreign file stops the run kindly."""

import json
from pathlib import Path

import pytest

from vmbackup.model import Fact, FactStatus, SetupError, Target
from vmbackup.runs import folder as evidence

TARGET = Target("sub", "rg", "vm", "vault", "linux")
FACTS = {
    "vm.locks.of_a_newer_version": Fact(FactStatus.OK, {"n": 1}, None, {}, ("GET /x",), "2026-11-23T03:00:00Z", 12),
    "vm.locks": Fact(FactStatus.DENIED, None, "missing_action", {"action": "a/read", "scope": "s"}),
}


def test_what_was_saved_is_read_back(tmp_path: Path) -> None:
    evidence.save(tmp_path / "evidence.json", TARGET, FACTS)
    assert evidence.load(tmp_path / "evidence.json") == (TARGET, FACTS)


def test_a_secret_is_not_saved(tmp_path: Path) -> None:
    leaky = {"health": Fact(FactStatus.OK, {"summary": "https://x/?sig=hush"}, how=("GET /x?sig=hush",))}
    evidence.save(tmp_path / "evidence.json", TARGET, leaky)
    assert "hush" not in (tmp_path / "evidence.json").read_text("utf-8")


def test_half_a_character_is_saved_visibly(tmp_path: Path) -> None:
    cut = {"health": Fact(FactStatus.OK, {"summary": "cut in an emoji \ud83d"})}
    evidence.save(tmp_path / "evidence.json", TARGET, cut)
    assert evidence.load(tmp_path / "evidence.json")[1]["health"].data == {"summary": "cut in an emoji \\ud83d"}


def test_no_temporary_file_is_left(tmp_path: Path) -> None:
    evidence.save(tmp_path / "evidence.json", TARGET, FACTS)
    assert [path.name for path in tmp_path.iterdir()] == ["evidence.json"]


ANSWER = {"status": "ok", "why": None, "details": {}, "how": [], "taken_at": None, "took_ms": 1}


def saved(**changes: object) -> str:
    content = {"schema": evidence.SCHEMA, "target": {"subscription_id": "s", "resource_group": "r", "vm_name": "v"}}
    return json.dumps({**content, "facts": {}, **changes})


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "not readable as JSON"),
        (b"\xff\xfe\x00", "not readable as JSON"),
        (b'{"schema": "vmbackup.evi', "not readable as JSON"),
        (b"[]", "schema is None"),
        (b'{"cells": []}', "schema is None"),
        (saved(schema="vmbackup.runs.folder/9").encode(), "schema is 'vmbackup.runs.folder/9'"),
        (saved(target={}).encode(), "is damaged"),
        (saved(facts={"vm.agent": {"status": "fine"}}).encode(), "is damaged"),
        (saved(facts=[1]).encode(), "is damaged"),
        (saved(facts={"vm.power": {**ANSWER, "data": {"power": 7}}}).encode(), "vm.power.power: expected"),
        (saved(facts={"vm.disks": {**ANSWER, "data": [{}]}}).encode(), "vm.disks[0]: name is missing"),
        (saved(facts={"vm.model": {**ANSWER, "data": None}}).encode(), "vm.model: expected an object"),
        (saved(facts={}).encode(), "holds no facts"),
        (b"[" * 100_000, "not readable as JSON"),
        (saved(facts={"vm.locks": {**ANSWER, "data": [], "took_ms": float("inf")}}).encode(), "is damaged"),
    ],
)
def test_a_damaged_or_foreign_file_is_refused(tmp_path: Path, content: bytes, says: str) -> None:
    path = tmp_path / "evidence.json"
    path.write_bytes(content)
    with pytest.raises(SetupError) as refused:
        evidence.load(path)
    assert says in str(refused.value)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="Check evidence_file"):
        evidence.load(tmp_path / "none.json")


def test_a_folder_that_cannot_be_written_is_named_with_a_way_out(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way", "utf-8")
    with pytest.raises(SetupError, match="run_folder"):
        evidence.save(tmp_path / "file" / "evidence.json", TARGET, {})
