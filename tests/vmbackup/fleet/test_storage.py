"""Where the folder of a fleet is: an object store that goes away."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from saying import refused
from vmbackup.fleet import pool
from vmbackup.fleet.coordinator import FleetRun
from vmbackup.fleet.ledger import Ledger
from vmbackup.runs.folder import EVIDENCE, RunFolder

from .fleet_process import specs

BUILD = Path(__file__).parents[3] / "build" / "azurite"
AZURITE = BUILD / "node_modules" / "azurite" / "dist" / "src" / "blob" / "main.js"
ACCOUNT = "devstoreaccount1"
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="  # Azurite's own
WORK = """
import json, pathlib
folder = pathlib.Path(run_folder)
(folder / "evidence.json").write_text("{}")
(folder / "result.json").write_text(json.dumps({"outcome": "no_cause_found"}))
"""


@pytest.fixture(scope="module")
def azurite() -> Path:
    """Azurite, installed into build/ by npm."""
    if not AZURITE.exists():
        if not shutil.which("npm"):
            pytest.skip("Azurite needs npm, which is not here")
        BUILD.mkdir(parents=True, exist_ok=True)
        npm = ["npm", "install", "--no-fund", "--no-audit", "--silent", "--prefix", str(BUILD), "azurite@3.35.0"]
        done = subprocess.run(npm, capture_output=True, text=True, timeout=180, check=False)
        if done.returncode:
            pytest.skip(f"Azurite could not be installed: {done.stderr[-300:]}")
    return AZURITE


class Store:
    """An Azurite that can be stopped and started again on its port."""

    def __init__(self, program: Path, data: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self._words = ["node", str(program), "--silent", "--location", str(data), "--blobHost", "127.0.0.1"]
        self._words += ["--blobPort", str(self.port), "--skipApiVersionCheck", "--disableTelemetry"]
        self.start()

    @property
    def connection_string(self) -> str:
        endpoint = f"http://127.0.0.1:{self.port}/{ACCOUNT}"
        return f"DefaultEndpointsProtocol=http;AccountName={ACCOUNT};AccountKey={KEY};BlobEndpoint={endpoint};"

    def start(self) -> None:
        self._process = subprocess.Popen(self._words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        until = time.monotonic() + 30
        while time.monotonic() < until:
            with socket.socket() as asking:
                if asking.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.05)
        raise TimeoutError("Azurite did not start")

    def stop(self) -> None:
        self._process.terminate()  # killed, it would lose what it took in the last seconds
        self._process.wait(20)


@pytest.fixture
def store(azurite: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    from adlfs import AzureBlobFileSystem

    AzureBlobFileSystem.clear_instance_cache()  # it would know the store of the test before
    found = Store(azurite, tmp_path / "azurite")
    monkeypatch.setenv("AZURE_STORAGE_CONNECTION_STRING", found.connection_string)
    try:
        yield found
    finally:
        found.stop()


def made(store: Store) -> None:
    """Make the container."""
    from azure.storage.blob import BlobServiceClient

    with BlobServiceClient.from_connection_string(store.connection_string) as service:
        service.create_container("fleet")


def test_a_run_in_a_store_is_uploaded_whole_and_its_own_ledger(store: Store, tmp_path: Path) -> None:
    made(store)
    orders, ledger = specs(tmp_path, 2, WORK), Ledger("abfs://fleet/runs/one")
    with ledger.held(), pool.local(1) as workers:
        assert [each.error for each in FleetRun(ledger, orders[:1]).run(workers)] == [None]
        assert ledger.finished() == {"vm-0"}
        again = FleetRun(ledger, orders)
        assert (again.earlier, again.tally.nothing) == (1, 1)
        assert [each.spec.name for each in again.run(workers)] == ["vm-1"]
    assert ledger.finished() == {"vm-0", "vm-1"}
    assert RunFolder(ledger.folder("vm-0")).read(EVIDENCE) == b"{}"


@pytest.mark.skipif("VMBACKUP_SLOW" not in os.environ, reason="takes two minutes, in which the SDK tries again")
def test_a_store_that_goes_away_stops_the_run_which_then_goes_on(store: Store, tmp_path: Path) -> None:
    made(store)
    orders = specs(tmp_path, 4, WORK)
    ledger = Ledger("abfs://fleet/runs/one")
    with ledger.held(), pool.local(1) as workers:
        ledger.order(orders)
        running = FleetRun(ledger, orders).run(workers)
        first = next(running)
        assert first.error is None, first.error
        assert ledger.finished() == {first.spec.name}
        store.stop()
        with refused("continue with --resume"):
            list(running)
        store.start()
        assert first.spec.name in ledger.finished()
        again = FleetRun(ledger, orders)
        assert again.earlier == len(ledger.finished()) < 4
        assert [each.error for each in again.run(workers)] == [None] * (4 - again.earlier)
        assert again.tally.nothing == 4
    assert len(ledger.finished()) == 4
