"""The runbooks work as any papermill user expects: command line, parameters file, --help-notebook."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner
from papermill.cli import papermill as command_line
from papermill.inspection import inspect_notebook
from tests.renew_reference import REFERENCE, executions

from vmbackup import SetupError, open_run

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted((ROOT / "parameters").glob("*.demo.yaml"))
MIME_TYPE = "application/vnd.vmbackup.result+json"


def papermill(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "papermill", *arguments]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=300, check=False)


def runbook(name: str) -> str:
    return str(ROOT / "notebooks" / f"{name}.ipynb")


def outputs(path: Path) -> list[Any]:
    return [output for cell in json.loads(path.read_text("utf-8"))["cells"] for output in cell.get("outputs", [])]


def test_every_example_file_is_what_a_reference_execution_ran_with() -> None:
    """nbval executes those; the language alone may be another, and what an example leaves empty is the default."""
    executed = [
        (execution["notebook"], {**execution["parameters"], "language": "en"}) for execution in executions().values()
    ]
    examples = [(path.name.removesuffix(".demo.yaml"), given(path)) for path in EXAMPLES]
    assert len(examples) == len(list((ROOT / "notebooks").glob("*.ipynb"))) - 1, "all but the start notebook"
    assert [example for example in examples if example not in executed] == []


def given(example: Path) -> dict[str, Any]:
    values = yaml.safe_load(example.read_text("utf-8"))
    return {name: value for name, value in values.items() if value and (name, value) != ("azure", "simulator")}


def test_an_example_file_runs_its_runbook_and_a_replay_gives_the_same_verdicts(tmp_path: Path) -> None:
    book = runbook("01_agent_unreachable")
    first = papermill(book, "out.ipynb", "-f", str(EXAMPLES[0]), "-p", "run_folder", "a", cwd=tmp_path)
    assert first.returncode == 0, first.stderr
    result = json.loads((tmp_path / "a/result.json").read_text("utf-8"))
    shown = [each["data"][MIME_TYPE] for each in outputs(tmp_path / "out.ipynb") if MIME_TYPE in each.get("data", {})]
    assert shown == [result]
    assert result["next_cause"]
    options = {"azure": "replay", "scenario": "", "evidence_file": "a/evidence.json", "run_folder": "b"}
    given = [word for name, value in options.items() for word in ("-p", name, value)]
    again = papermill(book, "b.ipynb", *given, cwd=tmp_path)
    assert again.returncode == 0, again.stderr
    assert json.loads((tmp_path / "b/result.json").read_text("utf-8")) == result


def test_help_notebook_explains_every_parameter() -> None:
    helped = CliRunner().invoke(command_line, ["--help-notebook", runbook("01_agent_unreachable")])
    assert "where to ask" in helped.output
    assert "evidence_file" in helped.output


WRONG = [
    ("scenari", "agent_old_linux", "Did you mean 'scenario'?"),
    ("language", "fr", "must be one of en, de"),
    ("deadline_s", "soon", "must be a whole number"),
    ("vm_name", "vm", "contradicts vm_name"),
    ("remedies", "restart_guest_agent_linus", "Did you mean 'restart_guest_agent_linux'?"),
    ("max_risk", "none", "must be one of low, medium, high"),
    ("probe", "sometimes", "must be one of auto, never, force"),
    ("scenario", "agent_old_solaris", "There is no scenario"),
]


def test_a_wrong_parameter_stops_the_runbook_with_one_clear_line_and_nothing_of_the_vm_before(tmp_path: Path) -> None:
    option, value, says = WRONG[0]
    executed, vm = REFERENCE / "01_agent_unreachable.ipynb", "vm-agent-stopped-linux"
    assert vm in json.dumps(outputs(executed))
    ran = papermill(str(executed), "out.ipynb", "-p", option, value, cwd=tmp_path)
    assert vm not in json.dumps(outputs(tmp_path / "out.ipynb"))
    assert ran.returncode != 0
    assert says in ran.stderr
    [error] = [output for output in outputs(tmp_path / "out.ipynb") if output["output_type"] == "error"]
    assert error["ename"] == "SetupError"
    assert len(error["traceback"]) == 1


@pytest.mark.parametrize(("option", "value", "says"), WRONG)
def test_what_the_notebook_hands_on_is_refused_by_its_name(option: str, value: str, says: str) -> None:
    """The same, without a kernel: the variables of the parameters cell, one of them as papermill would set it."""
    declared = inspect_notebook(runbook("01_agent_unreachable"))
    variables = {name: yaml.safe_load(said["default"]) for name, said in declared.items()}
    with pytest.raises(SetupError) as refused:
        open_run({**variables, option: value}, "agent_unreachable")
    assert says in str(refused.value)
