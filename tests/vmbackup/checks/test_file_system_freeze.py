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


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
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
