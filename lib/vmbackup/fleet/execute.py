"""One runbook, headless: executed by papermill in a warm kernel, with what it found in a run folder of its own.

runbook.ipynb   the executed notebook, written last and whole: where it is, the run has ended
result.json     what was found
error.json      how the run failed, where it did: {error: words}
"""

from __future__ import annotations

import gc
import json
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from vmbackup import sanitize
from vmbackup.fleet.folder import ERROR
from vmbackup.fleet.nursery import ZYGOTE
from vmbackup.model import RunbookError, SetupError
from vmbackup.runs.folder import NOTEBOOK, RESULT, RunFolder
from vmbackup.runs.storage import LocalStorage, is_url

ENGINE = "vmbackup"


@dataclass(frozen=True, slots=True)
class RunSpec:
    """One runbook to execute: ``name`` becomes its folder, ``parameters`` go to papermill. ``cell_s`` is the longest
    that one cell may take, in seconds; None: as long as it likes."""

    name: str
    notebook: Path
    parameters: Mapping[str, Any] = field(default_factory=dict)
    cell_s: float | None = None


@dataclass(frozen=True, slots=True)
class RunResult:
    """How a run ended: the content of ``result.json``, or ``error`` in words."""

    spec: RunSpec
    folder: str
    result: Mapping[str, Any] | None
    error: str | None


@cache
def prepare_worker(zygote: str = "") -> None:
    """Make this process ready to execute notebooks, in kernels of this zygote or of one of its own."""
    import papermill.execute  # noqa: F401
    from papermill.engines import papermill_engines

    from vmbackup.fleet.engine import WarmEngine

    if zygote:
        os.environ[ZYGOTE] = zygote
    papermill_engines.register(ENGINE, WarmEngine)
    # What was imported stays; to search it for garbage again and again would take a tenth of the time.
    gc.collect()
    gc.freeze()


def execute(spec: RunSpec, folder: str | os.PathLike[str]) -> RunResult:
    """Execute one run; its files go to ``folder``, a path or a URL. However it fails, that is its result."""
    prepare_worker(os.environ.get(ZYGOTE, ""))
    place = os.fspath(folder)
    place = place if is_url(place) else str(Path(place).resolve())
    try:
        files = RunFolder(place)
        if not is_url(place):
            LocalStorage(Path(place)).make()
        for name in (NOTEBOOK, RESULT, ERROR):
            files.delete(name)
        error = _executed(spec, files, place)
        result = files.result()
        if error is None and result is None:
            error = "The notebook left no result."
        if error is not None:
            files.write(ERROR, json.dumps({"error": sanitize.without_secrets(error)}).encode())
    except (RunbookError, OSError) as failure:
        return RunResult(spec, place, None, str(failure))
    return RunResult(spec, place, result if error is None else None, error)


def _executed(spec: RunSpec, files: RunFolder, place: str) -> str | None:
    """Run the notebook and keep it; returns why it failed, None where it did not."""
    from papermill.exceptions import PapermillExecutionError
    from papermill.execute import execute_notebook

    error = None
    with tempfile.TemporaryDirectory(prefix="vmbackup-run-") as made:
        target = Path(made) / NOTEBOOK
        try:
            execute_notebook(
                spec.notebook,
                target,
                parameters={**spec.parameters, "run_folder": place},
                engine_name=ENGINE,
                progress_bar=False,
                execution_timeout=spec.cell_s,
            )
        except PapermillExecutionError as failure:
            error = str(failure.evalue or failure.ename)
        except Exception as failure:  # a kernel that died, a cell that took too long, a full disk: of this VM alone
            error = str(failure) or type(failure).__name__
        content = target.read_bytes() if target.exists() else b"{}"
    # The notebook names where it was written; that was a folder which is gone.
    files.write(NOTEBOOK, content.replace(f"{made}{os.sep}".encode(), b""))
    return error


def refuse_unknown_parameters(spec: RunSpec) -> None:
    """Raises SetupError where the runbook is missing or lacks one of the parameters: papermill would only warn."""
    unknown = sorted(set(spec.parameters) - parameters_of(spec.notebook))
    if unknown:
        raise SetupError("error.no_notebook_parameter", file=spec.notebook.name, names=unknown, run=spec.name)


@cache
def parameters_of(notebook: Path) -> frozenset[str]:
    """The names of a notebook's parameters. Raises SetupError where there is no notebook."""
    from papermill.inspection import inspect_notebook

    if not notebook.exists():
        raise SetupError("error.no_notebook", file=str(notebook))
    return frozenset(inspect_notebook(str(notebook)))
