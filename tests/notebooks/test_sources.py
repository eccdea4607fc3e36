"""The notebooks are thin, readable, without outputs, and say what the catalogue says."""

from __future__ import annotations

import ast
from dataclasses import fields
from pathlib import Path

import nbformat
import pytest
from nbformat import NotebookNode
from papermill.inspection import inspect_notebook

from vmbackup import catalog
from vmbackup.parameters import Parameters

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
ALL = sorted(path.name for path in NOTEBOOKS.glob("*.ipynb"))
RUNBOOKS = {entry["notebook"]: (section, entry) for section, entry in catalog.sections().items()}


def cells(name: str) -> list[NotebookNode]:
    return list(nbformat.read(NOTEBOOKS / name, as_version=4).cells)


def headings(name: str) -> list[str]:
    return [cell.source.splitlines()[0] for cell in cells(name) if cell.cell_type == "markdown"]


def test_there_is_one_notebook_per_section_and_one_to_start_with() -> None:
    assert ["00_start_here.ipynb", *(f"{name}.ipynb" for name in RUNBOOKS)] == ALL


@pytest.mark.parametrize("name", ALL)
def test_sources_carry_no_outputs(name: str) -> None:
    code = [cell for cell in cells(name) if cell.cell_type == "code"]
    assert all(not cell.outputs and cell.execution_count is None for cell in code)


@pytest.mark.parametrize("name", ALL)
def test_code_is_a_few_plain_lines_under_a_heading(name: str) -> None:
    book = cells(name)
    for before, cell in zip(book, book[1:], strict=False):
        if cell.cell_type != "code":
            continue
        assert before.cell_type == "markdown"
        assert before.source.startswith("#")
        if "parameters" not in cell.metadata.get("tags", []):
            assert len(cell.source.splitlines()) <= 5
        banned = (ast.FunctionDef, ast.ClassDef, ast.For, ast.Try, ast.While, ast.Lambda)
        assert not any(isinstance(node, banned) for node in ast.walk(ast.parse(cell.source)))


@pytest.mark.parametrize("name", ALL)
def test_code_is_collapsed_but_for_the_parameters(name: str) -> None:
    for cell in cells(name):
        if cell.cell_type == "code":
            is_form = "parameters" in cell.metadata.get("tags", [])
            assert cell.metadata.get("jupyter", {}).get("source_hidden", False) is not is_form


@pytest.mark.parametrize("name", RUNBOOKS)
def test_the_parameters_are_those_of_the_product_each_explained(name: str) -> None:
    inspected = inspect_notebook(str(NOTEBOOKS / f"{name}.ipynb"))
    assert list(inspected) == [field.name for field in fields(Parameters)]
    assert all(parameter["help"] for parameter in inspected.values())
    defaults = {key: ast.literal_eval(parameter["default"]) for key, parameter in inspected.items()}
    scenario = defaults.pop("scenario")
    assert scenario
    assert defaults == {field.name: field.default for field in fields(Parameters) if field.name != "scenario"}


@pytest.mark.parametrize("name", RUNBOOKS)
def test_the_articles_causes_stand_under_their_headings_in_its_order_and_the_additions_in_one_cell(name: str) -> None:
    _, entry = RUNBOOKS[name]
    titles = [catalog.causes()[cause]["title"]["en"] for cause in entry["causes"]]
    causes = [line for line in headings(f"{name}.ipynb") if line.startswith("## Cause")]
    assert [line.split(": ", 1)[1] for line in causes] == titles
    asked = [cell.source for cell in cells(f"{name}.ipynb") if cell.source.startswith(("run.step(", "run.additions("))]
    assert asked == [*(f'run.step("{cause}")' for cause in entry["causes"]), "run.additions()"]


@pytest.mark.parametrize("name", RUNBOOKS)
def test_the_title_is_the_articles_in_both_languages(name: str) -> None:
    _, entry = RUNBOOKS[name]
    first = cells(f"{name}.ipynb")[0].source
    assert first.startswith(f"# {entry['title']['en']}\n")
    assert entry["title"]["de"] in first


@pytest.mark.parametrize("name", RUNBOOKS)
def test_the_notebook_opens_its_own_section(name: str) -> None:
    section, _ = RUNBOOKS[name]
    assert any(f'section="{section}"' in cell.source for cell in cells(f"{name}.ipynb"))
