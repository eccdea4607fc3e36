"""What is asked for again goes on: only what was asked for otherwise is run again."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from vmbackup.fleet.execute import RunSpec
from vmbackup.fleet.ledger import Ledger
from vmbackup.fleet.orders import notebook_of
from vmbackup.fleet.scope import Plan

NAMES = ("a", "b")


def test_a_finished_vm_is_not_run_again_as_its_cure_changed_the_runbook_that_the_lists_choose(tmp_path: Path) -> None:
    ledger = Ledger(str(tmp_path))
    before = [spec(name, "agent_unreachable") for name in NAMES]
    ledger.begin(Plan(before), {}, "en")
    for name in NAMES:
        folder = tmp_path / "vms" / name
        folder.mkdir(parents=True)
        for file in ("runbook.ipynb", "result.json"):
            (folder / file).write_text("{}")
    other = [spec(name, "internal_error") for name in NAMES]
    ledger.begin(Plan(other, unsorted=frozenset({"a"})), {}, "en")
    assert ledger.finished() == {"a"}, "b's runbook was named"
    ledger.begin(Plan([replace(other[0], parameters={"scenario": "a", "retry": True})]), {}, "en")
    assert ledger.finished() == frozenset()


def spec(name: str, section: str) -> RunSpec:
    return RunSpec(name, notebook_of(section), {"azure": "simulator", "scenario": name})
