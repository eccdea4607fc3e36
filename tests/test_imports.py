"""The import rules of pyproject.toml hold, the public names are these, and importing the product is quick."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import vmbackup

ROOT = Path(__file__).parents[1]


def test_the_import_rules_hold() -> None:
    linter = Path(sys.executable).with_name("lint-imports")
    ran = subprocess.run([linter, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout


def test_the_public_names() -> None:
    assert vmbackup.__all__ == ["CatalogError", "RemedyRefused", "RunbookError", "SetupError", "open_run"]
    assert all(hasattr(vmbackup, name) for name in vmbackup.__all__)


def loaded_with(*modules: str) -> set[str]:
    """The packages that a new process has loaded once it has imported these."""
    program = f"import sys, {', '.join(modules)}; print(*{{name.split('.')[0] for name in sys.modules}})"
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return set(ran.stdout.split())


def test_importing_the_product_loads_no_azure_and_no_jupyter() -> None:
    heavy = {"azure", "papermill", "IPython", "pandas", "ipywidgets", "azuresim", "requests"}
    assert heavy & loaded_with("vmbackup") == set()


def test_neither_a_kernel_nor_the_command_line_waits_for_what_few_of_them_use() -> None:
    """Loading these takes longer than loading all of the product."""
    assert {"nbformat", "pandas", "papermill"} & loaded_with("vmbackup.notebook.runbook", "vmbackup.cli.main") == set()


def test_no_test_replaces_the_product_by_mocks() -> None:
    banned = ("unittest" + ".mock", "mock" + ".patch", "mocker" + ".")
    tests = [path for path in (ROOT / "tests").rglob("*.py") if path != Path(__file__)]
    assert [path.name for path in tests if any(word in path.read_text("utf-8") for word in banned)] == []


def test_the_clock_is_azures() -> None:
    local = ("datetime.now", "datetime.utcnow", "time.time(")
    pure = [
        *(ROOT / "lib/vmbackup/checks").rglob("*.py"),
        *(ROOT / "lib/vmbackup/failures").rglob("*.py"),
        *(ROOT / "lib/vmbackup/pages").rglob("*.py"),
        *(ROOT / "lib/vmbackup/diagnosis").rglob("*.py"),
    ]
    assert [path.name for path in pure if any(word in path.read_text("utf-8") for word in local)] == []
