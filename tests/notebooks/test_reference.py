"""The reference executions are the product's notebooks, executed: same cells, same order, outputs stored."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import nbformat
import pytest
from tests.renew_reference import NOTEBOOKS, REFERENCE, WITHOUT_RUN_FOLDER, executions


def cells(path: Path) -> list[Any]:
    book = nbformat.read(path, as_version=4)
    return [cell for cell in book.cells if "injected-parameters" not in cell.metadata.get("tags", [])]


def test_every_stored_execution_is_listed() -> None:
    assert sorted(executions()) == sorted(path.stem for path in REFERENCE.glob("*.ipynb"))


@pytest.mark.parametrize("name", executions())
def test_its_cells_are_the_products(name: str) -> None:
    executed, product = cells(REFERENCE / f"{name}.ipynb"), cells(NOTEBOOKS / f"{executions()[name]['notebook']}.ipynb")
    assert [cell.source for cell in executed] == [cell.source for cell in product], "run `make reference`"


@pytest.mark.parametrize("name", executions())
def test_every_cell_ran_without_an_error_and_is_readable_without_a_kernel(name: str) -> None:
    for cell in cells(REFERENCE / f"{name}.ipynb"):
        if cell.cell_type == "code" and "parameters" not in cell.metadata.get("tags", []):
            assert cell.execution_count
            assert all(output.output_type in ("execute_result", "display_data") for output in cell.outputs)
            assert all({"text/html", "text/markdown", "text/plain"} <= set(output.data) for output in cell.outputs)


@pytest.mark.parametrize(
    "name", [name for name, row in executions().items() if row["notebook"] not in WITHOUT_RUN_FOLDER]
)
def test_the_first_output_is_the_incident_and_its_verdict(name: str) -> None:
    first = next(output for cell in cells(REFERENCE / f"{name}.ipynb") for output in cell.get("outputs", []))
    shown = first.data["text/html"]
    assert re.search("<h2>(Backup incident|Sicherungsvorfall): ", shown)
    assert shown.index("border-left:6px") < shown.index("<table>"), "the verdict stands above the details"
