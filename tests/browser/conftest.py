"""A real JupyterLab and a real browser, one of each for all tests, and a simulated Azure whose worlds they change."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import Request, urlopen

import axe_playwright_python
import nbformat
import pytest
from playwright.sync_api import BrowserContext, Locator, Page, ViewportSize, expect, sync_playwright

from azuresim.guest import output_file, printed
from azuresim.ids import guid
from azuresim.loading import load_world
from azuresim.serve import Simulator
from azuresim.world import World
from programs import installed
from vmbackup.cli.lab import EXTENSIONS

ROOT = Path(__file__).parents[2]
NOTEBOOKS = ROOT / "notebooks"
WAIT_MS = 60_000
AXE = Path(axe_playwright_python.__file__).with_name("axe.min.js")
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
# The worlds that a test may walk through, each with its own VM, all behind one endpoint.
WORLDS = (
    "agent_stopped_linux",
    "no_internet_linux",
    "extension_failed_windows",
    "agent_old_windows",
    "snapshot_rdp_shutdown_windows",
    "disk_too_large_windows",
    "agent_old_linux",
    "error_hostile_names",
    "snapshot_high_cpu_linux",
)
SCREEN: ViewportSize = {"width": 1280, "height": 720}
expect.set_options(timeout=WAIT_MS)


def chromium() -> str:
    """The installed browser, or Debian's."""
    found = (shutil.which(name) for name in ("chromium", "chromium-browser", "google-chrome"))
    return next(filter(None, found), None) or installed("chromium")


@dataclass
class Lab:
    """A running JupyterLab over ``folder``, and the simulated Azure that its notebooks ask as the live one."""

    url: str
    folder: Path
    simulator: Simulator
    worlds: dict[str, World]

    def machine(self, scenario: str) -> dict[str, Any]:
        """The VM of a world, to be changed."""
        return self.worlds[scenario].machines[0]

    def put(self, name: str, as_name: str, parameters: dict[str, Any]) -> Path:
        """A copy of a product notebook with other parameters, as an operator would edit them."""
        book = nbformat.read(NOTEBOOKS / f"{name}.ipynb", as_version=4)
        [cell] = [each for each in book.cells if "parameters" in each.metadata.get("tags", [])]
        lines = [_assigned(line, parameters) for line in cell.source.splitlines()]
        cell.source = "\n".join(lines)
        if not any("run.guide()" in each.source for each in book.cells):
            at = next(number for number, each in enumerate(book.cells) if "run.collect()" in each.source)
            book.cells.insert(at + 1, nbformat.v4.new_code_cell("run.guide()"))
        path = self.folder / as_name
        nbformat.write(book, path)
        return path

    def live(self, scenario: str) -> dict[str, Any]:
        """The parameters with which a notebook examines this world's VM as if it were a real one."""
        vm = self.worlds[scenario].vms[0]
        names = ("subscription_id", "resource_group", "vm_name")
        return {"azure": "live", "scenario": "", **{name: vm[name] for name in names}}

    def guest_output(self, machine: str, scenario: str) -> str:
        """What the guest script printed on a real ``machine``, as if on this world's VM."""
        world, name = self.worlds[scenario], self.machine(scenario)["name"]
        return printed(output_file("linux", machine), guid(world.seed, world.name, name, "vmId"), name)

    @contextmanager
    def slow(self, latency_ms: int) -> Iterator[None]:
        """Azure takes its time."""
        self.simulator.latency_ms = latency_ms
        try:
            yield
        finally:
            self.simulator.latency_ms = 0

    def shut_down_kernels(self) -> None:
        """End every kernel."""
        sessions = f"{self.url}/api/sessions"
        for session in json.load(urlopen(sessions, timeout=WAIT_MS / 1000)):
            urlopen(Request(f"{sessions}/{session['id']}", method="DELETE"), timeout=WAIT_MS / 1000)


def _assigned(line: str, parameters: dict[str, Any]) -> str:
    declared, _, rest = line.partition(" = ")
    name, comment = declared.partition(":")[0], rest.partition("  # ")[2]
    return f"{declared} = {parameters[name]!r}  # {comment}" if name in parameters else line


@contextmanager
def running_lab(folder: Path) -> Iterator[Lab]:
    """Start JupyterLab with configuration folders of its own, and end it."""
    worlds = {name: load_world(name) for name in WORLDS}
    root = folder / "lab"
    root.mkdir(parents=True)
    with Simulator(list(worlds.values())) as simulator:
        azure = {**simulator.environment, "VMBACKUP_ARM_ENDPOINT": simulator.endpoint}
        command = [sys.executable, "-m", "jupyterlab", "--allow-root", f"--ServerApp.root_dir={root}"]
        command.append(f"--LabApp.extra_labextensions_path={EXTENSIONS}")
        with served(command, folder, root, azure) as url:
            yield Lab(url, root, simulator, worlds)


@contextmanager
def served(command: list[str], folder: Path, cwd: Path, environment: Mapping[str, str]) -> Iterator[str]:
    """The address of the JupyterLab that the command starts; its settings are in ``folder``. It is ended at the end."""
    quiet = folder / "settings" / "@jupyterlab" / "apputils-extension"
    quiet.mkdir(parents=True)
    said = {"fetchNews": "false", "checkForUpdates": False, "doNotDisturbMode": True}
    (quiet / "notification.jupyterlab-settings").write_text(json.dumps(said), "utf-8")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = ["--no-browser", "--ip=127.0.0.1", f"--port={port}", "--ServerApp.port_retries=0"]
    options += ["--IdentityProvider.token=", "--ServerApp.disable_check_xsrf=True", "--expose-app-in-browser"]
    options += ["--LabApp.news_url=", "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate"]
    own = {
        "JUPYTER_CONFIG_DIR": str(folder / "config"),
        "JUPYTER_DATA_DIR": str(folder / "data"),
        "JUPYTER_RUNTIME_DIR": str(folder / "runtime"),
        "JUPYTERLAB_SETTINGS_DIR": str(folder / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(folder / "workspaces"),
        "HOME": str(folder),
    }
    log = folder / "lab.log"
    with log.open("wb") as out:
        lab = subprocess.Popen(
            [*command, *options], env={**os.environ, **own, **environment}, stdout=out, stderr=out, cwd=cwd
        )
        try:
            url = f"http://127.0.0.1:{port}"
            _wait_for(f"{url}/api/status", lab, log)
            yield url
        finally:
            _end(lab)


def _end(lab: subprocess.Popen[bytes]) -> None:
    """By its own means, or else by force: at its end JupyterLab now and then waits for ever for a thread of anyio's."""
    lab.terminate()
    try:
        lab.wait(20)
    except subprocess.TimeoutExpired:
        lab.kill()
        lab.wait()


def _wait_for(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        assert process.poll() is None, log.read_text("utf-8", "replace")[-2000:]
        try:
            with urlopen(url, timeout=2):
                return
        except (URLError, OSError):
            time.sleep(0.1)
    raise AssertionError(f"JupyterLab did not start: {log.read_text('utf-8', 'replace')[-2000:]}")


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    chromium()
    with running_lab(tmp_path_factory.mktemp("browser")) as running:
        yield running


@contextmanager
def running_browser() -> Iterator[BrowserContext]:
    """A headless browser; what JupyterLab's pages are made of stays in its cache from one tab to the next."""
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=chromium(), args=list(ARGUMENTS))
        rights = ["clipboard-read", "clipboard-write"]
        yield launched.new_context(viewport=SCREEN, permissions=rights)
        launched.close()


def new_page(url: str, browser: BrowserContext) -> Page:
    """JupyterLab open in a new tab. Its workspace is its own: nothing of another tab comes back in it."""
    page = browser.new_page()
    page.set_default_timeout(WAIT_MS)
    page.goto(f"{url}/lab/workspaces/{time.monotonic_ns()}")
    page.wait_for_function("window.jupyterapp")
    page.wait_for_function("jupyterapp.restored.then(() => window.loadedOnce = true)")
    return page


@contextmanager
def lab_page(url: str, browser: BrowserContext) -> Iterator[Page]:
    """JupyterLab open in a tab of its own."""
    page = new_page(url, browser)
    try:
        yield page
    finally:
        page.close()


# Not for the whole session: while Playwright is there, its event loop runs in every later test too.
@pytest.fixture(scope="module")
def browser() -> Iterator[BrowserContext]:
    with running_browser() as running:
        yield running


def save(page: Page) -> None:
    """Save the notebook, until nothing in it is newer than its file."""
    unsaved = page.locator(".jp-mod-dirty")
    for _ in range(WAIT_MS // 500):
        execute(page, "docmanager:save", {})
        if unsaved.count() == 0:
            return
        page.wait_for_timeout(500)
    expect(unsaved).to_have_count(0)


@dataclass
class Book:
    """A notebook open in the browser."""

    page: Page
    lab: Lab
    name: str

    @property
    def tool(self) -> Locator:
        """The guided walk."""
        return self.notebook.locator(".jp-OutputArea-output .vmbackup-guide")

    @property
    def notebook(self) -> Locator:
        """The notebook in front."""
        return self.page.locator(".jp-NotebookPanel:not(.lm-mod-hidden) .jp-Notebook")

    @property
    def expanded(self) -> Locator:
        """The button of the cause that is open."""
        return self.tool.locator("button.vmbackup-step[aria-expanded=true]")

    @property
    def status(self) -> Locator:
        """What the tool says last."""
        return self.tool.locator("[role=status]")

    @property
    def pending(self) -> Locator:
        """The causes without a verdict yet."""
        return self.tool.locator("button.vmbackup-step.vmbackup-pending")

    @property
    def others(self) -> Locator:
        """The button behind which the causes are that it is not."""
        return self.tool.locator("button.vmbackup-others")

    def button(self, name: str) -> Locator:
        """A button of the tool by its words."""
        return self.tool.get_by_role("button", name=name)

    def step(self, title: str) -> Locator:
        """The button of a cause."""
        return self.tool.locator("button.vmbackup-step", has_text=title)

    def run_all(self, wait: bool = True) -> None:
        """Run every cell, and wait for the tool."""
        self.page.get_by_role("menuitem", name="Run", exact=True).click()
        self.page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
        if wait:
            expect(self.status).not_to_have_text("")
            expect(self.pending).to_have_count(0)

    def finished(self) -> None:
        """Wait until the kernel has nothing to do."""
        # The notebook's own indicator says idle before there is a kernel at all.
        expect(self.page.locator("#jp-main-statusbar")).to_contain_text("| Idle")
        # Between two cells it is idle for a moment too.
        expect(self.page.locator(".jp-InputPrompt", has_text="[*]")).to_have_count(0)

    def restart_kernel(self) -> None:
        """Restart the kernel through the menu."""
        self.page.get_by_role("menuitem", name="Kernel", exact=True).click()
        self.page.get_by_role("menuitem", name=re.compile("^Restart Kernel…")).click()
        self.page.get_by_role("button", name="Confirm Kernel Restart").click()
        self.finished()


def serious(page: Page, inside: str) -> list[str]:
    """What axe-core calls serious or critical inside the element with this selector."""
    page.evaluate(AXE.read_text("utf-8"))
    found = page.evaluate("(inside) => axe.run(inside, {resultTypes: ['violations']})", inside)
    return [
        f"{each['id']}: {node['html'][:200]} {node['failureSummary'][:300]}"
        for each in found["violations"]
        if each["impact"] in ("serious", "critical")
        for node in each["nodes"]
    ]


def change_theme(page: Page, theme: str) -> None:
    """``Light`` or ``Dark``."""
    execute(page, "apputils:change-theme", {"theme": f"JupyterLab {theme}"})


@contextmanager
def opened(lab: Lab, page: Page, name: str, parameters: dict[str, Any], theme: str = "Light") -> Iterator[Book]:
    """A product notebook with these parameters, its kernel ready; the kernel ends with the block."""
    as_name = f"{name}-{time.monotonic_ns()}.ipynb"
    lab.put(name, as_name, parameters)
    try:
        change_theme(page, theme)
        execute(page, "docmanager:open", {"path": as_name, "factory": "Notebook"})
        page.wait_for_selector(".jp-Notebook .jp-Cell")
        book = Book(page, lab, as_name)
        book.finished()
        yield book
    finally:
        lab.shut_down_kernels()


# Not the command's own answer, which may be no JSON, but its end. One that asks something in a dialog has none.
COMMAND = """async ([name, given, patience]) => {
    const late = new Promise((_, fail) => setTimeout(fail, patience, new Error(`${name} did not end`)))
    await Promise.race([jupyterapp.commands.execute(name, given), late])
}"""


def execute(page: Page, name: str, arguments: dict[str, Any]) -> None:
    """One of JupyterLab's own commands, to its end."""
    page.evaluate(COMMAND, [name, arguments, WAIT_MS])


@dataclass
class Tab:
    """One tab for all tests, which loads JupyterLab once; one in which a test failed, or that was loaded
    again, is not used any more."""

    lab: Lab
    browser: BrowserContext
    page: Page | None = None

    @contextmanager
    def opened(self, name: str, parameters: dict[str, Any]) -> Iterator[Book]:
        """The notebook alone in the tab, in the light theme and on a screen of the usual size."""
        page = self.page or new_page(self.lab.url, self.browser)
        self.page = None
        page.set_viewport_size(SCREEN)
        with opened(self.lab, page, name, parameters) as book:
            yield book
            # What a page that was loaded again still restores, and when, differs from machine to machine.
            if not page.evaluate("window.loadedOnce === true"):
                page.close()
                return
            # Else JupyterLab asks what is to become of it.
            save(page)
            execute(page, "application:close-all", {})
            expect(page.locator(".jp-Notebook")).to_have_count(0)
        self.page = page


@pytest.fixture(scope="module")
def tab(lab: Lab, browser: BrowserContext) -> Tab:
    return Tab(lab, browser)


@pytest.fixture
def open_book(tab: Tab) -> Callable[..., AbstractContextManager[Book]]:
    """``open_book(notebook, parameters)`` gives a Book inside a ``with`` block."""
    return tab.opened
