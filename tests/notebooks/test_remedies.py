"""A runbook run headless cures what it found, and nothing unless a parameter names the remedy and allows its risk."""

from __future__ import annotations

from pathlib import Path

import pytest

from azuresim.serve import Simulator
from vmbackup.fleet.execute import RunSpec, execute
from vmbackup.notebook.runbook import Runbook
from vmbackup.runs.folder import RunFolder
from walking import opened, restarted

NOTEBOOK = Path(__file__).parents[2] / "notebooks" / "03_snapshot_extension_failed.ipynb"
SCENARIO = "extension_failed_windows"


def test_walk_remedy_walk_backup_proof(tmp_path: Path) -> None:
    """In a real notebook once; test_cures does it for every remedy by what the cells call."""
    wanted = {"scenario": SCENARIO, "remedies": "remove_backup_extension", "max_risk": "medium"}
    done = execute(RunSpec(SCENARIO, NOTEBOOK, wanted), tmp_path)
    assert done.error is None
    assert done.result is not None
    assert [receipt["remedy"] for receipt in done.result["remedies"]] == ["remove_backup_extension"]
    assert done.result["proof"]["fixed"]
    assert done.result["probable_cause"] is None
    assert {row["outcome"] for row in RunFolder(tmp_path).audited()} <= {"accepted", "done", "succeeded"}


@pytest.mark.parametrize("remedies", ["", "remove_backup_extension"], ids=["not named", "above the allowed risk"])
def test_what_was_not_agreed_to_is_shown_and_nothing_is_changed(tmp_path: Path, remedies: str) -> None:
    with opened(SCENARIO, tmp_path, "snapshot_extension_failed", remedies=remedies) as (run, simulator):
        book = Runbook(run)
        book.collect()
        assert "remove_backup_extension" in str(book.remedies()._repr_mimebundle_())
        book.retry()
        book.result()
        assert (run.receipts, run.proof) == ([], None)
        assert [path for method, path in simulator.requests if method in ("DELETE", "PUT", "PATCH")] == []
        assert not (tmp_path / "audit.jsonl").exists()


def test_a_run_that_was_interrupted_after_its_backup_does_not_back_up_again(tmp_path: Path) -> None:
    agreed = {"remedies": "remove_backup_extension", "max_risk": "medium", "retry": True}
    with opened(SCENARIO, tmp_path, "snapshot_extension_failed", **agreed) as (first, simulator):
        for _ in ("first", "gone on with"):
            run = restarted(first)
            book = Runbook(run)
            for cell in (book.collect, book.remedies, book.retry):
                cell()
            result = run.files.result() or {}
            assert [each["remedy"] for each in result["remedies"]] == ["remove_backup_extension"]
            assert result["proof"]["fixed"]
        assert backups(simulator) == 1
        book.result()
        assert not (tmp_path / "begun.json").exists()
        asked_again = Runbook(restarted(first))
        for cell in (asked_again.collect, asked_again.retry):
            cell()
        assert backups(simulator) == 2, "the run before came to its end"


def backups(simulator: Simulator) -> int:
    return [path.rpartition("/")[2] for method, path in simulator.requests if method == "POST"].count("backup")
