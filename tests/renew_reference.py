"""Execute the product's notebooks against simulated worlds and store them, outputs included, in tests/reference.

nbval runs these reference executions again and compares; test_reference.py holds their sources equal to the product's.
"""

from __future__ import annotations

import json
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import nbformat
import papermill
import yaml

ROOT = Path(__file__).parents[1]
REFERENCE = ROOT / "tests" / "reference"
NOTEBOOKS = ROOT / "notebooks"


def executions() -> dict[str, dict[str, Any]]:
    """Name of each reference execution with the notebook and the parameters it was made with."""
    return dict(yaml.safe_load((REFERENCE / "executions.yaml").read_text("utf-8")))


# They examine no VM of their own, so they have nothing to save.
WITHOUT_RUN_FOLDER = ("00_start_here", "90_many_vms")


def renew(name: str, notebook: str, parameters: dict[str, str]) -> None:
    """Execute one notebook and store it without what differs from run to run."""
    folder_of_its_own = {} if notebook in WITHOUT_RUN_FOLDER else {"run_folder": f"runs/reference/{name}"}
    with TemporaryDirectory() as folder:
        papermill.execute_notebook(
            NOTEBOOKS / f"{notebook}.ipynb",
            REFERENCE / f"{name}.ipynb",
            parameters={**parameters, **folder_of_its_own},
            progress_bar=False,
            cwd=folder,
            shutdown_kernel="immediate",
        )
    executed = nbformat.read(REFERENCE / f"{name}.ipynb", as_version=4)
    executed.metadata = {key: executed.metadata[key] for key in ("kernelspec", "language_info")}
    executed.metadata["language_info"] = {"name": "python"}
    for cell in executed.cells:
        cell.metadata = {"tags": cell.metadata["tags"]} if cell.metadata.get("tags") else {}
        cell.id = "injected" if "injected-parameters" in cell.metadata.get("tags", []) else cell.id
    text = json.dumps(executed, ensure_ascii=False, indent=1)
    (REFERENCE / f"{name}.ipynb").write_text(text + "\n", "utf-8")


def main() -> None:
    """Renew all of them."""
    # Processes, because papermill changes the working directory.
    with ProcessPoolExecutor(2) as pool:
        for future in [pool.submit(renew, name, **row) for name, row in executions().items()]:
            future.result()


if __name__ == "__main__":
    main()
