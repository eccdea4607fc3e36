"""Agent or extension cannot write, or not run, in their own folders."""

from __future__ import annotations

from typing import Any

import pytest

from judging import failed_job, job, outcome

GENERIC = {"backup__failed_job": failed_job(), "backup__jobs": [job("Failed")]}


def disk(mount: str, free_mb: int | None, inodes: float | None = 50.0) -> dict[str, Any]:
    row = {"mount": mount, "size_mb": 30000, "free_mb": free_mb, "free_inodes_pct": inodes}
    return {"guest__disk": {"filesystems": [row]}}


def mounts(noexec: bool | None = False, read_only: bool | None = False) -> dict[str, Any]:
    options = {"agent_dir_noexec": noexec, "agent_dir_read_only": read_only}
    return {"guest__mounts": {"agent_dir_mount": "/var", **options, "frozen": [], "unreadable": []}}


def drives(*free_mb: int) -> dict[str, Any]:
    rows = [disk(f"{letter}:", free, None) for letter, free in zip("CDE", free_mb, strict=False)]
    return {"guest__disk": {"filesystems": [row["guest__disk"]["filesystems"][0] for row in rows]}}


def selinux(mode: str, denials: int | None) -> dict[str, Any]:
    return {"guest__selinux": {"mode": mode, "denials": denials, "last": "denied { execute } for comm=waagent"}}


def folders(path: str, size_mb: int, files: int) -> dict[str, Any]:
    return {"guest__folders": {"folders": [{"path": path, "size_mb": size_mb, "files": files}]}}


OFF = selinux("disabled", 0)
EVENTS = folders("/var/lib/waagent/events", 900, 40000)


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        (disk("/", 5000) | mounts() | OFF | GENERIC, ("ok", "ok")),
        (disk("/", 5000) | mounts() | GENERIC, ("unknown", "guest_only")),
        (disk("/", 5000, None) | mounts() | OFF | GENERIC, ("unknown", "guest_only")),
        (disk("/", 99) | mounts() | EVENTS | GENERIC, ("problem", "filled")),
        (disk("/", 5000, 0.4) | mounts() | EVENTS | GENERIC, ("problem", "many_files")),
        (disk("C:", 5000, None) | GENERIC, ("ok", "ok")),
        (drives(5000, 20, 0) | GENERIC, ("ok", "ok")),
        (drives(20, 5000) | GENERIC, ("problem", "full")),
        (disk("/", 5000) | mounts() | selinux("enforcing", 3) | GENERIC, ("unknown", "selinux")),
        (disk("/", 5000) | mounts() | selinux("permissive", 3) | GENERIC, ("ok", "ok")),
        (disk("/", 5000) | mounts() | selinux("enforcing", 0) | GENERIC, ("ok", "ok")),
        (disk("/", 5000) | mounts() | selinux("enforcing", None) | GENERIC, ("unknown", "guest_only")),
        (disk("/", 99) | mounts() | GENERIC, ("problem", "full")),
        (disk("/", 5000, 0.4) | mounts() | GENERIC, ("problem", "no_inodes")),
        (disk("/", 5000) | mounts(True) | GENERIC, ("problem", "noexec")),
        (mounts(True) | GENERIC, ("problem", "noexec")),
        (disk("/", 5000) | mounts(read_only=True) | GENERIC, ("problem", "read_only")),
        (disk("/", 5000) | mounts(read_only=None) | GENERIC, ("unknown", "guest_only")),
        (disk("/", 5000) | GENERIC, ("unknown", "guest_only")),
        (disk("/", 5000) | mounts(None) | GENERIC, ("unknown", "guest_only")),
        (disk("/", None) | mounts() | GENERIC, ("unknown", "guest_only")),
        ({"guest__disk": {"filesystems": None}} | mounts() | GENERIC, ("unknown", "guest_only")),
        ({"guest__disk": {"filesystems": []}} | mounts() | GENERIC, ("unknown", "guest_only")),
    ],
)
def test_in_the_guest(facts: dict[str, Any], expected: tuple[str, str]) -> None:
    assert outcome("guest_has_room_for_the_agent", **facts) == expected
