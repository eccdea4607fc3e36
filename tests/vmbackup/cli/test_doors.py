"""One story through all three doors: the cells of a notebook, the guided tool, and the command line.

A failed job is named, the guest script's output is given, the VM is restarted, looked at again and backed up. What the
run folder then says is the same, whichever door was taken.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from azuresim.loading import load_world
from pressing import field, press, shown_over
from vmbackup.catalog import remedies as catalogue
from vmbackup.model import Fact, Verdict
from vmbackup.notebook.runbook import open_run
from vmbackup.parameters import from_notebook
from vmbackup.runs import open as opening
from vmbackup.runs.folder import RunFolder
from vmbackup.runs.reopen import reopened
from walking import guest_output
from worlds import connected, examined, serving

SCENARIO, SECTION, CAUSE, REMEDY = "agent_stopped_linux", "agent_unreachable", "agent_linux", "restart_vm"
# What differs between two runs of one story: times, spans of time, and what Azure numbers.
_DIFFERS = re.compile(
    r"\d{4}-\d\d-\d\dT[0-9:.]+(?:Z|\+00:00)|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|\b\d{10,}\b|\b\d+\.\d+\b"
)
_SPANS = ("age_s", "duration_s", "took_ms")

Story = Callable[[dict[str, Any], Path], None]


@pytest.fixture
def command(vmbackup: Any) -> Story:
    """Each act is a command of its own; the world goes on between them."""

    def told(given: dict[str, Any], pasted: Path) -> None:
        vm = ["-s", given["subscription_id"], "-g", given["resource_group"], "-n", given["vm_name"]]
        about = [*vm, "--failure", given["failure"], "--section", SECTION]
        folder, seen = given["run_folder"], str(pasted)
        assert vmbackup("diagnose", *about, "--guest-output", seen, "--save", folder).returncode == 1
        consent = ["--yes", "--max-risk", "high"]
        applied = vmbackup("apply", REMEDY, *about, "--guest-output", seen, "--folder", folder, *consent)
        assert applied.returncode == 0, applied.stderr
        vmbackup("diagnose", *about, "--save", folder)
        backed_up = vmbackup("retry", *vm, "--failure", given["failure"], "--folder", folder)
        assert backed_up.returncode == 0, backed_up.stderr

    return told


def cells(given: dict[str, Any], pasted: Path) -> None:
    """The cells of a headless notebook, in their order; a collection that runs again looks again."""
    namespace = {**given, "guest_output": str(pasted), "remedies": REMEDY, "max_risk": "high"}
    book = open_run(namespace, SECTION)
    assert namespace["run"] is book
    book.collect()
    book.remedies()
    book.collect()
    book.retry()
    book.result()


def tool(given: dict[str, Any], pasted: Path) -> None:
    """The buttons of the guided tool."""
    run = opening.open_run(from_notebook(given), SECTION)
    run.collect()
    guide = shown_over(run)
    press(guide, "Paste output")
    field(guide, "Output of the guest script").value = pasted.read_text("utf-8")
    press(guide, "Read this output")
    press(guide, "Plan a remedy")
    press(guide, f"▸ {catalogue.words(REMEDY, 'title', 'en')}")
    press(guide, f"Apply: {catalogue.words(REMEDY, 'title', 'en')}")
    press(guide, "Yes, apply it now")
    press(guide, "Re-check")
    press(guide, "Back up now")
    press(guide, "Yes, back up now")


def told_by(story: Story, folder: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the run folder says after the story, without what differs between any two runs."""
    loaded = load_world(SCENARIO)
    with serving(loaded) as simulator:
        monkeypatch.setenv("VMBACKUP_ARM_ENDPOINT", simulator.endpoint)
        _, target = connected(simulator, loaded)
        jobs = examined(simulator, loaded)["backup.jobs"].data
        older = [job["name"] for job in jobs if job["status"] == "Failed"][-1]
        names = ("subscription_id", "resource_group", "vm_name")
        given = {"azure": "live", **{name: getattr(target, name) for name in names}}
        given |= {"failure": older, "run_folder": str(folder / "run"), "deadline_s": 30}
        pasted = folder / "pasted.txt"
        pasted.write_text(guest_output(opening.open_run(from_notebook(given), SECTION), "agent_stopped"), "utf-8")
        story(given, pasted)
    state = reopened(given["run_folder"])
    assert state.evidence["backup.failed_job"].data["name"] == older
    assert state.proof is not None
    assert state.proof.fixed
    assert state.diagnosis().step(CAUSE).verdict is Verdict.OK
    return {
        "evidence": {name: _same(fact) for name, fact in sorted(state.evidence.items())},
        "verdicts": {step.cause: str(step.verdict) for step in state.diagnosis().steps},
        "receipts": [(each.remedy, each.resource, each.outcome, each.continued) for each in state.receipts],
        "audit": [
            tuple(row[key] for key in ("method", "resource", "outcome", "why"))
            for row in RunFolder(given["run_folder"]).audited()
        ],
    }


def _same(fact: Fact) -> tuple[str, str | None, str]:
    data = json.dumps(fact.data, sort_keys=True)
    for name in _SPANS:
        data = re.sub(rf'"{name}": [0-9.]+', f'"{name}": 0', data)
    return str(fact.status), fact.why, _DIFFERS.sub("…", data)


def test_the_story_ends_alike_through_every_door(
    command: Story, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended = {}
    for name, story in {"cells": cells, "tool": tool, "command": command}.items():
        (tmp_path / name).mkdir()
        ended[name] = told_by(story, tmp_path / name, monkeypatch)
    for part in ended["cells"]:
        assert ended["tool"][part] == ended["cells"][part], part
        assert ended["command"][part] == ended["cells"][part], part
