"""A file system cannot be frozen for the snapshot, or stayed frozen."""

from __future__ import annotations

from typing import Any

import pytest

from judging import DENIED, failed_job, job, outcome

CHECK = "file_systems_can_be_frozen"
GENERIC = {"backup__failed_job": failed_job(), "backup__jobs": [job("Failed")]}
NAMED = {"backup__failed_job": failed_job(None, "UserErrorFsFreezeFailed"), "backup__jobs": [job("Failed")]}
GOOD = {"backup__failed_job": None, "backup__jobs": [job()]}


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
    }
    return {"guest__mounts": fact | changes}


def extension(code: int | None) -> dict[str, Any]:
    fact = {"name": None, "versions": [], "newest": None, "status": "error", "code": code, "message": "m"}
    return {"guest__extension": fact | {"operation": "Enable", "seq": 3}}


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
        (mounts(unreadable=[{"mount": "/x", "why": "timeout"}]) | GENERIC, ("problem", "unreadable")),
        (serial(True) | GENERIC, ("problem", "freeze_open")),
        (serial(False) | GENERIC, ("unknown", "guest_only")),
        (extension(122) | GENERIC, ("problem", "extension_says")),
        (mounts() | extension(1) | GENERIC, ("ok", "ok")),
        (mounts() | extension(None) | GENERIC, ("unknown", "guest_only")),
        (mounts(blocked_writers=None) | extension(1) | GENERIC, ("unknown", "guest_only")),
        (mounts() | extension(1) | NAMED, ("problem", "problem")),
        (mounts() | GOOD, ("ok", "nothing_failed")),
        ({"guest__mounts": DENIED} | GENERIC, ("unknown", "guest_only")),
    ],
)
def test_in_the_guest(facts: dict[str, Any], expected: tuple[str, str]) -> None:
    assert outcome(CHECK, **facts) == expected
