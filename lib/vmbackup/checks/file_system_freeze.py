"""Addition: a file system of the Linux VM cannot be frozen for the snapshot, or stayed frozen."""

from __future__ import annotations

from vmbackup.checks.base import Judgement, check, ok, problem, unknown
from vmbackup.checks.shared.named_fault import FAILURE, ended_well, judged, named_by_status
from vmbackup.checks.shared.sight import is_of_the_failed_backup, whole
from vmbackup.facts.backup import FailedJob, Job, ProtectedItem
from vmbackup.facts.guest import GuestExtension, GuestLogs, SerialLog
from vmbackup.facts.linux import LinuxContainers, LinuxMounts, LinuxScanners
from vmbackup.failures.jobs import backup_failed

_FREEZE_OVER = ("freeze_end", "freeze_failed", "freeze_timeout")


@check(
    optional=(
        *FAILURE,
        "guest.mounts",
        "guest.extension",
        "guest.serial_log",
        "guest.logs",
        "guest.scanners",
        "guest.containers",
    ),
    os="linux",
)
def file_systems_can_be_frozen(
    job: FailedJob | None,
    jobs: list[Job] | None,
    item: ProtectedItem | None,
    mounts: LinuxMounts | None,
    extension: GuestExtension | None,
    serial: SerialLog | None,
    logs: GuestLogs | None,
    scanners: LinuxScanners | None,
    containers: LinuxContainers | None,
) -> Judgement:
    """Every file system can be frozen for the moment of the snapshot, and none stayed frozen.

    Why: the extension freezes all of them; one that hangs, is mounted twice or has errors fails the snapshot, and one
    that stays frozen hangs the VM and its agent. A virus scanner that has to allow each opening of a file may then wait
    for the file system and everything else for the scanner. After a restart only the extension's log shows that: it
    ends with the beginning of a freeze.
    How it is measured: in order only where the failed backup's own status says so, or nothing failed.
    """
    failed = backup_failed(job, jobs)
    guest = (
        _in_guest(mounts, extension, serial, scanners)
        or _in_log(logs, failed, scanners)
        or _odd(mounts, containers, failed)
        or _clean(mounts, extension, is_of_the_failed_backup(extension, job, jobs))
    )
    return judged("file_system_freeze", job, jobs, item, guest)


def _in_guest(
    mounts: LinuxMounts | None,
    extension: GuestExtension | None,
    serial: SerialLog | None,
    scanners: LinuxScanners | None,
) -> Judgement | None:
    if mounts is not None and mounts["frozen"]:
        return problem("frozen", mounts=mounts["frozen"])
    if mounts is not None and mounts["blocked_writers"]:
        programs = _programs(scanners)
        if programs:
            return problem("blocked_beside_scanner", count=mounts["blocked_writers"], programs=programs)
        return problem("blocked_writers", count=mounts["blocked_writers"])
    if mounts is not None and mounts["unreadable"]:
        first = mounts["unreadable"][0]
        return problem("unreadable", mount=first["mount"], why=first["why"])
    if serial is not None and serial["freeze_open"]:
        return problem("freeze_open")
    if extension is not None and named_by_status("file_system_freeze", extension):
        return problem("extension_says", code=extension["code"], message=extension["message"])
    return None


def _programs(scanners: LinuxScanners | None) -> list[str]:
    return (scanners["programs"] if scanners is not None else None) or []


def _in_log(logs: GuestLogs | None, failed: bool | None, scanners: LinuxScanners | None) -> Judgement | None:
    patterns = (logs["patterns"] if logs is not None else None) or {}
    begun = patterns["freeze_begin"]["last"] if "freeze_begin" in patterns else None
    over = max((patterns[name]["last"] or "" for name in _FREEZE_OVER if name in patterns), default="")
    if begun is None or begun <= over or failed is False:
        return None
    if not failed:
        return unknown("freeze_unfinished", begun=begun)
    programs = _programs(scanners)
    if programs:
        return problem("unfinished_beside_scanner", begun=begun, programs=programs)
    return problem("freeze_unfinished", begun=begun)


def _odd(mounts: LinuxMounts | None, containers: LinuxContainers | None, failed: bool | None) -> Judgement | None:
    """What sound VMs have as well, but fails freezing on others."""
    if failed is False:
        return None
    if mounts is not None and mounts["mounted_twice"]:
        return unknown("mounted_twice", devices=mounts["mounted_twice"])
    if containers is not None and containers["mounts"]:
        return unknown("container_mounts", mounts=containers["mounts"], runtimes=containers["runtimes"] or [])
    return None


def _clean(mounts: LinuxMounts | None, extension: GuestExtension | None, of_the_failed: bool) -> Judgement | None:
    if mounts is None or extension is None or not (of_the_failed and ended_well(extension)):
        return None
    lists = (mounts["frozen"], mounts["unreadable"], mounts["mounted_twice"])
    seen = mounts["blocked_writers"] == 0 and None not in lists and whole(mounts["cut"], "unreadable", "mounted_twice")
    return ok(code=extension["code"]) if seen else unknown("not_all_seen")
