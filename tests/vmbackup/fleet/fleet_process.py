"""A process that runs a fleet of tiny notebooks: ``python fleet_process.py FOLDER COUNT WORKERS``; where it is refused
it ends with 2.

Each notebook adds a line to ``done`` beside its folder and leaves a result. The process can be killed at any moment.
"""

from __future__ import annotations

import sys
from pathlib import Path

import nbformat

from vmbackup.catalog.words import explain
from vmbackup.fleet import pool
from vmbackup.fleet.coordinator import FleetRun
from vmbackup.fleet.execute import RunSpec
from vmbackup.fleet.ledger import Ledger
from vmbackup.model import SetupError

WORK = """
import json, pathlib, time
time.sleep(pause)
folder = pathlib.Path(run_folder)
with open(folder.parent.parent / "done", "a") as done:
    print(folder.name, file=done)
(folder / "result.json").write_text(json.dumps({"outcome": "cause_found"}))
"""


def specs(folder: Path, count: int, source: str = WORK) -> list[RunSpec]:
    """The fleet: every third notebook takes a little longer."""
    path = folder / "work.ipynb"
    if not path.exists():
        parameters = nbformat.v4.new_code_cell('pause = 0.0\nrun_folder = ""', metadata={"tags": ["parameters"]})
        book = nbformat.v4.new_notebook(cells=[parameters, nbformat.v4.new_code_cell(source)])
        book.metadata["kernelspec"] = {"name": "python3", "language": "python", "display_name": "Python 3"}
        nbformat.write(book, path)
    return [RunSpec(f"vm-{number}", path, {"pause": 0.2 * (number % 3 == 0)}) for number in range(count)]


def main() -> None:
    """Run what is not finished."""
    folder, count, width = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    ledger = Ledger(str(folder))
    try:
        with ledger.held():
            run = FleetRun(ledger, specs(folder, count))
            with pool.local(width) as workers:
                for ended in run.run(workers):
                    print(ended.spec.name, ended.error or "", flush=True)
    except SetupError as error:
        print(explain(error, "en"))
        sys.exit(2)


if __name__ == "__main__":
    main()
