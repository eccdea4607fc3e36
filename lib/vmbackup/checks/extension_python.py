"""Addition: the Linux backup extension finds no Python that it can run with."""

from __future__ import annotations

from vmbackup.checks.base import Judgement, check, ok, problem, unknown
from vmbackup.checks.shared.named_fault import FAILURE, ended_well, judged
from vmbackup.checks.shared.sight import is_of_the_failed_backup, reaches_back
from vmbackup.facts.backup import FailedJob, Job, ProtectedItem
from vmbackup.facts.guest import GuestExtension, GuestLogs
from vmbackup.facts.linux import LinuxPython
from vmbackup.failures.jobs import backup_failed, is_over

# Only lines that are the backup extension's own: other extensions lack Python's modules too.
_PYTHON_LINES = ("python_unknown", "handle_failed", "extension_exit", "extension_import_failed")


@check(optional=(*FAILURE, "guest.python", "guest.extension", "guest.logs"), os="linux")
def backup_extension_finds_its_python(
    job: FailedJob | None,
    jobs: list[Job] | None,
    item: ProtectedItem | None,
    python: LinuxPython | None,
    extension: GuestExtension | None,
    logs: GuestLogs | None,
) -> Judgement:
    """The backup extension finds a Python in the VM, with the modules that it needs.

    Why: it looks in /usr/bin and /usr/local/bin for names of its own list; newer versions of Python lack crypt,
    distutils and imp, which only newer versions of the extension do without. A run that finds none leaves no status
    file: the newest one may be of an earlier run, under an older Python. Older versions of the extension look in fewer
    places, so that one which would be found today may not have been: the extension's own log decides.
    """
    failed = backup_failed(job, jobs) is not False
    lines = _lines(logs, jobs) if failed else []
    # Whatever it says, a status of this backup was written by the extension's Python.
    ran = extension is not None and extension["code"] is not None
    ran = ran and (not failed or is_of_the_failed_backup(extension, job, jobs))
    silent = logs is not None and logs["patterns"] is not None and reaches_back(logs, "shell.log", job, jobs)
    guest = _in_guest(python, extension, lines, ran, silent)
    return judged("extension_python", job, jobs, item, guest)


def _lines(logs: GuestLogs | None, jobs: list[Job] | None) -> list[str]:
    """The lines by which the extension ended for want of Python, where no good backup began since."""
    patterns = (logs["patterns"] if logs is not None else None) or {}
    return [line for line in _PYTHON_LINES if line in patterns and not is_over(patterns[line]["last"], jobs)]


def _in_guest(
    python: LinuxPython | None, extension: GuestExtension | None, lines: list[str], ran: bool, silent: bool
) -> Judgement | None:
    """``ran``: the extension ran in this backup; ``silent``: its log of that time was read."""
    if python is None:
        return None
    if python["path"] == "":
        return problem("none", others=python["others"] or [])
    if python["path"] is not None and "python_unknown" in lines:
        version = extension["newest"] if extension is not None else None
        return problem("not_found_by_extension", path=python["path"], extension=version or "-")
    if python["missing"] is None or python["version"] is None or python["path"] is None:
        return None
    shown = {"path": python["path"], "version": python["version"], "missing": python["missing"]}
    if lines:
        return problem("modules", **shown) if python["missing"] else unknown("ended", **shown)
    if (ran and ended_well(extension)) if python["missing"] else (ran or silent):
        return ok(path=python["path"], version=python["version"])
    return unknown("lacks", **shown) if python["missing"] else unknown("not_proven", **shown)
