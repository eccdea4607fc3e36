"""What is asked for again goes on: only what was asked for otherwise is run again."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from saying import refused
from vmbackup.fleet.execute import RunSpec
from vmbackup.fleet.ledger import Ledger
from vmbackup.fleet.orders import notebook_of
from vmbackup.fleet.scope import FleetPlan
from vmbackup.remedies.receipt import Receipt
from vmbackup.runs import begun
from vmbackup.runs.folder import RunFolder

NAMES = ("a", "b")


def test_a_finished_vm_is_not_run_again_as_its_cure_changed_the_runbook_that_the_lists_choose(tmp_path: Path) -> None:
    ledger = Ledger(str(tmp_path))
    before = [spec(name, "agent_unreachable") for name in NAMES]
    ledger.begin(FleetPlan(before), {}, "en")
    finish(tmp_path)
    other = [spec(name, "internal_error") for name in NAMES]
    ledger.begin(FleetPlan(other, unsorted=frozenset({"a"})), {}, "en")
    assert ledger.finished() == {"a"}, "b's runbook was named"
    ledger.begin(FleetPlan([replace(other[0], parameters={"scenario": "a", "retry": True})]), {}, "en")
    assert ledger.finished() == frozenset()


def test_a_vm_that_does_not_know_how_its_change_ended_is_not_finished(tmp_path: Path) -> None:
    ledger = Ledger(str(tmp_path))
    finish(tmp_path)
    files = RunFolder(ledger.folder("a"))
    begun.begin(files)
    assert ledger.finished() == {"b"}
    operation = files.journal.begin("restart_vm", "/vm", "/vm", None, {})
    files.journal.sending(operation, 0)
    begun.end(files)
    assert ledger.finished() == {"b"}
    files.journal.close(operation, Receipt("restart_vm", "/vm", "done", "me", None, None, (), {}, {}))
    begun.end(files)
    assert ledger.finished() == {"a", "b"}


@pytest.mark.parametrize("content", ["[" * 100_000, "5", '[{"name": 1}]', "\0"])
def test_a_damaged_folder_is_refused_in_words_and_never_taken_for_complete(tmp_path: Path, content: str) -> None:
    ledger = Ledger(str(tmp_path))
    (tmp_path / "orders.json").write_text(content)
    (tmp_path / "fleet.json").write_text(content)
    assert ledger.has_gaps
    with refused("orders.json is damaged"):
        ledger.ordered()
    (tmp_path / "fleet.json").write_text('{"schema": "vmbackup.fleet/1", "vms": [], "gaps": 5}')
    assert ledger.has_gaps


def finish(folder: Path) -> None:
    """Leave what runs leave that came to their end."""
    for name in NAMES:
        place = folder / "vms" / name
        place.mkdir(parents=True)
        for file in ("runbook.ipynb", "result.json"):
            (place / file).write_text("{}")


def spec(name: str, section: str) -> RunSpec:
    return RunSpec(name, notebook_of(section), {"azure": "simulator", "scenario": name})
