"""A run folder: private, whole files, on any store; what cannot be read is set aside and said, and ends nothing."""

import json
import os
import re
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from saying import refused
from vmbackup.model import Fact, FactStatus, Target, Unwritten, Verdict
from vmbackup.remedies.retry.proof import Proof
from vmbackup.runs.evidence import SCHEMA, load_evidence, parse_evidence
from vmbackup.runs.folder import AUDIT, EVIDENCE, OPERATIONS, RECEIPTS, RESULT, RUN, RUN_EVIDENCE, RunFolder
from vmbackup.runs.saved_run import SavedRun
from vmbackup.runs.state import Skip

TARGET = Target("sub", "rg", "vm", "vault", "linux")
FACTS = {
    "vm.locks.of_a_newer_version": Fact(FactStatus.OK, {"n": 1}, None, {}, ("GET /x",), "2026-11-23T03:00:00Z", 12),
    "vm.locks": Fact(FactStatus.DENIED, None, "missing_action", {"action": "a/read", "scope": "s"}),
}
POINT = {"name": "p", "time": "2026-11-23T02:00:00Z", "type": "AppConsistent", "threat": None, "tiers": None}
SAVED = SavedRun(
    TARGET.vm_id,
    "agent_unreachable",
    "2026-11-23T03:00:00Z",
    {"agent_linux": Skip("restarts at 04:00", "2026-11-23T02:59:00Z"), "extension": Skip("later", None)},
    "2026-11-23T02:30:00Z",
    Proof(verdict=Verdict.OK, reason="fixed", request_ids=("a", "b"), point=POINT, next_run_h=3.5),
)


@pytest.fixture(params=["local", "memory"])
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[RunFolder]:
    if request.param == "local":
        yield RunFolder(tmp_path / "runs" / "vm")
        return
    from fsspec.implementations.memory import MemoryFileSystem

    yield RunFolder(f"memory://{tmp_path.name}/runs/vm")
    with suppress(FileNotFoundError):
        MemoryFileSystem().rm(f"/{tmp_path.name}", recursive=True)


def test_what_was_saved_is_read_back(folder: RunFolder) -> None:
    folder.save_evidence(TARGET, FACTS)
    folder.save_result({"outcome": "undecided"})
    assert folder.result() == {"outcome": "undecided"}
    for saved in (SAVED, SavedRun(TARGET.vm_id, None, None)):
        folder.save_run(saved, TARGET, FACTS)
        assert folder.saved_run() == (saved, FACTS)
    assert parse_evidence(folder.read(EVIDENCE) or b"") == (TARGET, FACTS)
    assert folder.notices == []


def test_where_nothing_was_saved_there_is_nothing(folder: RunFolder) -> None:
    assert folder.saved_run() is None
    assert folder.result() is None
    assert folder.log(OPERATIONS).events() == []
    assert folder.guest_operation() == {}
    assert folder.notices == []


def test_events_are_appended_one_by_one_after_a_line_that_a_crash_cut_off(folder: RunFolder) -> None:
    log = folder.log(RECEIPTS)
    log.append({"number": 1})
    folder.write(RECEIPTS, (folder.read(RECEIPTS) or b"") + b'{"number": 2, "cut o')
    log.append({"number": 3})
    assert log.events() == [{"number": 1}, {"number": 3}]
    assert len(folder.notices) == 1
    assert "1 line of receipts.jsonl" in folder.notices[0]
    log.events()
    assert len(folder.notices) == 1


# Azure signs the address of an operation; without that it is not found again.
LEFT = {"Azure-AsyncOperation": "https://a/1?t=638&s=signed", "Location": "https://a/2?sig=signed"}


def test_the_guest_operation_is_kept_until_it_ended(folder: RunFolder) -> None:
    folder.note_guest_operation(LEFT)
    assert folder.guest_operation() == LEFT
    folder.note_guest_operation({})
    assert folder.guest_operation() == {}


def test_secrets_are_not_saved_and_half_a_character_is_visible(folder: RunFolder) -> None:
    leaky = Fact(FactStatus.OK, {"summary": "https://x/?sig=hush \ud83d"}, how=("GET /x?sig=hush",))
    folder.save_run(SavedRun("vm", None, None, {"disks": Skip("https://x/y?sig=hush", None)}), TARGET, {"a": leaky})
    folder.log(AUDIT).append({"url": "https://x/y?sig=hush"})
    for name in (RUN, RUN_EVIDENCE, AUDIT):
        assert b"hush" not in (folder.read(name) or b"hush")
    assert b"\\ud83d" in (folder.read(RUN_EVIDENCE) or b"")


def test_everything_is_for_its_owner_alone_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        folder = RunFolder(tmp_path / "runs" / "vm")
        folder.save_run(SAVED, TARGET, FACTS)
        folder.log(AUDIT).append({})
        folder.note_guest_operation(LEFT)
        folder.write("ticket.zip", b"PK")
    finally:
        os.umask(before)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "runs").rglob("*")}
    assert modes.pop("vm") == stat.S_IMODE((tmp_path / "runs").stat().st_mode) == 0o700
    assert len(modes) == 5
    assert set(modes.values()) == {0o600}


def test_a_folder_that_nothing_stays_in_is_not_left_behind(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "runs" / "vm")
    folder.note_guest_operation(LEFT)
    folder.note_guest_operation({})
    assert list(tmp_path.iterdir()) == []


# --- what cannot be read ---------------------------------------------------------------------------------------------

DEEP = b"[" * 200_000
WALK = {"schema": "vmbackup.walk/1", "vm_id": TARGET.vm_id, "section": None, "saved_at": None, "skipped": {},
        "pasted_at": None, "proof": None}  # fmt: skip


def saved(**changes: object) -> bytes:
    return json.dumps({**WALK, **changes}).encode()


@pytest.mark.parametrize(
    "content",
    [
        b"", b"{", b"[]", b"null", DEEP, b"\xff\xfe", saved(schema="vmbackup.run/9"), saved(skipped={"disks": {}}),
        saved(skipped=[]), saved(proof={"verdict": "perhaps", "request_ids": []}), saved(vm_id=7), saved(section=["x"]),
        saved(proof={}), b'{"schema": "vmbackup.walk/1"}',
    ],
)  # fmt: skip
@pytest.mark.parametrize("name", [RUN, "walk.json"])
def test_a_spoilt_run_is_set_aside_and_said(folder: RunFolder, name: str, content: bytes) -> None:
    folder.save_run(SAVED, TARGET, FACTS)
    if name != RUN:
        folder._storage.delete(RUN)
    folder.write(name, content)
    assert folder.saved_run() is None
    (notice,) = folder.notices
    kept = notice.split("set aside as ")[1].split(":")[0]
    assert kept.startswith(f"{name}.unreadable-")
    assert folder.read(kept) == content
    assert folder.read(name) is None
    folder.save_run(SAVED, TARGET, FACTS)
    assert folder.saved_run() == (SAVED, FACTS)


def test_what_an_earlier_version_saved_is_read(folder: RunFolder) -> None:
    folder.save_run(SAVED, TARGET, FACTS)
    run = json.loads(folder.read(RUN) or b"")
    folder.write("walk.json", json.dumps({**run, "schema": "vmbackup.walk/1"}).encode())
    folder.write("walk.evidence.json", folder.read(RUN_EVIDENCE) or b"")
    folder._storage.delete(RUN)
    folder._storage.delete(RUN_EVIDENCE)
    assert folder.saved_run() == (SAVED, FACTS)


def test_a_run_whose_evidence_is_gone_spoilt_or_anothers_is_none(folder: RunFolder) -> None:
    folder.save_run(SAVED, Target("sub", "rg", "other"), FACTS)
    assert folder.saved_run() is None
    assert folder.notices == []
    folder.write(RUN_EVIDENCE, b"spoilt")
    assert folder.saved_run() is None
    assert len(folder.notices) == 1


@pytest.mark.parametrize("line", [b"{", b"[1]", DEEP, b"\x00\xff", b'"text"'])
def test_a_spoilt_line_hides_no_other_and_is_said(folder: RunFolder, line: bytes) -> None:
    folder.write(OPERATIONS, b'{"number": 1}\n' + line + b'\n{"number": 2}\n\n')
    assert folder.log(OPERATIONS).events() == [{"number": 1}, {"number": 2}]
    assert len(folder.notices) == 1


@pytest.mark.parametrize("name", [RUN, RUN_EVIDENCE, OPERATIONS, RECEIPTS, AUDIT, RESULT])
@pytest.mark.parametrize("kind", ["fifo", "folder", "link", "device"])
def test_what_is_no_file_is_set_aside(tmp_path: Path, name: str, kind: str) -> None:
    folder, path, secret = RunFolder(tmp_path / "run"), tmp_path / "run" / name, tmp_path / "mine"
    folder.save_run(SAVED, TARGET, FACTS)
    folder._storage.delete(name)
    secret.write_text("mine", "utf-8")
    if kind == "fifo":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    else:
        path.symlink_to(secret if kind == "link" else "/dev/zero")
    folder.saved_run()
    folder.result()
    for log in (OPERATIONS, RECEIPTS, AUDIT):
        assert folder.log(log).events() == []
        folder.log(log).append({"a": 1})
        assert folder.log(log).events() == [{"a": 1}]
    folder.save_result({})
    assert secret.read_text("utf-8") == "mine"
    assert any(name in notice for notice in folder.notices)


def test_an_event_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way", "utf-8")
    with refused("cannot be written", Unwritten):
        RunFolder(tmp_path / "file").log(AUDIT).append({})


FULL = """
import resource, sys
from vmbackup.model import Unwritten
from vmbackup.runs.folder import AUDIT, RunFolder
resource.setrlimit(resource.RLIMIT_FSIZE, (10, 10))
try:
    RunFolder(sys.argv[1]).log(AUDIT).append({"id": "longer than ten bytes"})
except Unwritten:
    sys.exit(7)
"""


def test_a_line_for_which_there_is_no_room_is_not_written(tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    assert subprocess.run([sys.executable, "-c", FULL, str(tmp_path)], env=environment).returncode == 7


def test_a_line_holds_marks_that_end_a_line_elsewhere(folder: RunFolder) -> None:
    event = {"id": "1", "resource": "a\x85b"}
    folder.log(AUDIT).append(event)
    assert len(folder.log(AUDIT).events()) == 1
    assert folder.notices == []


def test_a_folder_that_cannot_be_written_is_named_with_a_way_out(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way", "utf-8")
    with refused("run_folder"):
        RunFolder(tmp_path / "file").save_evidence(TARGET, {})


def test_a_place_that_no_store_knows_is_refused(tmp_path: Path) -> None:
    with refused("Check run_folder"):
        RunFolder("nosuchstore://a/b")


# --- evidence that was named -----------------------------------------------------------------------------------------

ANSWER = {"status": "ok", "why": None, "details": {}, "how": [], "taken_at": None, "took_ms": 1}


def saved(**changes: object) -> bytes:
    content = {"schema": SCHEMA, "target": {"subscription_id": "s", "resource_group": "r", "vm_name": "v"}}
    return json.dumps({**content, "facts": {}, **changes}).encode()


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "not valid JSON"),
        (b"\xff\xfe\x00", "not valid JSON"),
        (b'{"schema": "vmbackup.evi', "not valid JSON"),
        (b"[]", "schema is None"),
        (b'{"cells": []}', "schema is None"),
        (saved(schema="vmbackup.evidence/9"), "schema is 'vmbackup.evidence/9'"),
        (saved(target={}), "is damaged"),
        (saved(facts={"vm.agent": {"status": "fine"}}), "is damaged"),
        (saved(facts=[1]), "is damaged"),
        (saved(facts={"vm.power": {**ANSWER, "data": {"power": 7}}}), "vm.power.power: expected"),
        (saved(facts={"vm.disks": {**ANSWER, "data": [{}]}}), "vm.disks[0].name: expected str, found NoneType"),
        (saved(facts={"vm.model": {**ANSWER, "data": None}}), "vm.model: expected an object"),
        (saved(facts={}), "holds no facts"),
        (DEEP, "not valid JSON"),
        (saved(facts={"vm.locks": {**ANSWER, "data": [], "took_ms": float("inf")}}), "is damaged"),
    ],
)
def test_damaged_or_foreign_evidence_is_refused(tmp_path: Path, content: bytes, says: str) -> None:
    path = tmp_path / "evidence.json"
    path.write_bytes(content)
    with refused(re.escape(says)):
        load_evidence(str(path))


@pytest.mark.parametrize("kind", ["missing", "fifo", "device", "folder"])
def test_evidence_that_is_no_file_is_refused(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "evidence.json"
    if kind == "fifo":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    elif kind == "device":
        path = Path("/dev/zero")
    with refused("Check evidence_file"):
        load_evidence(str(path))


def test_evidence_is_read_from_any_store(folder: RunFolder) -> None:
    folder.save_evidence(TARGET, FACTS)
    assert load_evidence(f"{folder}/{EVIDENCE}") == (TARGET, FACTS)
