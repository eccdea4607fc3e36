"""Addition: a file system of the Linux VM cannot be frozen for the snapshot, or stayed frozen."""

from __future__ import annotations

from vmbackup import clock
from vmbackup.catalog.knowledge import number
from vmbackup.checks.base import Judgement, check, guest_only, ok, problem, unknown
from vmbackup.checks.shared.extension_status import ended_well, speaks_for
from vmbackup.checks.shared.sight import whole
from vmbackup.facts.backup import FailedJob, Job
from vmbackup.facts.guest import GuestExtension, GuestLogs, SerialLog
from vmbackup.facts.linux import LinuxContainers, LinuxMounts, LinuxScanners
from vmbackup.failures.jobs import backup_failed, has_snapshot, snapshot_s

_CAUSE = "file_system_freeze"
_FREEZE_OVER = ("freeze_end", "freeze_failed", "freeze_timeout")


@check(
    optional=(
        "guest.mounts",
        "guest.extension",
        "guest.serial_log",
        "guest.logs",
        "guest.scanners",
        "guest.containers",
        "backup.failed_job",
        "backup.jobs",
    ),
    os="linux",
    knows=("backup_runs_long_s",),
    then=True,
)
def file_systems_can_be_frozen(
    mounts: LinuxMounts | None,
    extension: GuestExtension | None,
    serial: SerialLog | None,
    logs: GuestLogs | None,
    scanners: LinuxScanners | None,
    containers: LinuxContainers | None,
    job: FailedJob | None,
    jobs: list[Job] | None,
) -> Judgement:
    """Every file system can be frozen for the moment of the snapshot, and none stayed frozen.

    Why: the extension freezes all of them; one that hangs, is mounted twice or has errors fails the snapshot, and one
    that stays frozen hangs the VM and its agent. A virus scanner that has to allow each opening of a file may then wait
    for the file system and everything else for the scanner. After a restart only the extension's log shows that: it
    ends with the beginning of a freeze. A status that is good may be of another run than the one that failed.
    """
    failed = backup_failed(job, jobs)
    return (
        _in_guest(mounts, extension, serial, scanners, failed)
        or _in_log(logs, failed, scanners)
        or _of_containers(containers, failed)
        or _clean(mounts, extension, job, failed)
    )


def _in_guest(
    mounts: LinuxMounts | None,
    extension: GuestExtension | None,
    serial: SerialLog | None,
    scanners: LinuxScanners | None,
    failed: bool | None,
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
    if mounts is not None and mounts["mounted_twice"] and failed is not False:
        return _mounted_twice(mounts["mounted_twice"], extension, failed)
    return None


def _mounted_twice(mounts: list[str], extension: GuestExtension | None, failed: bool | None) -> Judgement:
    """Sound VMs have that as well; that the extension failed in freezing makes it the reason."""
    if failed and extension is not None and speaks_for(_CAUSE, extension):
        return problem("mounted_twice", mounts=mounts, code=extension["code"], message=extension["message"] or "-")
    return unknown("mounted_twice_only", mounts=mounts)


def _programs(scanners: LinuxScanners | None) -> list[str]:
    return (scanners["programs"] if scanners is not None else None) or []


def _in_log(logs: GuestLogs | None, failed: bool | None, scanners: LinuxScanners | None) -> Judgement | None:
    patterns = (logs["patterns"] if logs is not None else None) or {}
    begun = patterns["freeze_begin"]["last"] if "freeze_begin" in patterns else None
    ends = [patterns[name]["last"] for name in _FREEZE_OVER if name in patterns]
    if begun is None or failed is False or any(end is not None and begun <= end for end in ends):
        return None
    if not failed or None in ends:
        return unknown("freeze_unfinished", begun=begun)
    programs = _programs(scanners)
    if programs:
        return problem("unfinished_beside_scanner", begun=begun, programs=programs)
    return problem("freeze_unfinished", begun=begun)


def _of_containers(containers: LinuxContainers | None, failed: bool | None) -> Judgement | None:
    """What sound VMs have as well, but fails freezing on others."""
    if containers is None or not containers["mounts"] or failed is False:
        return None
    return unknown("container_mounts", mounts=containers["mounts"], runtimes=containers["runtimes"] or [])


def _clean(
    mounts: LinuxMounts | None, extension: GuestExtension | None, job: FailedJob | None, failed: bool | None
) -> Judgement:
    if mounts is None or extension is None or extension["code"] is None:
        return guest_only()
    lists = (mounts["frozen"], mounts["unreadable"], mounts["mounted_twice"])
    if mounts["blocked_writers"] is None or None in lists or not whole(mounts["cut"], "unreadable", "mounted_twice"):
        return unknown("not_all_seen")
    if failed is False or (ended_well(extension) and _is_of(job, extension)):
        return ok(code=extension["code"])
    return unknown("status_of_another_run", code=extension["code"])


def _is_of(job: FailedJob | None, extension: GuestExtension) -> bool:
    """Whether the extension wrote its status while this backup ran, and its snapshot did not take hours."""
    took_s = snapshot_s(job)
    if job is None or (has_snapshot(job) and (took_s is None or took_s > number("backup_runs_long_s"))):
        return False
    begun, written, ended = clock.stamp(job["start"]), clock.stamp(extension["at"]), clock.stamp(job["end"])
    return bool(begun and written and ended and begun < written < ended)
