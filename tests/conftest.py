"""What holds for every test: one time zone, and the files that take longest first."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

# A few workers share the files; one of these at the end would leave the others with nothing to do. By the seconds that
# each took, from 218 to 10.
LONGEST = (
    "vmbackup/guest/test_collect_linux.py",
    "browser/test_guided_walk.py",
    "test_cures.py",
    "test_attacks.py",
    "test_truth.py",
    "vmbackup/ticket/test_bundle.py",
    "test_scenarios.py",
    "browser/test_start.py",
    "vmbackup/collectors/test_faults.py",
    "vmbackup/cli/test_rollout.py",
    "vmbackup/cli/test_fleet.py",
    "vmbackup/fleet/rollout/test_coordinator.py",
    "vmbackup/remedies/test_apply.py",
    "vmbackup/arm/test_rate_limit.py",
    "vmbackup/fleet/test_coordinator.py",
    "browser/test_lab.py",
    "vmbackup/remedies/test_roles.py",
    "vmbackup/widgets/test_guide.py",
    "vmbackup/cli/test_doors.py",
    "vmbackup/remedies/retry/test_back_up_now.py",
    "vmbackup/arm/test_storms.py",
    "vmbackup/fleet/test_engine.py",
    "vmbackup/fleet/test_cluster.py",
    "vmbackup/fleet/test_storage.py",
    "browser/test_document.py",
    "vmbackup/notebook/test_runbook.py",
    "vmbackup/runs/test_run.py",
    "vmbackup/cli/test_main.py",
    "notebooks/test_papermill.py",
    "notebooks/test_remedies.py",
    "vmbackup/fleet/inventory/test_build.py",
    "vmbackup/fleet/test_folder_trouble.py",
    "vmbackup/cli/test_remedies.py",
    "test_guest_worlds.py",
)
FIRST = {Path(__file__).parent / name: rank for rank, name in enumerate(LONGEST)}

# Every kernel that a test starts has it too: pages show local time where that is not UTC.
os.environ["TZ"] = "UTC"
if hasattr(time, "tzset"):
    time.tzset()


# Locks of simulated VMs are none of this user's; processes that a test starts share them.
os.environ["XDG_STATE_HOME"] = tempfile.mkdtemp(prefix="vmbackup-state-")
atexit.register(shutil.rmtree, os.environ["XDG_STATE_HOME"], ignore_errors=True)


@pytest.fixture(autouse=True)
def own_environment() -> Iterator[None]:
    """What a test puts into the environment, such as a simulator's address, ends with it."""
    before = dict(os.environ)
    yield
    if dict(os.environ) != before:
        os.environ.clear()
        os.environ.update(before)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: FIRST.get(item.path, len(FIRST)))
