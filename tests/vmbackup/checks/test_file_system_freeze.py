"""A file system cannot be frozen for the snapshot, or stayed frozen."""

from __future__ import annotations

from typing import Any

import pytest

from judging import DENIED, failed_job, job, outcome

CHECK = "file_systems_can_be_frozen"
GENERIC = {"backup__failed_job": failed_job(), "backup__jobs": [job("Failed")]}
GOOD = {"backup__failed_job": None, "backup__jobs": [job()]}
HOURS = [{"name": "Take Snapshot", "status": "Failed", "duration_s": 10800.0}]
HUNG_FOR_HOURS = {"backup__failed_job": failed_job(tasks=HOURS), "backup__jobs": [job("Failed")]}


def mounts(**changes: Any) -> dict[str, Any]:
    fact = {
        "agent_dir_mount": "/",
        "agent_dir_noexec": False,
        "agent_dir_read_only": False,
        "frozen": [],
        "blocked_writers": 0,
        "unreadable": [],
        "fstab_duplicates": [],
        "mounted_twice": [],
        "cut": [],
    }
    return {"guest__mounts": fact | changes}


def extension(code: int | None, at: str = "2026-11-22T22:10:00Z") -> dict[str, Any]:
    fact = {"name": "x", "versions": [], "newest": None, "status": "success", "code": code, "message": "m"}
    return {"guest__extension": fact | {"operation": "Enable", "seq": 3, "at": at}}


SCANNER = {"guest__scanners": {"programs": ["mdatp"], "cut": []}}
DOCKER = {"guest__containers": {"runtimes": ["dockerd"], "mounts": ["/var/lib/docker/x"], "cut": []}}


def serial(freeze_open: bool) -> dict[str, Any]:
    return {"guest__serial_log": {"freeze_open": freeze_open}}


def logs(**last: str) -> dict[str, Any]:
    return {"guest__logs": {"patterns": {name: {"count": 1, "last": time} for name, time in last.items()}}}


HUNG = logs(freeze_begin="2024-01-14T22:16:48Z", freeze_end="2024-01-13T22:16:50Z")
THAWED = logs(freeze_begin="2024-01-14T22:16:48Z", freeze_end="2024-01-14T22:16:48Z")


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        # azure-linux-extensions #1868: the machine froze and was restarted; the status file is of the day before.
        (mounts() | extension(1) | HUNG | GENERIC, ("problem", "freeze_unfinished")),
        (mounts() | extension(1) | logs(freeze_begin="2024-01-14T22:16:48Z"), ("unknown", "freeze_unfinished")),
        (mounts() | extension(1) | HUNG | GOOD, ("ok", "ok")),
        (mounts() | extension(1) | THAWED | GENERIC, ("ok", "ok")),
        (mounts(frozen=["/data"]) | GENERIC, ("problem", "frozen")),
        (mounts(frozen=["/data"]) | GOOD, ("problem", "frozen")),
        (mounts(blocked_writers=3) | GENERIC, ("problem", "blocked_writers")),
        (mounts(blocked_writers=3) | SCANNER | GENERIC, ("problem", "blocked_beside_scanner")),
        (mounts() | HUNG | SCANNER | GENERIC, ("problem", "unfinished_beside_scanner")),
        (mounts() | extension(1) | SCANNER | GENERIC, ("ok", "ok")),
        (mounts(mounted_twice=["/dev/sda1"]) | extension(1) | GENERIC, ("unknown", "mounted_twice_only")),
        (mounts(mounted_twice=["/dev/sda1"]) | extension(121) | GENERIC, ("problem", "mounted_twice")),
        (mounts(mounted_twice=["/dev/sda1"]) | extension(1) | GOOD, ("ok", "ok")),
        (mounts() | extension(1) | DOCKER | GENERIC, ("unknown", "container_mounts")),
        # Written by an earlier run: it says nothing about this backup. Status 2 excludes nothing.
        (mounts() | extension(1, "2026-11-21T22:10:00Z") | GENERIC, ("unknown", "status_of_another_run")),
        (mounts() | extension(1, "2026-11-23T22:10:00Z") | GENERIC, ("unknown", "status_of_another_run")),
        (mounts() | extension(2) | GENERIC, ("unknown", "status_of_another_run")),
        (mounts(cut=["unreadable"]) | extension(1) | GENERIC, ("unknown", "not_all_seen")),
        (mounts(unreadable=None) | extension(1) | GENERIC, ("unknown", "not_all_seen")),
        (mounts(unreadable=[{"mount": "/x", "why": "timeout"}]) | GENERIC, ("problem", "unreadable")),
        (serial(True) | GENERIC, ("problem", "freeze_open")),
        (serial(False) | GENERIC, ("unknown", "guest_only")),
        (mounts() | extension(1) | GENERIC, ("ok", "ok")),
        (mounts() | extension(None) | GENERIC, ("unknown", "guest_only")),
        (mounts(blocked_writers=None) | extension(1) | GENERIC, ("unknown", "not_all_seen")),
        (mounts() | extension(1) | HUNG_FOR_HOURS, ("unknown", "status_of_another_run")),
        (mounts() | GOOD, ("unknown", "guest_only")),
        ({"guest__mounts": DENIED} | GENERIC, ("unknown", "guest_only")),
    ],
)
def test_in_the_guest(facts: dict[str, Any], expected: tuple[str, str]) -> None:
    assert outcome(CHECK, **facts) == expected
