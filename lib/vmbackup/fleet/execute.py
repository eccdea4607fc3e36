"""Many runbooks, headless: each executed by papermill in a warm kernel of its own, each with its folder and its result.

The run folder holds everything that is known about a run.
"""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from vmbackup.fleet.nursery import ZYGOTE, shared_zygote
from vmbackup.model import SetupError
from vmbackup.runs.folder import NOTEBOOK, RESULT, RunFolder

ENGINE = "vmbackup"


@dataclass(frozen=True, slots=True)
class RunSpec:
    """One runbook to execute: ``name`` becomes its folder, ``parameters`` go to papermill."""

    name: str
    notebook: Path
    parameters: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RunResult:
    """How a run ended: the content of ``result.json``, or ``error`` in words when there is none."""

    spec: RunSpec
    folder: Path
    result: Mapping[str, Any] | None
    error: str | None


def execute_all(specs: Sequence[RunSpec], folder: Path, workers: int) -> Iterator[RunResult]:
    """Execute the runs and yield each as it ends. One that fails ends as an ``error``; it never ends the others.

    Raises SetupError before anything runs when two runs share a name or a notebook lacks a parameter.
    """
    names = [spec.name for spec in specs]
    doubled = sorted({name for name in names if names.count(name) > 1})
    if doubled:
        raise SetupError("error.runs_named_alike", names=doubled)
    for spec in specs:
        _refuse_unknown_parameters(spec)
    # A fresh interpreter per worker: forking a process with threads (Azure clients, Jupyter) is not safe.
    fresh = get_context("spawn")
    with shared_zygote() as path, ProcessPoolExecutor(workers, fresh, prepare_worker, (path,)) as pool:
        waiting = {pool.submit(execute, spec, folder / spec.name): spec for spec in specs}
        for future in as_completed(waiting):
            spec = waiting[future]
            error = future.exception()
            yield future.result() if error is None else RunResult(spec, folder / spec.name, None, str(error))


def prepare_worker(zygote: str) -> None:
    """Make this process ready to execute notebooks in kernels of this zygote."""
    import papermill.execute  # noqa: F401
    from papermill.engines import papermill_engines

    from vmbackup.fleet.engine import WarmEngine

    os.environ[ZYGOTE] = zygote
    papermill_engines.register(ENGINE, WarmEngine)
    # What was imported stays; to search it for garbage again and again would take a tenth of the time.
    gc.collect()
    gc.freeze()


def execute(spec: RunSpec, folder: Path) -> RunResult:
    """Execute one run with papermill; executed notebook, ``result.json`` and ``evidence.json`` go to ``folder``."""
    from nbclient.exceptions import DeadKernelError
    from papermill.exceptions import PapermillExecutionError
    from papermill.execute import execute_notebook

    files = RunFolder(folder)
    files.delete(RESULT)
    files.write(NOTEBOOK, b"")  # papermill fills the file and leaves its mode: for its owner alone
    error = None
    try:
        execute_notebook(
            spec.notebook,
            folder / NOTEBOOK,
            parameters={**spec.parameters, "run_folder": str(folder.resolve())},
            engine_name=ENGINE,
            progress_bar=False,
        )
    except PapermillExecutionError as failure:
        error = failure.evalue or failure.ename
    except DeadKernelError as failure:
        error = str(failure)
    return RunResult(spec, folder, files.result(), error)


def _refuse_unknown_parameters(spec: RunSpec) -> None:
    from papermill.inspection import inspect_notebook

    if not spec.notebook.exists():
        raise SetupError("error.no_notebook", file=str(spec.notebook))
    unknown = set(spec.parameters) - set(inspect_notebook(str(spec.notebook)))
    if unknown:
        raise SetupError("error.no_notebook_parameter", file=spec.notebook.name, names=sorted(unknown), run=spec.name)
