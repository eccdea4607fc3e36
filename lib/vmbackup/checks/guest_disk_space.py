"""Addition: agent or extension cannot write, or not run, in their own folders."""

from __future__ import annotations

from vmbackup.catalog.knowledge import number
from vmbackup.checks.base import Judgement, check, guest_only, ok, problem, unknown
from vmbackup.facts.guest import FileSystem, GuestDisk
from vmbackup.facts.linux import LinuxFolders, LinuxMounts, LinuxSelinux


@check(
    optional=("guest.disk", "guest.mounts", "guest.selinux", "guest.folders"),
    knows=("agent_room_mb", "agent_room_inodes_pct"),
)
def guest_has_room_for_the_agent(
    disk: GuestDisk | None,
    mounts: LinuxMounts | None,
    selinux: LinuxSelinux | None,
    folders: LinuxFolders | None,
) -> Judgement:
    """The file systems that agent and extension write to have room, and programs may run from them."""
    return _in_guest(disk, mounts, selinux, folders) or guest_only()


def _in_guest(
    disk: GuestDisk | None, mounts: LinuxMounts | None, selinux: LinuxSelinux | None, folders: LinuxFolders | None
) -> Judgement | None:
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
            shown = {"mount": each["mount"], "free_mb": each["free_mb"], "limit": number("agent_room_mb")}
            largest = _largest(folders)
            return problem("filled", **shown, folders=largest) if largest else problem("full", **shown)
        if each["free_inodes_pct"] is not None and each["free_inodes_pct"] < number("agent_room_inodes_pct"):
            shown = {"mount": each["mount"], "free": each["free_inodes_pct"]}
            most = _most(folders)
            return problem("many_files", **shown, folders=most) if most else problem("no_inodes", **shown)
    if selinux is not None and selinux["mode"] == "enforcing" and selinux["denials"]:
        # Sound machines log some as well: what was denied has to be looked at.
        return unknown("selinux", count=selinux["denials"], last=selinux["last"] or "-")
    if not filesystems or any(each["free_mb"] is None for each in filesystems):
        return None
    if not _is_windows(filesystems) and not _all_seen(filesystems, mounts, selinux):
        return None
    least = min(filesystems, key=lambda each: each["free_mb"] or 0)
    return ok(mount=least["mount"], free_mb=least["free_mb"])


def _all_seen(systems: list[FileSystem], mounts: LinuxMounts | None, selinux: LinuxSelinux | None) -> bool:
    if mounts is None or selinux is None or any(each["free_inodes_pct"] is None for each in systems):
        return False
    told = selinux["mode"] is not None and (selinux["mode"] != "enforcing" or selinux["denials"] is not None)
    return told and None not in (mounts["agent_dir_noexec"], mounts["agent_dir_read_only"])


def _largest(folders: LinuxFolders | None) -> list[str]:
    """What takes most room, largest first."""
    found = (folders["folders"] if folders is not None else None) or []
    return [f"{each['path']} ({each['size_mb']} MB)" for each in found if each["size_mb"]]


def _most(folders: LinuxFolders | None) -> list[str]:
    """What holds most files, most first."""
    found = (folders["folders"] if folders is not None else None) or []
    by_count = sorted(found, key=lambda each: each["files"] or 0, reverse=True)
    return [f"{each['path']} ({each['files']})" for each in by_count if each["files"]]


def _is_windows(filesystems: list[FileSystem]) -> bool:
    return all(each["mount"].endswith((":", ":\\")) for each in filesystems)
