"""Addition: the Linux backup extension finds no Python that it can run with."""

from __future__ import annotations

from typing import Any

from vmbackup.checks.base import Judgement, check, guest_only, ok, problem, unknown
from vmbackup.checks.shared.extension_status import ended_well
from vmbackup.checks.shared.sight import is_of_the_failed_backup, reaches_back
from vmbackup.facts.backup import FailedJob, Job
from vmbackup.facts.guest import GuestExtension, GuestLogs
from vmbackup.facts.linux import LinuxPython
from vmbackup.failures.jobs import backup_failed, is_over

# Only lines that are the backup extension's own: other extensions lack Python's modules too.
_PYTHON_LINES = ("python_unknown", "handle_failed", "extension_exit", "extension_import_failed")


@check(
    optional=("guest.python", "guest.logs", "guest.extension", "backup.failed_job", "backup.jobs"),
    os="linux",
    then=True,
)
def backup_extension_finds_its_python(
    python: LinuxPython | None,
    logs: GuestLogs | None,
    extension: GuestExtension | None,
    job: FailedJob | None,
    jobs: list[Job] | None,
) -> Judgement:
    """The backup extension finds a Python in the VM, with the modules that it needs.

    Why: it looks for names of its own list, in /usr/bin and, only since 2024, in /usr/local/bin; the agent's own Python
    it knows since 2020. Newer versions of Python lack crypt, distutils and imp, which only newer versions of the
    extension do without. A run that finds none leaves no status file: the newest one may be of an earlier run. The
    extension's own log decides.
    """
    if python is None or python["path"] is None:
        return guest_only()
    if not python["path"]:
        return problem("none", others=python["others"] or [])
    if python["missing"] is None or python["version"] is None:
        return guest_only()
    shown: dict[str, Any] = {"path": python["path"], "version": python["version"]}
    if backup_failed(job, jobs) is False:
        return ok(**shown)
    lines = _lines(logs, jobs)
    if "python_unknown" in lines:
        version = extension["newest"] if extension is not None else None
        return problem("not_found_by_extension", path=python["path"], extension=version or "-")
    if lines:
        return (
            problem("modules", missing=python["missing"], **shown) if python["missing"] else unknown("ended", **shown)
        )
    # Whatever it says, a status of this backup was written by the extension's Python.
    ran = is_of_the_failed_backup(extension, job, jobs)
    if python["missing"]:
        return ok(**shown) if ran and ended_well(extension) else unknown("lacks", missing=python["missing"], **shown)
    silent = logs is not None and logs["patterns"] is not None and reaches_back(logs, "shell.log", job, jobs)
    return ok(**shown) if ran or silent else unknown("not_proven", **shown)


def _lines(logs: GuestLogs | None, jobs: list[Job] | None) -> list[str]:
    """The lines by which the extension ended for want of Python, where no good backup began since."""
    patterns = (logs["patterns"] if logs is not None else None) or {}
    return [line for line in _PYTHON_LINES if line in patterns and not is_over(patterns[line]["last"], jobs)]
