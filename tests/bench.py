"""``make bench``: how long one VM takes and where the time goes, measured side by side in one run.

Prints a table and writes the same figures to build/bench.json. The simulator adds 200 ms to each answer in the rows
that say so; the slowest chain is the longest sum of asking times along what each fact had to wait for.
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tests import bench_cluster, bench_engine, bench_fleet
from vmbackup.collectors import collect, slowest_chain_ms
from vmbackup.diagnosis import diagnose
from worlds import world

ROOT = Path(__file__).parents[1]
WORLD = "agent_stopped_linux"
ROUNDS = 3
LATENCY_MS = 200
CLIENTS = (
    "compute",
    "recoveryservicesbackup",
    "resource.locks",
    "resourcegraph",
    "resourcehealth",
)


def seconds(work: Callable[[], Any], rounds: int = ROUNDS) -> float:
    """Median wall time in seconds."""
    times = []
    for _ in range(rounds):
        begun = time.perf_counter()
        work()
        times.append(time.perf_counter() - begun)
    return statistics.median(times)


def command(*words: str, cwd: str | None = None) -> Callable[[], Any]:
    """A command line as work to be timed."""
    return lambda: subprocess.run(words, cwd=cwd, check=False, capture_output=True)


def imports() -> dict[str, float]:
    """Seconds that imports add to a bare interpreter: the product, and the SDK that the first question loads."""
    bare = seconds(command(sys.executable, "-c", "pass"), 5)
    clients = ", ".join(f"azure.mgmt.{name}" for name in CLIENTS)
    return {
        "import_vmbackup_s": seconds(command(sys.executable, "-c", "import vmbackup"), 5) - bare,
        "import_azure_sdk_s": seconds(command(sys.executable, "-c", f"import azure.identity, {clients}"), 3) - bare,
    }


def collecting(latency_ms: int) -> dict[str, float]:
    """Collecting everything in a warm process: wall time, calls, and the slowest chain of dependent calls."""
    with world(WORLD, latency_ms=latency_ms) as (simulator, azure, target):
        collect(azure, target, deadline_s=60)
        before, begun = len(simulator.requests), time.perf_counter()
        evidence = collect(azure, target, deadline_s=60)
        wall = time.perf_counter() - begun
        calls = len(simulator.requests) - before
        chain = slowest_chain_ms(evidence) / 1000
        judging = seconds(lambda: diagnose("agent_unreachable", evidence), 20)
    name = f"collect_at_{latency_ms}ms"
    return {
        f"{name}_s": wall,
        f"{name}_calls": calls,
        f"{name}_slowest_chain_s": chain,
        f"{name}_over_chain": wall / chain,
        "judge_s": judging,
    }


def whole() -> dict[str, float]:
    """The command line and one runbook through papermill, each a fresh process with its own simulator."""
    vmbackup = str(Path(sys.executable).with_name("vmbackup"))
    with TemporaryDirectory() as folder:
        notebook = str(ROOT / "notebooks" / "01_agent_unreachable.ipynb")
        return {
            "diagnose_s": seconds(command(vmbackup, "diagnose", "--scenario", WORLD, "--json")),
            "runbook_papermill_s": seconds(command(sys.executable, "-m", "papermill", notebook, "o.ipynb", cwd=folder)),
        }


def in_jupyterlab(latency_ms: int) -> dict[str, float]:
    """A runbook in a real JupyterLab, where chromium is installed: all cells run, then causes opened by clicks.

    Both verdict rows count from a kernel that is ready, that is, has answered an empty cell: the first verdict is the
    first cause that the tool shows as found, all verdicts are there when none is being checked any more.
    """
    if not any(shutil.which(name) for name in ("chromium", "chromium-browser", "google-chrome")):
        return {}
    from tests.browser.conftest import lab_page, opened, running_browser, running_lab

    with (
        TemporaryDirectory() as folder,
        running_lab(Path(folder)) as lab,
        running_browser() as browser,
        lab_page(lab.url, browser) as page,
        lab.slow(latency_ms),
        opened(lab, page, "01_agent_unreachable", lab.live(WORLD)) as book,
    ):
        page.evaluate(_EMPTY_CELL)
        begun = time.perf_counter()
        book.run_all(wait=False)
        # Waiting for a selector looks at every frame; an expectation looks less and less often.
        book.tool.locator("button.vmbackup-problem").first.wait_for()
        first = time.perf_counter() - begun
        book.tool.locator("button.vmbackup-others").wait_for()
        last = time.perf_counter() - begun
        book.finished()
        clicks = [seconds(partial(_clicked, book, number), 1) for number in (0, 2, 3, 0, 2)]
    name = f"jupyterlab_at_{latency_ms}ms"
    return {
        f"{name}_first_verdict_s": first,
        f"{name}_all_verdicts_s": last,
        f"{name}_click_s": statistics.median(clicks),
    }


_EMPTY_CELL = """async () => {
    const kernel = jupyterapp.shell.currentWidget.sessionContext.session.kernel;
    await kernel.requestExecute({code: ""}).done;
}"""


def _clicked(book: Any, number: int) -> None:
    words = book.tool.locator("button.vmbackup-step:visible").nth(number).inner_text()
    arrow = "▾" if words[0] == "▸" else "▸"
    book.tool.get_by_role("button", name=words, exact=True).click()
    book.tool.get_by_role("button", name=arrow + words[1:], exact=True).wait_for()


def az_in_sequence() -> dict[str, float]:
    """The same reads as ``az`` commands in sequence, where ``az`` is installed (``make test-az`` does)."""
    az = shutil.which("az") or str(ROOT / "build" / "az" / "bin" / "az")
    if not Path(az).exists():
        return {}
    from az.commands import reads, signed_in

    with (
        world(WORLD) as (simulator, _, target),
        TemporaryDirectory() as folder,
        signed_in(az, simulator, folder) as run,
    ):
        begun = time.perf_counter()
        for words in reads(target):
            run(*words)
        return {"az_in_sequence_s": time.perf_counter() - begun, "az_commands": len(reads(target))}


def main() -> None:
    """Measure, print, write build/bench.json."""
    figures = {**imports(), **collecting(0), **collecting(LATENCY_MS), **whole(), **az_in_sequence()}
    figures |= {**in_jupyterlab(0), **in_jupyterlab(LATENCY_MS), **bench_engine.figures(), **bench_fleet.figures()}
    figures |= bench_cluster.figures()
    figures["cores"] = os.cpu_count() or 0
    for name, value in figures.items():
        print(f"{name:34} {value:10.3f}")
    (ROOT / "build").mkdir(exist_ok=True)
    (ROOT / "build" / "bench.json").write_text(json.dumps(figures, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
