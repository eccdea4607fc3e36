"""The warm engine gives what papermill's own engine gives, keeps notebooks apart, and survives what they do."""

from __future__ import annotations

import os
import re
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient.exceptions import CellTimeoutError
from papermill.engines import NBClientEngine, papermill_engines
from papermill.exceptions import PapermillExecutionError
from papermill.execute import execute_notebook

from vmbackup.fleet.engine import WarmEngine
from vmbackup.fleet.forked import MEMORY_MB, KernelDied

papermill_engines.register("vmbackup", WarmEngine)
papermill_engines.register("papermill's own", NBClientEngine)

PATIENCE_S = 60
FEATURES = """
answer = 1  # the parameter
---
print("to stdout"); answer
---
import sys; print("to stderr", file=sys.stderr)
---
import os, subprocess
os.system("echo from the shell")
_ = subprocess.run(["echo", "from a program"])
---
from IPython.display import HTML, Image, Latex, Markdown, clear_output, display, update_display
shown = display(HTML("<b>first</b>"), display_id="place"); display(Markdown("*text*"), Latex("$x$"))
---
update_display(HTML("<i>second</i>"), display_id="place")
---
print("gone"); clear_output(); print("stays")
---
print("gone as well"); clear_output(wait=True); print("stays, too")
---
import pandas; pandas.DataFrame({"a": [1, 2]})
---
import asyncio; await asyncio.sleep(0.01); "awaited"
---
import ipywidgets; slider = ipywidgets.IntSlider(3); slider
---
out = ipywidgets.Output()
with out:
    print("inside the widget")
out
---
%time 1 + 1
---
!echo from a magic
---
"ends with a semicolon";
---
print("a\\rb"); print("12\\b3")
---
import json; json.dumps({"a": 1})
---
class Odd:
    def _repr_mimebundle_(self, **_): return {"text/plain": "odd", "application/x-odd+json": {"a": 1}}
Odd()
---
_, Out[3], In[3]
---
import threading
worker = threading.Thread(target=lambda: print("from a thread")); worker.start(); worker.join()
---
__name__, sys.path
---
try:
    input("?")
except Exception as error:
    print(type(error).__name__)
"""


def notebook(cells: str, path: Path, **metadata: Any) -> Path:
    built = nbformat.v4.new_notebook(
        metadata={"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    )
    built.cells = [nbformat.v4.new_code_cell(cell.strip("\n")) for cell in cells.split("\n---\n")]
    built.cells[0].metadata["tags"] = ["parameters"]
    for cell in built.cells[1:]:
        cell.metadata.update(metadata)
    nbformat.write(built, path)
    return path


def executed(source: Path, engine: str = "vmbackup", **options: Any) -> Any:
    target = source.with_name(f"executed by {engine}.ipynb")
    options.setdefault("parameters", {"answer": 42})
    options.setdefault("execution_timeout", PATIENCE_S)
    os.environ.pop("PYTEST_CURRENT_TEST", None)  # ipykernel captures what programs print, except where it sees this
    execute_notebook(source, target, engine_name=engine, progress_bar=False, **options)
    return nbformat.read(target, 4)


def executed_by_papermill(source: Path) -> Any:
    """By papermill's own engine. Where its client sends something of a widget just as the cell's reply comes in, it
    does not see that and waits for ever (https://github.com/jupyter/nbclient/issues/312)."""
    for _ in range(3):
        with suppress(CellTimeoutError):
            return executed(source, "papermill's own")
    raise AssertionError("papermill's own engine does not come to an end")


def normal(book: Any) -> tuple[Any, list[str]]:
    """The notebook without ids and times, and the states of its widgets."""
    widgets = book.metadata.pop("widgets", {}).get("application/vnd.jupyter.widget-state+json", {"state": {}})["state"]
    book = nbformat.reads(_anonymous(nbformat.writes(book)), 4)
    book.metadata.papermill.pop("output_path")
    for cell in book.cells:
        cell.pop("id", None)
        if cell.cell_type == "code":
            cell.outputs = _joined(cell.outputs)
    return book, sorted(_anonymous(str(state)) for state in widgets.values())


def _joined(outputs: list[Any]) -> list[Any]:
    """What was written to one stream in one piece: on a busy machine it may come in two."""
    whole: list[Any] = []
    for output in outputs:
        if whole and output.output_type == "stream" and whole[-1].get("name") == output.name:
            whole[-1].text += output.text
        else:
            whole.append(output)
    return whole


def _anonymous(words: str) -> str:
    words = re.sub(r"[0-9a-f]{32}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|0x[0-9a-f]+", "ID", words)
    words = re.sub(r'"\d{4}-\d\d-\d\dT[^"]*"', '"TIME"', words)
    words = re.sub(r'"duration": [\d.e-]+', '"duration": 0', words)
    words = re.sub(r"(CPU times|Wall time)[^\\]*", "TIMES", words)
    return re.sub(r"ipykernel_\d+/\d+", "ipykernel", words)


def test_a_notebook_comes_out_as_from_papermills_own_engine(tmp_path: Path) -> None:
    source = notebook(FEATURES, tmp_path / "features.ipynb")
    ours, theirs = normal(executed(source)), normal(executed_by_papermill(source))
    assert ours[1] == theirs[1]
    for index, (mine, other) in enumerate(zip(ours[0].cells, theirs[0].cells, strict=True)):
        assert mine == other, f"cell {index}: {mine.source}"
    assert ours[0].metadata == theirs[0].metadata


@pytest.mark.parametrize(
    "ending", ["raise ValueError('bad')", "1/0", "def f(:", "raise SystemExit(3)", "raise KeyboardInterrupt"]
)
def test_an_error_is_recorded_as_by_papermills_own_engine(ending: str, tmp_path: Path) -> None:
    source = notebook(f"answer = 1\n---\nprint('before')\n{ending}\n---\nprint('after')", tmp_path / "error.ipynb")
    books = []
    for engine in ("vmbackup", "papermill's own"):
        with pytest.raises(PapermillExecutionError):
            executed(source, engine)
        books.append(normal(nbformat.read(tmp_path / f"executed by {engine}.ipynb", 4))[0])
    assert books[0].cells == books[1].cells


def test_report_mode_timeout_and_logged_output_are_papermills(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    source = notebook("answer = 1\n---\nprint('logged', answer)", tmp_path / "options.ipynb")
    caplog.set_level("INFO", "papermill")
    book = executed(source, report_mode=True, log_output=True)
    assert all(cell.metadata.jupyter.source_hidden for cell in book.cells)
    assert "logged 42" in caplog.text
    slow = notebook("answer = 1\n---\nimport time; time.sleep(60)\n---\nprint('never')", tmp_path / "slow.ipynb")
    begun = time.monotonic()
    with pytest.raises(Exception, match="timed out|Timeout"):
        executed(slow, execution_timeout=2)
    assert time.monotonic() - begun < 30
    assert statuses(tmp_path) == ["completed", "completed", "failed", "pending"]


@pytest.mark.parametrize("ends", ["print(answer)", "print(answer); raise ValueError(answer)"])
def test_no_secret_among_the_parameters_is_ever_written(ends: str, tmp_path: Path) -> None:
    watch = f"import pathlib; before = pathlib.Path({str(tmp_path / 'executed by vmbackup.ipynb')!r}).read_text()"
    source = notebook(
        f"answer = ''\n---\nimport time; time.sleep(1.1)\n---\n{watch}; print('hunter' + '2' in before)\n---\n{ends}",
        tmp_path / "secret.ipynb",
    )
    with suppress(PapermillExecutionError):
        executed(source, parameters={"answer": "job failed, password=hunter2", "password": "hunter2"})
    kept = (tmp_path / "executed by vmbackup.ipynb").read_text("utf-8")
    assert "hunter2" not in kept
    assert "job failed, password=[removed]" in kept
    assert '"False' in kept, "nor was it while the notebook ran"


# --- apart -----------------------------------------------------------------------------------------------------------

LEAK = """
answer = 1
---
import builtins, json, locale, logging, os, pandas, random, sys, tempfile, numpy, pathlib
found = {
    "module state": getattr(json, "leaked", None),
    "environment": os.environ.get("LEAKED"),
    "directory": os.getcwd(),
    "random": [random.random(), numpy.random.rand()],
    "logging": logging.getLogger("leaked").level or len(logging.getLogger().handlers),
    "pandas": pandas.get_option("display.max_rows"),
    "builtins": hasattr(builtins, "leaked"),
    "files": sorted(pathlib.Path(tempfile.gettempdir()).iterdir()),
    "path": "/leaked" in sys.path,
    "variables": "leaked" in globals(),
}
print(json.dumps(found, default=str))
---
json.leaked = os.environ["LEAKED"] = builtins.leaked = leaked = "leaked"
os.chdir("/")
random.seed(1); numpy.random.seed(1)
logging.getLogger("leaked").setLevel(1); logging.getLogger().addHandler(logging.StreamHandler())
pandas.set_option("display.max_rows", 7)
tempfile.mkstemp()
sys.path.append("/leaked")
"""


def test_nothing_of_one_notebook_reaches_the_next(tmp_path: Path) -> None:
    import json

    source = notebook(LEAK, tmp_path / "leak.ipynb")
    first, second = (json.loads(executed(source).cells[2].outputs[0].text) for _ in range(2))
    assert first.pop("random") != second.pop("random")
    assert first == second
    assert second["files"] == []


# --- deaths ----------------------------------------------------------------------------------------------------------

DEATHS = {
    "killed": ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "SIGKILL"),
    "segmentation fault": ("import ctypes; ctypes.string_at(0)", "SIGSEGV"),
    "left": ("import os; os._exit(7)", "exit code 7"),
    "aborted": ("import os; os.abort()", "SIGABRT"),
}


def statuses(folder: Path) -> list[str]:
    book = nbformat.read(folder / "executed by vmbackup.ipynb", 4)
    return [cell.metadata.papermill.status for cell in book.cells]


@pytest.mark.parametrize("death", DEATHS)
def test_a_kernel_that_dies_leaves_what_it_had_and_no_cell_that_looks_completed(death: str, tmp_path: Path) -> None:
    code, words = DEATHS[death]
    source = notebook(f"answer = 1\n---\nprint('kept')\n---\n{code}\n---\nprint('never')", tmp_path / "dies.ipynb")
    with pytest.raises(KernelDied, match=words):
        executed(source)
    assert statuses(tmp_path) == ["completed", "completed", "completed", "failed", "pending"]
    book = nbformat.read(tmp_path / "executed by vmbackup.ipynb", 4)
    assert book.cells[2].outputs[0].text == "kept\n"
    assert (
        executed(notebook("answer = 1\n---\nanswer", tmp_path / "next.ipynb")).cells[2].outputs[0].data["text/plain"]
        == "42"
    )


def test_memory_that_runs_away_ends_as_an_error_of_that_notebook(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(MEMORY_MB, "200")
    source = notebook("answer = 1\n---\nhog = bytearray(400_000_000)\n---\n1", tmp_path / "hog.ipynb")
    with pytest.raises(PapermillExecutionError, match="MemoryError"):
        executed(source)


def test_processes_and_threads_that_a_notebook_leaves_behind_end_with_it(tmp_path: Path) -> None:
    source = notebook(
        "answer = 1\n---\nimport subprocess, threading, time\n"
        "left = [subprocess.Popen(['sleep', '99'], start_new_session=apart).pid for apart in (False, True)]\n"
        "threading.Thread(target=time.sleep, args=(99,)).start()\nprint(*left)",
        tmp_path / "leaves.ipynb",
    )
    begun = time.monotonic()
    left = executed(source).cells[2].outputs[0].text.split()
    assert time.monotonic() - begun < 30
    assert [pid for pid in left if Path("/proc", pid).exists()] == []


def test_a_notebook_for_another_kernel_is_run_by_papermills_own_engine(caplog: pytest.LogCaptureFixture) -> None:
    from jupyter_client.kernelspec import NoSuchKernel

    book = nbformat.v4.new_notebook(metadata={"papermill": {}})
    with pytest.raises(NoSuchKernel):
        WarmEngine.execute_notebook(book, "fortran", progress_bar=False)
    assert "the kernel fortran is not python3" in caplog.text
