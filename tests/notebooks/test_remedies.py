"""A runbook run headless cures what it found, and nothing unless a parameter names the remedy."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from vmbackup.fleet.execute import Order, execute
from vmbackup.runs.folder import RunFolder

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"


def executed(folder: Path, notebook: str, scenario: str, **parameters: str) -> dict[str, Any]:
    order = Order(scenario, NOTEBOOKS / f"{notebook}.ipynb", {"scenario": scenario, **parameters})
    done = execute(order, folder)
    assert done.error is None
    assert done.result is not None
    return dict(done.result)


@pytest.mark.parametrize(
    ("notebook", "scenario", "remedy", "risk"),
    [
        ("02_snapshot_no_network", "no_internet_linux", "allow_storage_in_nsg", "medium"),
        ("03_snapshot_extension_failed", "extension_failed_windows", "remove_backup_extension", "medium"),
        ("05_internal_error", "snapshot_rdp_shutdown_windows", "start_vm", "medium"),
    ],
)
def test_walk_remedy_walk_backup_proof(tmp_path: Path, notebook: str, scenario: str, remedy: str, risk: str) -> None:
    result = executed(tmp_path, notebook, scenario, remedies=remedy, max_risk=risk)
    assert [receipt["remedy"] for receipt in result["remedies"]] == [remedy]
    assert result["proof"]["fixed"]
    assert result["probable_cause"] is None
    assert {row["outcome"] for row in RunFolder(tmp_path).audited()} <= {"accepted", "done", "succeeded"}


def test_without_a_name_the_plan_is_shown_and_nothing_is_changed(tmp_path: Path) -> None:
    result = executed(tmp_path, "03_snapshot_extension_failed", "extension_failed_windows")
    assert (result["remedies"], result["proof"]) == ([], None)
    assert not (tmp_path / "audit.jsonl").exists()
    book = json.loads((tmp_path / "runbook.ipynb").read_text("utf-8"))
    shown = next(cell for cell in book["cells"] if "".join(cell["source"]) == "run.remedies()")
    assert "remove_backup_extension" in str(shown["outputs"])


def test_a_remedy_above_the_allowed_risk_is_not_applied(tmp_path: Path) -> None:
    result = executed(
        tmp_path, "03_snapshot_extension_failed", "extension_failed_windows", remedies="remove_backup_extension"
    )
    assert (result["remedies"], result["proof"]) == ([], None)
