"""Addition: a file system of the Linux VM cannot be frozen for the snapshot, or stayed frozen."""

from __future__ import annotations

from vmbackup.checks.base import Judgement, check, ok, problem, unknown
from vmbackup.checks.shared.named_fault import FAILURE, judged, named_by_status
from vmbackup.facts.backup import FailedJob, Job, ProtectedItem
from vmbackup.facts.guest import GuestExtension, GuestLogs, SerialLog
from vmbackup.facts.linux import LinuxMounts
from vmbackup.failures.jobs import backup_failed

_FREEZE_OVER = ("freeze_end", "freeze_failed", "freeze_timeout")


@check(optional=(*FAILURE, "guest.mounts", "guest.extension", "guest.serial_log", "guest.logs"), os="linux")
def file_systems_can_be_frozen(
    job: FailedJob | None,
    jobs: list[Job] | None,
    item: ProtectedItem | None,
    mounts: LinuxMounts | None,
    extension: GuestExtension | None,
    serial: SerialLog | None,
    logs: GuestLogs | None,
) -> Judgement:
    """Every file system can be frozen for the moment of the snapshot, and none stayed frozen.

    Why: the extension freezes all of them; one that hangs, is mounted twice or has errors fails the snapshot, and one
    that stays frozen hangs the VM and its agent. After a restart only the extension's log shows that: it ends with the
    beginning of a freeze.
    """
    guest = _in_guest(mounts, extension, serial) or _in_log(logs, backup_failed(job, jobs))
    guest = guest or _clean(mounts, extension)
    return judged("file_system_freeze", job, jobs, item, guest)


def _in_guest(
    mounts: LinuxMounts | None, extension: GuestExtension | None, serial: SerialLog | None
) -> Judgement | None:
    if mounts is not None and mounts["frozen"]:
        return problem("frozen", mounts=mounts["frozen"])
    if mounts is not None and mounts["blocked_writers"]:
        return problem("blocked_writers", count=mounts["blocked_writers"])
    if mounts is not None and mounts["unreadable"]:
        first = mounts["unreadable"][0]
        return problem("unreadable", mount=first["mount"], why=first["why"])
    if serial is not None and serial["freeze_open"]:
        return problem("freeze_open")
    if extension is not None and named_by_status("file_system_freeze", extension):
        return problem("extension_says", code=extension["code"], message=extension["message"])
    return None


def _in_log(logs: GuestLogs | None, failed: bool | None) -> Judgement | None:
    patterns = (logs["patterns"] if logs is not None else None) or {}
    begun = patterns["freeze_begin"]["last"] if "freeze_begin" in patterns else None
    over = max((patterns[name]["last"] or "" for name in _FREEZE_OVER if name in patterns), default="")
    if begun is None or begun <= over or failed is False:
        return None
    return problem("freeze_unfinished", begun=begun) if failed else unknown("freeze_unfinished", begun=begun)


def _clean(mounts: LinuxMounts | None, extension: GuestExtension | None) -> Judgement | None:
    code = extension["code"] if extension is not None else None
    clean = mounts is not None and mounts["blocked_writers"] == 0
    return ok(code=code) if clean and code is not None else None
