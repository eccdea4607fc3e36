"""environment.yml and pyproject.toml describe the same environment; constraints.txt names no registry."""

import json
import re
import sys
from pathlib import Path

import pytest
import yaml

if sys.version_info >= (3, 11):
    import tomllib
else:  # pragma: no cover
    tomllib = pytest.importorskip("tomli")

ROOT = Path(__file__).parents[1]


def test_conda_and_pip_get_the_same_packages() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    conda = yaml.safe_load((ROOT / "environment.yml").read_text("utf-8"))["dependencies"]
    *packages, pip = conda
    listed = set(packages) - {"pip", f"python{project['requires-python']}"} | set(pip["pip"]) - {"-e ."}
    assert listed == set(project["dependencies"])


def test_constraints_pin_every_dependency_and_name_no_host() -> None:
    text = (ROOT / "constraints.txt").read_text("utf-8")
    pinned = {re.split(r"[=\s;]", line)[0].lower() for line in text.splitlines() if "==" in line}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    wanted = [*project["dependencies"], *project["optional-dependencies"]["test"]]
    assert {re.split(r"[<>=\[]", name)[0].lower() for name in wanted} <= pinned
    assert "://" not in text


def test_the_devcontainer_opens_in_demo_mode_by_commands_that_are_there() -> None:
    comment, _, content = (ROOT / ".devcontainer" / "devcontainer.json").read_text("utf-8").partition("\n")
    assert comment.startswith("//")
    container = json.loads(content)
    makefile = (ROOT / "Makefile").read_text("utf-8")
    for command in (container["postCreateCommand"], container["postAttachCommand"]):
        make, goal, *_ = command.split()
        assert make == "make"
        assert f"\n{goal}:" in makefile.replace("$(READY)", ".venv/.installed")
    [port] = container["forwardPorts"]
    assert f"--port={port}" in container["postAttachCommand"]
