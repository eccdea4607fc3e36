"""What it costs to execute a notebook, without any question to Azure: the machinery alone, in five ways side by side.

``cli``        the ``papermill`` command in a shell loop, one process for each notebook
``pool``       ``papermill.execute_notebook`` in a pool of processes
``ploomber``   ploomber-engine: in one process, without isolation; in an environment of its own
``warm``       the engine ``vmbackup`` in the same pool
``floor``      the same statements in a fork of a process that has imported what they import, without any notebook

The notebook has twelve cells: parameters, the imports of a runbook, a table, text. Warm-up is excluded for all.
"""

from __future__ import annotations

import json
import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import nbformat
from papermill.execute import execute_notebook

from vmbackup.fleet.execute import prepare_worker
from vmbackup.fleet.nursery import shared_zygote

ROOT = Path(__file__).parents[1]
PLOOMBER = ROOT / "build" / "ploomber" / "bin" / "python"
WIDTH = os.cpu_count() or 2
ROUNDS = 3
COUNTS = {"cli": 4, "pool": 8, "ploomber": 40, "warm": 60, "floor": 60}
_TICKS_PER_S = os.sysconf("SC_CLK_TCK")

CELLS = (
    'vm = "vm-0"\nrun_folder = ""',
    "import json, os, sys, time",
    "import pandas as pd",
    "import ipywidgets as widgets",
    "import azure.identity, azure.mgmt.compute, azure.mgmt.monitor, azure.mgmt.network\n"
    "import azure.mgmt.recoveryservicesbackup",
    "from IPython.display import HTML, display",
    'rows = [{"cause": n, "verdict": "ok" if n % 3 else "problem"} for n in range(9)]\nframe = pd.DataFrame(rows)',
    "display(HTML(frame.to_html()))",
    'display(HTML("".join(f"<p>{row}</p>" for row in rows)))',
    "frame.groupby('verdict').size()",
    'print(vm); widgets.HTML("<b>done</b>")',
    'print([line.split()[1] for line in open("/proc/self/smaps_rollup") if line.startswith("Private_Dirty")][0])',
)


@dataclass(frozen=True, slots=True)
class Cost:
    """Per notebook: seconds on the wall at this width, seconds of CPU of all processes."""

    wall_s: float
    cpu_s: float


def notebook(path: Path) -> Path:
    """Write the notebook that is executed."""
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in CELLS])
    book.cells[0].metadata["tags"] = ["parameters"]
    book.metadata["kernelspec"] = {"name": "python3", "language": "python", "display_name": "Python 3"}
    nbformat.write(book, path)
    return path


def execute(source: str, target: str, engine: str | None, number: int) -> None:
    """Execute it once, in a worker of a pool."""
    execute_notebook(source, target, {"vm": f"vm-{number}"}, engine_name=engine, progress_bar=False)


def _cli(source: Path, folder: Path, count: int) -> Cost:
    papermill = [sys.executable, "-m", "papermill", "--no-progress-bar", str(source)]
    lines = "\0".join(str(folder / f"cli-{number}.ipynb") for number in range(count))
    loop = ["xargs", "-0", "-P", str(WIDTH), "-I{}", *papermill, "{}", "-p", "vm", "{}"]
    with _measured(lambda: _cpu(resource.RUSAGE_CHILDREN), count) as cost:
        subprocess.run(loop, input=lines, text=True, check=True, capture_output=True)
    return cost()


def _pooled(engine: str | None, source: Path, folder: Path, count: int) -> Cost:
    with ExitStack() as stack:
        prepared = (prepare_worker, (stack.enter_context(shared_zygote()),)) if engine else (None, ())
        pool = stack.enter_context(ProcessPoolExecutor(WIDTH, get_context("spawn"), *prepared))
        run = partial(execute, str(source))
        targets = [str(folder / f"{engine}-{number}.ipynb") for number in range(max(count, 2 * WIDTH))]
        warm = [pool.submit(run, target, engine, number) for number, target in enumerate(targets[: 2 * WIDTH])]
        for future in warm:
            future.result()
        with _measured(lambda: cpu_below(os.getpid()), count) as cost:
            for future in [pool.submit(run, targets[number], engine, number) for number in range(count)]:
                future.result()
        return cost()


def _floor(source: Path, folder: Path, count: int) -> Cost:
    """In a process of its own, so that what is imported here weighs on no other."""
    return _other(sys.executable, _FLOOR, source, folder, count)


def _ploomber(source: Path, folder: Path, count: int) -> Cost:
    return _other(str(PLOOMBER), _EMBEDDED, source, folder, count)


def _other(python: str, script: str, source: Path, folder: Path, count: int) -> Cost:
    words = [python, "-c", script, str(source), str(folder), str(count)]
    ended = subprocess.run(words, check=True, capture_output=True, text=True, cwd=folder)
    return Cost(**json.loads(ended.stdout.splitlines()[-1]))


_FLOOR = """
import json, os, resource, sys, time
import nbformat
source, folder, count = sys.argv[1:]
cells = [cell.source for cell in nbformat.read(source, 4).cells]

def once():
    names = {}
    for cell in cells:
        exec(compile(cell, "cell", "exec"), names)

def cpu():
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)

for cell in cells:
    if cell.startswith(("import", "from")):
        exec(cell, {})
import gc; gc.freeze()
begun, used = time.perf_counter(), cpu()
waiting = 0
width = os.cpu_count() or 2
for number in range(int(count)):
    if os.fork() == 0:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        once()
        os._exit(0)
    waiting += 1
    if waiting == width:
        os.wait(); waiting -= 1
while waiting:
    os.wait(); waiting -= 1
print(json.dumps({"wall_s": (time.perf_counter() - begun) / int(count), "cpu_s": (cpu() - used) / int(count)}))
"""

_EMBEDDED = """
import json, os, sys, time
from papermill.execute import execute_notebook
source, folder, count = sys.argv[1:]

def once(number):
    target = os.path.join(folder, f"embedded-{number}.ipynb")
    execute_notebook(source, target, {"vm": f"vm-{number}"}, engine_name="embedded", progress_bar=False)

once(0); once(0)
begun, used = time.perf_counter(), time.process_time()
for number in range(int(count)):
    once(number)
wall, cpu = time.perf_counter() - begun, time.process_time() - used
print(json.dumps({"wall_s": wall / int(count), "cpu_s": cpu / int(count)}))
"""

WAYS: dict[str, Callable[[Path, Path, int], Cost]] = {
    "cli": _cli,
    "pool": partial(_pooled, None),
    "ploomber": _ploomber,
    "warm": partial(_pooled, "vmbackup"),
    "floor": _floor,
}


class _measured:
    """Wall and CPU of a block, per notebook; call what it gives once the block has ended."""

    def __init__(self, cpu: Callable[[], float], count: int) -> None:
        self._cpu, self._count = cpu, count

    def __enter__(self) -> Callable[[], Cost]:
        self._begun, self._used = time.perf_counter(), self._cpu()
        return lambda: Cost(self._wall / self._count, self._spent / self._count)

    def __exit__(self, *_: object) -> None:
        self._wall, self._spent = time.perf_counter() - self._begun, self._cpu() - self._used


def _cpu(who: int) -> float:
    used = resource.getrusage(who)
    return used.ru_utime + used.ru_stime


def cpu_below(pid: int) -> float:
    """CPU seconds of all processes below this one, the ended ones among them."""
    total, open_pids = 0.0, [pid]
    while open_pids:
        each = open_pids.pop()
        try:
            fields = Path(f"/proc/{each}/stat").read_text().rpartition(")")[2].split()
            tasks = Path(f"/proc/{each}/task").iterdir()
            open_pids += [int(child) for task in tasks for child in (task / "children").read_text().split()]
        except OSError:
            continue
        total += sum(map(int, fields[11:15])) / _TICKS_PER_S
    return total


def child_mb(folder: Path) -> float:
    """Memory that the kernels of the warm engine had for themselves at their end, as their last cell saw it."""
    seen = []
    for path in folder.glob("vmbackup-*.ipynb"):
        last = nbformat.read(path, 4).cells[-1]
        seen += [int(output.text) / 1024 for output in last.outputs]
    return statistics.median(seen)


def figures(ways: Sequence[str] = tuple(WAYS)) -> dict[str, float]:
    """Medians of the rounds, each of which tries every way once, and their ratios."""
    found: dict[str, list[Cost]] = {name: [] for name in ways}
    with TemporaryDirectory() as place:
        source = notebook(Path(place) / "in.ipynb")
        for _ in range(ROUNDS):
            for name in ways:
                if name != "ploomber" or PLOOMBER.exists():
                    found[name].append(WAYS[name](source, Path(place), COUNTS[name]))
        memory = child_mb(Path(place))
    known = {name: _median(costs) for name, costs in found.items() if costs}
    rows = {
        f"notebook_{name}_{field}": getattr(cost, field) for name, cost in known.items() for field in Cost.__slots__
    }
    return {**rows, **_ratios(known), "notebook_warm_child_mb": memory}


def _median(costs: Sequence[Cost]) -> Cost:
    return Cost(*(statistics.median(getattr(each, field) for each in costs) for field in ("wall_s", "cpu_s")))


def _ratios(known: dict[str, Cost]) -> dict[str, float]:
    def ratio(above: str, below: str, field: str) -> dict[str, float]:
        if above not in known or below not in known:
            return {}
        name = f"{above}_over_{below}_{field.removesuffix('_s')}"
        return {name: getattr(known[above], field) / getattr(known[below], field)}

    pairs: list[Any] = [("cli", "warm", "wall_s"), ("pool", "warm", "cpu_s"), ("warm", "ploomber", "cpu_s")]
    return {name: value for each in [*pairs, ("warm", "floor", "cpu_s")] for name, value in ratio(*each).items()}


if __name__ == "__main__":
    for label, number in figures(sys.argv[1:] or tuple(WAYS)).items():
        print(f"{label:34} {number:10.3f}")
