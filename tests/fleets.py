"""Run folders of fleets: a few worlds examined in this process, once, and laid out as a fleet leaves them."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from in_process import near
from vmbackup.model import AzureSource, Evidence, Target
from vmbackup.parameters import Parameters
from vmbackup.runs.evidence import evidence_json
from vmbackup.runs.run import Run

WORLDS = (
    "agent_old_windows",
    "agent_stopped_linux",
    "crash_consistent_downgrade_linux",
    "disk_too_large_linux",
    "error_403_everything_else",
    "guest_python_missing_linux",
    "no_internet_linux",
    "no_internet_windows",
    "not_protected_linux",
    "protection_stopped_linux",
    "restore_points_lock_windows",
    "healthy_linux",
    "healthy_windows",
)
HEALTHY = ("healthy_linux", "healthy_windows")


@cache
def run_of(world: str) -> Run:
    """This world, examined."""
    there = near(world)
    run = Run(Parameters(AzureSource.SIMULATOR), None, there.target, azure=there.azure, kept=False)
    run.collect()
    return run


@cache
def _files(world: str) -> tuple[str, str]:
    run = run_of(world)
    return json.dumps(evidence_json(run.target, run.evidence)), json.dumps(run.result())


def write_vm(folder: Path, name: str, world: str, changed: Mapping[str, str] = {}) -> None:
    """The run of a world as the VM of this name; ``changed`` replaces words of its files."""
    place = folder / "vms" / name
    place.mkdir(parents=True)
    for file, content in zip(("evidence.json", "result.json"), _files(world), strict=True):
        for old, new in changed.items():
            content = content.replace(old, new)
        (place / file).write_text(content, "utf-8")


def write_fleet(folder: Path, vms: Sequence[Mapping[str, Any]], gaps: Sequence[Mapping[str, str]] = ()) -> None:
    """``fleet.json``."""
    content = {"schema": "vmbackup.fleet/1", "vms": list(vms), "gaps": list(gaps)}
    (folder / "fleet.json").write_text(json.dumps(content), "utf-8")


def write_inventory(folder: Path, vms: Sequence[tuple[Target, Evidence]]) -> None:
    """``inventory.json``."""
    content = {"schema": "vmbackup.inventory/1", "vms": [evidence_json(*each) for each in vms]}
    (folder / "inventory.json").write_text(json.dumps(content), "utf-8")


@cache
def _made() -> Path:
    folder = Path(mkdtemp(prefix="vmbackup-fleet-"))
    for world in WORLDS:
        if world not in HEALTHY:
            write_vm(folder, world, world)
    (folder / "vms" / "broken").mkdir()
    (folder / "vms" / "broken" / "evidence.json").write_text("{", "utf-8")
    (folder / "vms" / "broken" / "result.json").write_text("{}", "utf-8")
    (folder / "vms" / "died").mkdir()
    (folder / "vms" / "died" / "error.json").write_text('{"error": "The kernel <b>died</b>."}', "utf-8")
    write_inventory(folder, [(run_of(world).target, run_of(world).evidence) for world in HEALTHY])
    asked = [{"name": world, "vm_id": run_of(world).target.vm_id, "examine": world not in HEALTHY} for world in WORLDS]
    asked += [{"name": name, "vm_id": f"/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/"
               f"virtualMachines/{name}", "examine": True} for name in ("broken", "died", "waits")]  # fmt: skip
    write_fleet(folder, asked, [{"scope": "/subscriptions/other", "why": "No right to list."}])
    return folder


def a_fleet(folder: Path) -> Path:
    """A copy of a fleet's run folder: WORLDS, the healthy ones only listed, one VM broken, one died, one waits."""
    return Path(shutil.copytree(_made(), folder / "fleet"))
