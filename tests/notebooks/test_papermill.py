"""The runbooks work as any papermill user expects: command line, parameters file, --help-notebook."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def papermill(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "papermill", *arguments]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=120, check=False)


def runbook(name: str) -> str:
    return str(ROOT / "notebooks" / f"{name}.ipynb")


@pytest.mark.parametrize("example", sorted(path.name for path in (ROOT / "parameters").glob("*.demo.yaml")))
def test_every_example_file_runs_its_runbook(tmp_path: Path, example: str) -> None:
    name = example.removesuffix(".demo.yaml")
    ran = papermill(runbook(name), "out.ipynb", "-f", str(ROOT / "parameters" / example), cwd=tmp_path)
    assert ran.returncode == 0, ran.stderr
    [saved] = tmp_path.glob("runs/*/result.json")
    result = json.loads(saved.read_text("utf-8"))
    book = json.loads((tmp_path / "out.ipynb").read_text("utf-8"))
    shown = [
        output["data"]["application/vnd.vmbackup.result+json"]
        for cell in book["cells"]
        for output in cell.get("outputs", [])
        if "application/vnd.vmbackup.result+json" in output.get("data", {})
    ]
    assert shown == [result]
    assert result["probable_cause"]


def test_help_notebook_explains_every_parameter(tmp_path: Path) -> None:
    helped = papermill("--help-notebook", runbook("01_agent_unreachable"), cwd=tmp_path)
    assert "where to ask" in helped.stdout
    assert "evidence_file" in helped.stdout


@pytest.mark.parametrize(
    ("option", "value", "says"),
    [
        ("scenari", "agent_old_linux", "Did you mean 'scenario'?"),
        ("language", "fr", "must be one of en, de"),
        ("deadline_s", "soon", "must be a whole number"),
        ("vm_name", "vm", "contradicts vm_name"),
        ("remedies", "restart_guest_agent_linus", "Did you mean 'restart_guest_agent_linux'?"),
        ("max_risk", "none", "must be one of low, medium, high"),
        ("probe", "sometimes", "must be one of auto, never, force"),
        ("scenario", "agent_old_solaris", "There is no scenario"),
    ],
)
def test_a_wrong_parameter_stops_the_runbook_with_one_clear_line(
    tmp_path: Path, option: str, value: str, says: str
) -> None:
    ran = papermill(runbook("01_agent_unreachable"), "out.ipynb", "-p", option, value, cwd=tmp_path)
    assert ran.returncode != 0
    assert says in ran.stderr
    book = json.loads((tmp_path / "out.ipynb").read_text("utf-8"))
    [error] = [
        output for cell in book["cells"] for output in cell.get("outputs", []) if output["output_type"] == "error"
    ]
    assert error["ename"] == "SetupError"
    assert len(error["traceback"]) == 1


def test_a_replay_needs_no_azure_and_gives_the_same_verdicts(tmp_path: Path) -> None:
    first = papermill(runbook("01_agent_unreachable"), "a.ipynb", "-p", "run_folder", "a", cwd=tmp_path)
    assert first.returncode == 0, first.stderr
    options = {"azure": "replay", "scenario": "", "evidence_file": "a/evidence.json", "run_folder": "b"}
    given = [word for name, value in options.items() for word in ("-p", name, value)]
    again = papermill(runbook("01_agent_unreachable"), "b.ipynb", *given, cwd=tmp_path)
    assert again.returncode == 0, again.stderr
    assert (tmp_path / "a/result.json").read_text("utf-8") == (tmp_path / "b/result.json").read_text("utf-8")
