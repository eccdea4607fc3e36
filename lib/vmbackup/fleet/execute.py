"""One runbook, headless: executed by papermill in a warm kernel, with what it found in a run folder of its own.

The executed notebook is written last and whole: where it is, the run has ended. A run that may change something has
not come to its end while ``begun.json`` is there.
"""

from __future__ import annotations

import ast
import gc
import json
import os
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

from vmbackup import sanitize
from vmbackup.catalog.words import explain
from vmbackup.fleet.folder import ERROR
from vmbackup.fleet.nursery import ZYGOTE
from vmbackup.model import Evidence, RunbookError, SetupError
from vmbackup.parameters import read, target
from vmbackup.runs import begun
from vmbackup.runs.folder import KNOWN, NOTEBOOK, RESULT, RunFolder
from vmbackup.runs.storage import LocalStorage, is_url

ENGINE = "vmbackup"
"""The warm engine, by the name under which papermill finds it."""
_LEAST_S = 0.1


@dataclass(frozen=True, slots=True)
class RunSpec:
    """One runbook to execute: ``name`` becomes its folder, ``parameters`` go to papermill. ``known`` is what lists
    said of the VM; ``timeout_s`` is for the whole runbook, 0: as long as it likes."""

    name: str
    notebook: Path
    parameters: Mapping[str, Any] = field(default_factory=dict)
    known: Evidence | None = None
    timeout_s: float = 0

    @property
    def changes(self) -> bool:
        """Whether the run may change something in Azure."""
        return bool(self.parameters.get("remedies") or self.parameters.get("retry"))


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

    if zygote:
        os.environ[ZYGOTE] = zygote
    # What was imported stays; to search it for garbage again and again would take a tenth of the time.
    gc.collect()
    gc.freeze()


def execute(spec: RunSpec, folder: str | os.PathLike[str]) -> RunResult:
    """Execute one run; its files go to ``folder``, a path or a URL. However it fails, that is its result; SetupError is
    raised where the folder cannot be written, which is no matter of this run alone."""
    prepare_worker(os.environ.get(ZYGOTE, ""))
    place = os.fspath(folder)
    place = place if is_url(place) else str(Path(place).resolve())
    files = RunFolder(place)
    if spec.changes:
        begun.begin(files, fleet=True)
    for name in (NOTEBOOK, RESULT, ERROR, KNOWN):
        files.delete(name)
    with tempfile.TemporaryDirectory(prefix="vmbackup-run-") as made:
        # What may change something keeps its journal where the next run finds it, whatever happens to this one.
        works_in = str(Path(made) / "run") if is_url(place) and not spec.changes else place
        here = RunFolder(works_in)
        if not is_url(works_in):
            LocalStorage(Path(works_in)).make()
        if spec.known:
            here.save_known(target(read(spec.parameters)), spec.known)
        notebook = Path(made) / NOTEBOOK
        error = _run_notebook(spec, notebook, works_in)
        result = here.result()
        if error is None and result is None:
            error = "The notebook left no result."
        if works_in != place:
            _upload(Path(works_in), files)
        if error is not None:
            files.delete(RESULT)
            files.write(ERROR, json.dumps({"error": sanitize.without_secrets(error)}).encode())
        # The notebook names where it was written; that was a folder which is gone.
        content = notebook.read_bytes() if notebook.exists() else b"{}"
        files.write(NOTEBOOK, content.replace(f"{made}{os.sep}".encode(), b""))
        if error is None and result is not None and works_in != place:
            files.save_result(result)
        if error is None and spec.changes:
            begun.end(files, fleet=True)
    # What was known of the VM need not travel back.
    return RunResult(replace(spec, known=None), place, result if error is None else None, error)


def failed(spec: RunSpec, place: str, error: str) -> RunResult:
    """Note of a run that it failed without a word of its own, as its worker died. Raises SetupError."""
    RunFolder(place).write(ERROR, json.dumps({"error": sanitize.without_secrets(error)}).encode())
    return RunResult(spec, place, None, error)


def _upload(folder: Path, files: RunFolder) -> None:
    """Bring what a run left in a temporary folder to its place, but for its result, which comes last."""
    for path in sorted(folder.iterdir()):
        if path.is_file() and path.name != RESULT:
            files.write(path.name, path.read_bytes())


def _run_notebook(spec: RunSpec, notebook: Path, works_in: str) -> str | None:
    """Run the notebook; returns why it failed, None where it did not."""
    from papermill.exceptions import PapermillExecutionError
    from papermill.execute import execute_notebook

    until = time.monotonic() + spec.timeout_s
    limit: dict[str, Any] = {}
    if spec.timeout_s:
        limit = {
            "timeout_func": lambda cell: max(_LEAST_S, until - time.monotonic()),
            "execution_timeout": spec.timeout_s,  # for what is asked when all cells were executed
        }
    try:
        execute_notebook(
            spec.notebook,
            notebook,
            parameters={**spec.parameters, "run_folder": works_in},
            engine_name=ENGINE,
            progress_bar=False,
            **limit,
        )
    except PapermillExecutionError as failure:
        return str(failure.evalue or failure.ename)
    except RunbookError as failure:
        return explain(failure, str(spec.parameters.get("language", "en")))
    except Exception as failure:  # a kernel that died, a cell that took too long, a full disk: of this VM alone
        return str(failure) or type(failure).__name__
    return None


def refuse_unknown_parameters(spec: RunSpec) -> None:
    """Raises SetupError where the runbook is missing or lacks one of the parameters: papermill would only warn."""
    unknown = sorted(set(spec.parameters) - parameters_of(spec.notebook))
    if unknown:
        raise SetupError("error.no_notebook_parameter", file=spec.notebook.name, names=unknown, run=spec.name)


@cache
def parameters_of(notebook: Path) -> frozenset[str]:
    """The names of a notebook's parameters, as papermill finds them: it alone would take more memory than a fleet's
    coordinator. Raises SetupError where there is no notebook."""
    if not notebook.exists():
        raise SetupError("error.no_notebook", file=str(notebook))
    cells = json.loads(notebook.read_text("utf-8"))["cells"]
    tagged = ("".join(cell["source"]) for cell in cells if "parameters" in cell["metadata"].get("tags", []))
    return frozenset(name for line in ast.parse(next(tagged, "")).body for name in _names_assigned(line))


def _names_assigned(line: ast.stmt) -> list[str]:
    targets = line.targets if isinstance(line, ast.Assign) else [getattr(line, "target", None)]
    return [target.id for target in targets if isinstance(target, ast.Name)]
