"""Addition: agent or extension cannot write, or not run, in their own folders."""

from __future__ import annotations

from vmbackup.catalog.knowledge import number
from vmbackup.checks.base import Judgement, check, ok, problem, unknown
from vmbackup.checks.shared.named_fault import FAILURE, judged
from vmbackup.facts.backup import FailedJob, Job, ProtectedItem
from vmbackup.facts.guest import FileSystem, GuestDisk
from vmbackup.facts.linux import LinuxMounts, LinuxSelinux


@check(
    optional=(*FAILURE, "guest.disk", "guest.mounts", "guest.selinux"), knows=("agent_room_mb", "agent_room_inodes_pct")
)
def guest_has_room_for_the_agent(
    job: FailedJob | None,
    jobs: list[Job] | None,
    item: ProtectedItem | None,
    disk: GuestDisk | None,
    mounts: LinuxMounts | None,
    selinux: LinuxSelinux | None,
) -> Judgement:
    """The file systems that agent and extension write to have room, and programs may run from them."""
    return judged("guest_disk_space", job, jobs, item, _in_guest(disk, mounts, selinux))


def _in_guest(disk: GuestDisk | None, mounts: LinuxMounts | None, selinux: LinuxSelinux | None) -> Judgement | None:
    if mounts is not None and mounts["agent_dir_noexec"]:
        return problem("noexec", mount=mounts["agent_dir_mount"])
    if mounts is not None and mounts["agent_dir_read_only"]:
        return problem("read_only", mount=mounts["agent_dir_mount"])
    filesystems = disk["filesystems"] if disk is not None else None
    if filesystems and _is_windows(filesystems):
        # Agent and extension live on the system drive, the first; a full drive for data or paging is not theirs.
        filesystems = filesystems[:1]
    for each in filesystems or []:
        if each["free_mb"] is not None and each["free_mb"] < number("agent_room_mb"):
            return problem("full", mount=each["mount"], free_mb=each["free_mb"], limit=number("agent_room_mb"))
        if each["free_inodes_pct"] is not None and each["free_inodes_pct"] < number("agent_room_inodes_pct"):
            return problem("no_inodes", mount=each["mount"], free=each["free_inodes_pct"])
    if selinux is not None and selinux["mode"] == "enforcing" and selinux["denials"]:
        # Sound machines log some as well: what was denied has to be looked at.
        return unknown("selinux", count=selinux["denials"], last=selinux["last"] or "-")
    if not filesystems or any(each["free_mb"] is None for each in filesystems):
        return None
    options = (mounts["agent_dir_noexec"], mounts["agent_dir_read_only"]) if mounts is not None else (None,)
    if None in options and not _is_windows(filesystems):
        return None
    least = min(filesystems, key=lambda each: each["free_mb"] or 0)
    return ok(mount=least["mount"], free_mb=least["free_mb"])


def _is_windows(filesystems: list[FileSystem]) -> bool:
    return all(each["mount"].endswith((":", ":\\")) for each in filesystems)
