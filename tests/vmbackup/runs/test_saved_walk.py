"""What an operator did in a walk is kept beside the evidence, and a damaged file is refused with a way out."""

import json
from pathlib import Path

import pytest

from vmbackup.model import SetupError, Verdict
from vmbackup.remedies.retry.proof import Proof
from vmbackup.runs.saved_walk import FILE, SavedWalk, Skip, load_walk, save_walk

WALK = SavedWalk(
    "/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/virtualMachines/vm",
    "agent_unreachable",
    "2026-11-23T03:00:00Z",
    {"agent_linux": Skip("restarts at 04:00", "2026-11-23T02:59:00Z"), "extension": Skip("later", None)},
    "2026-11-23T02:30:00Z",
    Proof(verdict=Verdict.OK, reason="fixed", request_ids=("a", "b")),
)


def test_what_was_saved_is_loaded(tmp_path: Path) -> None:
    save_walk(tmp_path, WALK)
    assert load_walk(tmp_path) == WALK


def test_a_walk_without_proof_or_skips_is_loaded_too(tmp_path: Path) -> None:
    walk = SavedWalk("vm", None, None)
    save_walk(tmp_path, walk)
    assert load_walk(tmp_path) == walk


def test_where_there_is_none_there_is_none(tmp_path: Path) -> None:
    assert load_walk(tmp_path) is None


def test_a_secret_in_a_reason_is_not_kept(tmp_path: Path) -> None:
    skipped = {"disks": Skip("see https://x/y?sig=abcdef0123456789abcdef", None)}
    save_walk(tmp_path, SavedWalk("vm", None, None, skipped))
    assert "abcdef0123456789" not in (tmp_path / FILE).read_text("utf-8")


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "[]",
        '{"schema": "vmbackup.diagnosis/2"}',
        '{"schema": "vmbackup.walk/1"}',
        '{"schema": "vmbackup.walk/1", "skipped": {"disks": {}}, "proof": null}',
        json.dumps({"schema": "vmbackup.walk/1", "skipped": {}, "proof": {"verdict": "perhaps", "request_ids": []}}),
        json.dumps({"schema": "vmbackup.walk/1", "skipped": {}, "proof": None, "stranger": 1}),
    ],
)
def test_a_damaged_or_foreign_file_is_refused_with_a_way_out(tmp_path: Path, content: str) -> None:
    (tmp_path / FILE).write_text(content, "utf-8")
    with pytest.raises(SetupError, match="Delete it"):
        load_walk(tmp_path)
