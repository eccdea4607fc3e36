"""Headless runs: one that fails ends none of the others, and nothing misspelt is executed."""

import json
import sys
from pathlib import Path

import nbformat
import pytest

from vmbackup.fleet.execute import Order, execute_all
from vmbackup.model import SetupError


def notebook(path: Path, source: str) -> Path:
    parameters = nbformat.v4.new_code_cell('n = 1  # a number\nrun_folder = ""', metadata={"tags": ["parameters"]})
    book = nbformat.v4.new_notebook(cells=[parameters, nbformat.v4.new_code_cell(source)])
    book.metadata["kernelspec"] = {"name": "python3", "language": "python", "display_name": "Python 3"}
    nbformat.write(book, path)
    return path


def test_each_order_gets_its_folder_and_one_failure_ends_no_other(tmp_path: Path) -> None:
    writes = "import json, pathlib\npathlib.Path(run_folder, 'result.json').write_text(json.dumps({'n': n}))"
    good = notebook(tmp_path / "good.ipynb", writes)
    bad = notebook(tmp_path / "bad.ipynb", "raise ValueError('no such VM')")
    orders = [Order("a", good, {"n": 7}), Order("b", bad)]
    executed = {done.order.name: done for done in execute_all(orders, tmp_path / "runs", 2)}
    assert executed["a"].result == {"n": 7}
    assert executed["b"].result is None
    assert executed["b"].error == "no such VM"
    assert (tmp_path / "runs" / "b" / "runbook.ipynb").exists()


def test_a_parameter_the_notebook_does_not_have_is_refused_before_anything_runs(tmp_path: Path) -> None:
    book = notebook(tmp_path / "book.ipynb", "pass")
    with pytest.raises(SetupError, match="has no parameter m"):
        list(execute_all([Order("a", book, {"m": 1})], tmp_path / "runs", 1))
    assert not (tmp_path / "runs").exists()


def test_two_orders_of_one_name_are_refused(tmp_path: Path) -> None:
    book = notebook(tmp_path / "book.ipynb", "pass")
    with pytest.raises(SetupError, match="Two orders are named a"):
        list(execute_all([Order("a", book), Order("a", book)], tmp_path / "runs", 1))


def test_a_missing_notebook_is_named(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="no notebook"):
        list(execute_all([Order("a", tmp_path / "none.ipynb")], tmp_path / "runs", 1))


STARTS = """
import pathlib, sys
counter = pathlib.Path(sys.argv[1])
counter.write_text(counter.read_text() + "x")
if len(counter.read_text()) <= int(sys.argv[2]):
    sys.exit(1)
sys.argv = ["ipykernel", *sys.argv[3:]]
from ipykernel.kernelapp import launch_new_instance
launch_new_instance()
"""


def with_a_kernel_that_dies(folder: Path, times: int) -> Path:
    """A notebook whose kernel dies this many times before it answers; the file ``starts`` counts."""
    (folder / "starts").write_text("")
    (folder / "start.py").write_text(STARTS)
    spec = folder / "kernels" / "dying"
    spec.mkdir(parents=True)
    argv = [sys.executable, str(folder / "start.py"), str(folder / "starts"), str(times), "-f", "{connection_file}"]
    (spec / "kernel.json").write_text(json.dumps({"argv": argv, "display_name": "dying", "language": "python"}))
    path = notebook(folder / "book.ipynb", "import pathlib\npathlib.Path(run_folder, 'result.json').write_text('{}')")
    book = nbformat.read(path, as_version=4)
    book.metadata.kernelspec = {"name": "dying", "display_name": "dying", "language": "python"}
    nbformat.write(book, path)
    return path


@pytest.mark.parametrize(("times", "starts"), [(2, 3), (3, 3)])
def test_a_kernel_that_died_before_it_ran_anything_is_started_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, times: int, starts: int
) -> None:
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path))
    [done] = execute_all([Order("a", with_a_kernel_that_dies(tmp_path, times))], tmp_path / "runs", 1)
    assert len((tmp_path / "starts").read_text()) == starts
    assert (done.result == {}) is (times < starts)
    assert bool(done.error) is (times >= starts)
