"""What is asked for again goes on: only what was asked for otherwise is run again."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from vmbackup.fleet.coordinator import FleetRun
from vmbackup.fleet.execute import RunSpec
from vmbackup.fleet.ledger import Ledger
from vmbackup.fleet.orders import notebook_of
from vmbackup.fleet.scope import Plan
from vmbackup.remedies.receipt import Receipt
from vmbackup.runs.folder import RunFolder

NAMES = ("a", "b")


def test_a_finished_vm_is_not_run_again_as_its_cure_changed_the_runbook_that_the_lists_choose(tmp_path: Path) -> None:
    ledger = Ledger(str(tmp_path))
    before = [spec(name, "agent_unreachable") for name in NAMES]
    ledger.begin(Plan(before), {}, "en")
    finish(tmp_path)
    other = [spec(name, "internal_error") for name in NAMES]
    ledger.begin(Plan(other, unsorted=frozenset({"a"})), {}, "en")
    assert ledger.finished() == {"a"}, "b's runbook was named"
    ledger.begin(Plan([replace(other[0], parameters={"scenario": "a", "retry": True})]), {}, "en")
    assert ledger.finished() == frozenset()


def test_a_finished_vm_is_run_again_where_nobody_knows_how_what_it_sent_ended(tmp_path: Path) -> None:
    ledger, specs = Ledger(str(tmp_path)), [spec(name, "agent_unreachable") for name in NAMES]
    changing = [replace(each, parameters={**each.parameters, "remedies": "restart_vm"}) for each in specs]
    finish(tmp_path)

    def waiting(specs: list[RunSpec]) -> list[str]:
        return [each.name for each in FleetRun(ledger, specs).waiting]

    journal = RunFolder(ledger.folder("a")).journal
    operation = journal.begin("restart_vm", "/vm", "/vm", None, {})
    assert waiting(changing) == [], "nothing was sent"
    journal.sending(operation, 0)
    assert waiting(changing) == ["a"]
    assert waiting(specs) == [], "a run that may change nothing cannot go on with a change"
    assert ledger.finished() == set(NAMES), "it was examined"
    journal.close(operation, Receipt("restart_vm", "/vm", "done", "me", None, None, (), {}, {}))
    assert waiting(changing) == []


def finish(folder: Path) -> None:
    """Leave what runs leave that came to their end."""
    for name in NAMES:
        place = folder / "vms" / name
        place.mkdir(parents=True)
        for file in ("runbook.ipynb", "result.json"):
            (place / file).write_text("{}")


def spec(name: str, section: str) -> RunSpec:
    return RunSpec(name, notebook_of(section), {"azure": "simulator", "scenario": name})
