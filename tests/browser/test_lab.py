"""``vmbackup lab``: an incident's own copies of the notebooks, opened by tiles; the sources stay as they are."""

from __future__ import annotations

import sys
from pathlib import Path

from playwright.sync_api import BrowserContext, expect
from tests.browser.conftest import NOTEBOOKS, ROOT, lab_page, save, served


def test_a_tile_opens_the_incidents_copy_and_the_walk_runs_in_it(tmp_path: Path, browser: BrowserContext) -> None:
    source = NOTEBOOKS / "01_agent_unreachable.ipynb"
    before = source.read_bytes()
    vmbackup = str(Path(sys.executable).with_name("vmbackup"))
    command = [vmbackup, "lab", "--incident", "sql-02", "--folder", str(tmp_path / "incidents"), "--language", "de"]
    with served(command, tmp_path, ROOT, {}) as url, lab_page(url, browser) as page:
        assert f"{url}/lab/tree/00_start_here.ipynb" in (tmp_path / "lab.log").read_text("utf-8"), "what it prints"
        assert "vmbackup:open" in page.request.get(f"{url}/lab/extensions/vmbackup/static/open.js").text()
        tiles = page.locator(".jp-LauncherCard", has_text="VM-Agent kann nicht mit Azure Backup kommunizieren")
        tiles.first.click()
        page.wait_for_selector(".jp-Notebook .jp-Cell")
        expect(page.locator("#jp-main-statusbar")).to_contain_text("| Idle")
        page.get_by_role("menuitem", name="Run", exact=True).click()
        page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
        tool = page.locator(".jp-OutputArea-output .vmbackup-guide")
        expect(tool).to_contain_text("Nicht entschieden")
        expect(tool.get_by_role("button", name="Alles erneut abfragen")).to_be_in_viewport()
        expect(page.locator(".jp-OutputArea-output", has_text="Gespeichert in:").last).to_be_attached()
        save(page)
    incident = tmp_path / "incidents" / "sql-02"
    assert "Nicht entschieden" in (incident / source.name).read_text("utf-8")
    assert (incident / "runs" / "agent_stopped_linux" / "evidence.json").exists()
    assert source.read_bytes() == before
