"""The workers of a fleet share one sign-in and Azure's limits, and nothing of it stays behind."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest

from azuresim.loading import load_world
from vmbackup.arm.connection import RATE_FILE, RATE_SHARE
from vmbackup.fleet.execute import RunSpec
from vmbackup.fleet.pool import execute_all
from vmbackup.fleet.sharing import share_of
from worlds import serving

ASKS = """
import json, os, pathlib
from vmbackup.runs.open import connect_azure
connect_azure(subscription).now()
found = {"identity": os.environ["IDENTITY_ENDPOINT"], "rates": pathlib.Path(os.environ["VMBACKUP_RATE_FILE"]).exists()}
pathlib.Path(run_folder, "result.json").write_text(json.dumps(found))
"""


def test_a_runbook_signs_in_through_the_fleet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    world = load_world("healthy_linux")
    with serving(world) as simulator:
        monkeypatch.setenv("VMBACKUP_ARM_ENDPOINT", simulator.endpoint)
        (done,) = execute_all(
            [RunSpec("a", asking(tmp_path), {"subscription": world.subscription})], tmp_path / "runs", 1
        )
        assert done.error is None
        assert done.result is not None
        assert done.result["identity"].startswith("http://127.0.0.1:")
        assert done.result["rates"]
        assert ("GET", f"/subscriptions/{world.subscription}") in simulator.requests
        secret = simulator.environment["IDENTITY_HEADER"]
    for file in (tmp_path / "runs").rglob("*"):
        content = file.read_bytes() if file.is_file() else b""
        assert b"eyJ" not in content
        assert secret.encode() not in content


def test_machines_that_share_nothing_share_the_limits_by_parts() -> None:
    share = share_of(4, "one")
    assert float(share[RATE_SHARE]) == 0.25
    assert Path(share[RATE_FILE]).parent.is_dir()
    assert share == share_of(4, "one"), "the workers of one machine have one file"
    assert share[RATE_FILE] != share_of(4, "another")[RATE_FILE]


def asking(folder: Path) -> Path:
    parameters = nbformat.v4.new_code_cell('subscription = ""\nrun_folder = ""', metadata={"tags": ["parameters"]})
    book = nbformat.v4.new_notebook(cells=[parameters, nbformat.v4.new_code_cell(ASKS)])
    book.metadata["kernelspec"] = {"name": "python3", "language": "python", "display_name": "Python 3"}
    path = folder / "asks.ipynb"
    nbformat.write(book, path)
    return path
