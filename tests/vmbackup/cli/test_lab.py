"""An incident has a folder of its own, with copies of the notebooks and tiles that open them."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from pathlib import Path

import pytest
import yaml
from jupyter_app_launcher.utils import parse_config
from papermill.inspection import inspect_notebook

from saying import refused
from vmbackup.cli.lab import going_on, incident_name, open_incident, where

NOTEBOOKS = Path(__file__).parents[3] / "notebooks"
ALL = sorted(path.name for path in NOTEBOOKS.glob("*.ipynb"))

NOWHERE = {"vm_id": "", "subscription": "", "vault": ""}
SUBSCRIPTION = "11111111-2222-3333-4444-555555555555"
VM_ID = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg/providers/Microsoft.Compute/virtualMachines/vm"


def opened(folder: Path, language: str = "en", **place: str) -> Path:
    open_incident(NOTEBOOKS, folder / "incident", language, where(**{**NOWHERE, **place}))
    return folder / "incident"


def code(path: Path) -> list[str]:
    cells = json.loads(path.read_text("utf-8"))["cells"]
    return ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]


def test_every_notebook_is_copied_and_the_source_stays(tmp_path: Path) -> None:
    before = [(NOTEBOOKS / name).read_bytes() for name in ALL]
    incident = opened(tmp_path)
    assert sorted(path.name for path in incident.glob("*.ipynb")) == ALL
    assert [code(incident / name) for name in ALL] == [code(NOTEBOOKS / name) for name in ALL]
    assert [(NOTEBOOKS / name).read_bytes() for name in ALL] == before


def test_opened_again_nothing_of_the_operators_work_is_lost(tmp_path: Path) -> None:
    incident = opened(tmp_path)
    (incident / ALL[1]).write_text("an operator's work", "utf-8")
    (incident / ALL[2]).unlink()
    opened(tmp_path)
    assert (incident / ALL[1]).read_text("utf-8") == "an operator's work"
    assert (incident / ALL[2]).exists()


@pytest.mark.parametrize("name", ALL)
def test_the_copies_speak_the_operators_language(tmp_path: Path, name: str) -> None:
    parameters = inspect_notebook(str(opened(tmp_path, "de") / name))
    assert parameters["language"]["default"] == '"de"'


def test_a_tile_opens_each_copy(tmp_path: Path) -> None:
    incident = opened(tmp_path, "de")
    file = incident / ".lab" / "jp_app_launcher.yaml"
    # The launcher extension's own reader drops whatever it does not understand.
    tiles = parse_config(str(file.parent), str(file))
    assert [tile["source"][0]["args"]["path"] for tile in tiles] == ALL
    assert tiles[1]["title"] == "VM-Agent kann nicht mit Azure Backup kommunizieren"
    assert yaml.safe_load(file.read_text("utf-8"))


def test_the_start_notebook_looks_where_the_command_says_also_when_the_incident_goes_on(tmp_path: Path) -> None:
    (opened(tmp_path) / ALL[1]).write_text("an operator's work", "utf-8")
    address = f"https://portal.azure.com/#@contoso.com/resource{VM_ID}/overview"
    incident = opened(tmp_path, vm_id=address)
    parameters = {name: each["default"] for name, each in inspect_notebook(str(incident / ALL[0])).items()}
    assert (parameters["azure"], parameters["vm_id"]) == ('"live"', f'"{VM_ID}"')
    assert (incident / ALL[1]).read_text("utf-8") == "an operator's work"
    with refused("is not the resource id of a vault"):
        opened(tmp_path, vault="my-vault")


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "incident").write_text("a file in the way", "utf-8")
    with refused("Cannot write the incident's folder"):
        opened(tmp_path)


def test_an_incident_without_a_name_is_called_after_its_time() -> None:
    assert incident_name(datetime(2026, 11, 23, 2, 14, tzinfo=timezone.utc)) == "2026-11-23-0214Z"


def test_the_hint_opens_the_same_incident_in_a_shell() -> None:
    assert going_on(Path("/srv/on call"), "sql-02") == "vmbackup lab --folder '/srv/on call' --incident sql-02"
