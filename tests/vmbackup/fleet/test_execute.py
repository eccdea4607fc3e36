"""Headless runs: one that fails ends none of the others, and nothing misspelt is executed."""

import stat
import time
from pathlib import Path

import nbformat
import pytest

from saying import refused
from vmbackup.fleet.execute import RunSpec, execute
from vmbackup.fleet.pool import execute_all


def notebook(path: Path, source: str) -> Path:
    parameters = nbformat.v4.new_code_cell('n = 1  # a number\nrun_folder = ""', metadata={"tags": ["parameters"]})
    book = nbformat.v4.new_notebook(cells=[parameters, nbformat.v4.new_code_cell(source)])
    book.metadata["kernelspec"] = {"name": "python3", "language": "python", "display_name": "Python 3"}
    nbformat.write(book, path)
    return path


def test_each_order_gets_its_folder_and_neither_a_failure_nor_a_dead_kernel_ends_another(tmp_path: Path) -> None:
    writes = "import json, pathlib\npathlib.Path(run_folder, 'result.json').write_text(json.dumps({'n': n}))"
    good = notebook(tmp_path / "good.ipynb", writes)
    bad = notebook(tmp_path / "bad.ipynb", "raise ValueError('no such VM')")
    dies = notebook(tmp_path / "dies.ipynb", "import os; os._exit(3)")
    specs = [RunSpec("a", good, {"n": 7}), RunSpec("b", bad), RunSpec("dies", dies), RunSpec("lives", good)]
    executed = {done.spec.name: done for done in execute_all(specs, tmp_path / "runs", 1)}
    assert executed["a"].result == {"n": 7}
    assert executed["b"].result is None
    assert executed["b"].error == "no such VM"
    assert executed["dies"].error == "Kernel died (exit code 3)"
    assert executed["lives"].result == {"n": 1}
    kept = tmp_path / "runs" / "b" / "runbook.ipynb"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert stat.S_IMODE(kept.parent.stat().st_mode) == 0o700
    assert nbformat.read(kept, 4).cells


def test_a_parameter_the_notebook_does_not_have_is_refused_before_anything_runs(tmp_path: Path) -> None:
    book = notebook(tmp_path / "book.ipynb", "pass")
    with refused("has no parameter m"):
        list(execute_all([RunSpec("a", book, {"m": 1})], tmp_path / "runs", 1))
    assert not (tmp_path / "runs").exists()


def test_two_orders_of_one_name_are_refused(tmp_path: Path) -> None:
    book = notebook(tmp_path / "book.ipynb", "pass")
    with refused("Two runs are named a"):
        list(execute_all([RunSpec("a", book), RunSpec("a", book)], tmp_path / "runs", 1))


def test_a_missing_notebook_is_named(tmp_path: Path) -> None:
    with refused("no notebook"):
        list(execute_all([RunSpec("a", tmp_path / "none.ipynb")], tmp_path / "runs", 1))


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("import time; time.sleep(60)", "timed out"),
        ("import time; get_ipython().kernel.shell_handlers['kernel_info_request'] = lambda *_: time.sleep(60)",
         "did not answer for 2 s after its last cell"),
    ],
)  # fmt: skip
def test_a_notebook_that_takes_too_long_as_a_whole_is_ended(source: str, said: str, tmp_path: Path) -> None:
    begun = time.monotonic()
    ended = execute(RunSpec("a", notebook(tmp_path / "slow.ipynb", source), timeout_s=2), tmp_path / "run")
    assert ended.result is None
    assert said in (ended.error or "").lower()
    assert time.monotonic() - begun < 40
