"""After a cell of parameters that did not run, what its variables held before is not taken for what it says."""

from __future__ import annotations

import atexit
from collections.abc import Iterator

import pytest
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

from saying import refused
from vmbackup.notebook.parameters_cell import ParametersCell

GOOD = 'azure: str = "live"\nvm_id: str = "/vm"'


@pytest.fixture
def shell() -> Iterator[InteractiveShell]:
    running = InteractiveShell(config=Config({"HistoryManager": {"enabled": False}}))
    yield running
    atexit.unregister(running.atexit_operations)
    running.atexit_operations()


@pytest.fixture
def cell(shell: InteractiveShell) -> ParametersCell:
    watching = ParametersCell()
    shell.events.register("post_run_cell", watching.note)
    return watching


@pytest.mark.parametrize("broken", ['azure: str = "live"\nvm_id: str = "/vm', "azure = live", "vm_id =\n"])
def test_a_broken_cell_of_parameters_is_refused_until_one_runs(
    broken: str, shell: InteractiveShell, cell: ParametersCell, monkeypatch: pytest.MonkeyPatch
) -> None:
    shell.run_cell(GOOD)
    cell.require()
    assert not shell.run_cell(broken).success, "headless the run ends here"
    monkeypatch.setenv("VMBACKUP_WIDGETS", "1")
    assert shell.run_cell(broken).success, "where somebody watches, the cells below say so"
    shell.run_cell("unrelated = 1 / 0")
    with refused("The cell with the parameters did not run: (SyntaxError|NameError)"):
        cell.require()
    shell.run_cell(GOOD)
    cell.require()


def test_any_other_broken_cell_stays_one(
    shell: InteractiveShell, cell: ParametersCell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VMBACKUP_WIDGETS", "1")
    assert not shell.run_cell("1 / 0").success
    assert not shell.run_cell("if vm_id == ''\n    pass").success
    cell.require()
