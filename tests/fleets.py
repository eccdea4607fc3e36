"""Run folders of fleets: a few worlds examined in this process, once, and laid out as a fleet leaves them."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

from in_process import near
from vmbackup.fleet.folder import fleet_json, inventory_line
from vmbackup.model import AzureSource
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
    lines = [inventory_line(run_of(world).target, run_of(world).evidence) for world in HEALTHY]
    (folder / "inventory.jsonl").write_bytes(b"".join(lines))
    asked = [{"name": world, "vm_id": run_of(world).target.vm_id, "examine": world not in HEALTHY} for world in WORLDS]
    asked += [{"name": name, "vm_id": f"/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/"
               f"virtualMachines/{name}", "examine": True} for name in ("broken", "died", "waits")]  # fmt: skip
    right = {"action": "Microsoft.RecoveryServices/vaults/read", "scope": "/subscriptions/other"}
    gaps = [
        {"what": "jobs", "scope": "/subscriptions/other", "why": "missing_action", "details": right},
        {"what": None, "scope": "/subscriptions/third", "why": "<b>gone</b>", "details": None},
    ]
    (folder / "fleet.json").write_text(json.dumps(fleet_json(asked, gaps)), "utf-8")
    return folder


def a_fleet(folder: Path) -> Path:
    """A copy of a fleet's run folder: WORLDS, the healthy ones only listed, one VM broken, one died, one waits."""
    return Path(shutil.copytree(_made(), folder / "fleet"))
