"""Addition: a file system of the Linux VM cannot be frozen for the snapshot, or stayed frozen."""

from __future__ import annotations

from vmbackup.checks.base import Judgement, check, ok, problem
from vmbackup.checks.named import FAILURE, judged
from vmbackup.facts import FailedJob, Job, ProtectedItem
from vmbackup.facts_guest import GuestExtension, SerialLog
from vmbackup.facts_linux import LinuxMounts

# VMB: freeze failed, timed out, a mount cannot be opened, the program that freezes is missing.
_FREEZE_STATUS = (121, 122, 123, 124)


@check(optional=(*FAILURE, "guest.mounts", "guest.extension", "guest.serial_log"), os="linux")
def file_systems_can_be_frozen(
    job: FailedJob | None,
    jobs: list[Job] | None,
    item: ProtectedItem | None,
    mounts: LinuxMounts | None,
    extension: GuestExtension | None,
    serial: SerialLog | None,
) -> Judgement:
    """Every file system can be frozen for the moment of the snapshot, and none stayed frozen.

    Why: the extension freezes all of them; one that hangs, is mounted twice or has errors fails the snapshot, and one
    that stays frozen hangs the VM and its agent.
    """
    guest = _in_guest(mounts, extension, serial)
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
    code = extension["code"] if extension is not None else None
    if extension is not None and code in _FREEZE_STATUS:
        return problem("extension_says", code=code, message=extension["message"])
    clean = mounts is not None and mounts["blocked_writers"] == 0
    return ok(code=code) if clean and code is not None else None
