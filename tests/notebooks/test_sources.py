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


def test_there_is_one_notebook_per_section_one_to_start_with_and_one_for_many_vms() -> None:
    assert ["00_start_here.ipynb", *(f"{name}.ipynb" for name in RUNBOOKS), "90_many_vms.ipynb"] == ALL


@pytest.mark.parametrize("name", ALL)
def test_sources_carry_no_outputs(name: str) -> None:
    code = [cell for cell in cells(name) if cell.cell_type == "code"]
    assert all(not cell.outputs and cell.execution_count is None for cell in code)


@pytest.mark.parametrize("name", ALL)
def test_code_is_a_few_plain_lines(name: str) -> None:
    for cell in (each for each in cells(name) if each.cell_type == "code"):
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
def test_the_articles_causes_stand_in_its_order_and_the_additions_in_one_cell(name: str) -> None:
    _, entry = RUNBOOKS[name]
    asked = [cell.source for cell in cells(f"{name}.ipynb") if cell.source.startswith(("run.step(", "run.additions("))]
    assert asked == [*(f'run.step("{cause}")' for cause in entry["causes"]), "run.additions()"]


@pytest.mark.parametrize("name", RUNBOOKS)
def test_what_stands_before_the_run_is_in_both_languages_and_every_other_heading_in_that_of_the_run(name: str) -> None:
    _, entry = RUNBOOKS[name]
    title, parameters = (cell.source.split("\n\n") for cell in cells(f"{name}.ipynb") if cell.cell_type == "markdown")
    said = entry["title"], entry["intro"]
    assert title == [f"# {said[0]['en']}", f"*{said[0]['de']}*", said[1]["en"], f"*{said[1]['de']}*"]
    assert parameters[0] == "## Parameters · Parameter"
    assert [part.startswith("*") for part in parameters[1:]] == [False, True]


@pytest.mark.parametrize("name", RUNBOOKS)
def test_the_notebook_opens_its_own_section(name: str) -> None:
    section, _ = RUNBOOKS[name]
    assert any(f'section="{section}"' in cell.source for cell in cells(f"{name}.ipynb"))
