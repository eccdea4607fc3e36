"""Addition: the Linux backup extension finds no Python that it can run with."""

from __future__ import annotations

from vmbackup.checks.base import Judgement, check, ok, problem, unknown
from vmbackup.checks.shared.named_fault import FAILURE, ended_well, judged
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
    file: the newest one may be of an earlier run, under an older Python.
    """
    failed = backup_failed(job, jobs) is not False
    return judged("extension_python", job, jobs, item, _in_guest(python, extension, _ends(logs, jobs), failed))


def _ends(logs: GuestLogs | None, jobs: list[Job] | None) -> bool | None:
    """Whether the extension ended for want of Python, and no good backup began since."""
    patterns = logs["patterns"] if logs is not None else None
    if patterns is None:
        return None
    return any(line in patterns and not is_over(patterns[line]["last"], jobs) for line in _PYTHON_LINES)


def _in_guest(
    python: LinuxPython | None, extension: GuestExtension | None, ends: bool | None, failed: bool
) -> Judgement | None:
    if python is None:
        return None
    ran = ended_well(extension)
    if python["path"] == "":
        return problem("none", others=python["others"])
    if python["missing"] is None or python["version"] is None:
        return None
    if not python["missing"] or (ran and (ends is False or not failed)):
        return ok(path=python["path"], version=python["version"])
    shown = {"path": python["path"], "version": python["version"], "missing": python["missing"]}
    return problem("modules", **shown) if ends and failed else unknown("lacks", **shown)
