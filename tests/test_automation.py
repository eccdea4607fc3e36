"""What docs/automation.md shows can be pasted: each file parses, and each command has the options it is given."""

from __future__ import annotations

import ast
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
import typer.main
import yaml

from vmbackup.cli.main import app

PAGE = Path(__file__).parents[1] / "docs" / "automation.md"
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)


def blocks(language: str) -> list[str]:
    return [content for kind, content in BLOCKS if kind == language]


def commands() -> list[list[str]]:
    lines = [line.rstrip("'") for _, content in BLOCKS for line in content.splitlines() if "vmbackup fleet" in line]
    return [shlex.split(re.sub(r"\$\{\{.*?\}\}|\$\(.*?\)", "x", line).partition("vmbackup ")[2]) for line in lines]


def test_each_command_exists_with_its_options() -> None:
    found = commands()
    assert len(found) >= 6
    known = typer.main.get_command(app)
    for name, *words in found:
        options = {option for each in known.commands[name].params for option in each.opts}  # type: ignore[attr-defined]
        used = {word for word in words if word.startswith("--")}
        assert used <= options, f"{name}: {used - options}"


def test_each_yaml_and_python_block_parses() -> None:
    parsed = [yaml.safe_load(content) for content in blocks("yaml")]
    assert len(parsed) == 3
    assert all(parsed)
    assert all(ast.parse(content).body for content in blocks("python"))


def test_systemd_takes_the_units(tmp_path: Path) -> None:
    if not shutil.which("systemd-analyze"):
        pytest.skip("systemd-analyze is not here")
    names = ("vmbackup-fleet.service", "vmbackup-fleet.timer")
    for name, content in zip(names, blocks("ini"), strict=True):
        (tmp_path / name).write_text(content)
    words = ["systemd-analyze", "verify", "--man=no", *(str(tmp_path / name) for name in names)]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
    assert not re.search(r"vmbackup-fleet.*(Unknown|Failed|Invalid|ignoring)", done.stderr), done.stderr
