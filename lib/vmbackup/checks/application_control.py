"""Addition: application control or antivirus blocks the Windows backup extension."""

from __future__ import annotations

from vmbackup.checks.base import Judgement, check, guest_only, ok, problem, unknown
from vmbackup.checks.shared.sight import whole
from vmbackup.facts.backup import Job
from vmbackup.facts.windows import ApplicationControl, Crashes
from vmbackup.failures.jobs import is_over

_PROGRAM = "iaasbcdrextension"


@check(optional=("backup.jobs", "guest.application_control", "guest.crashes"), os="windows", then=True)
def backup_extension_may_run(
    jobs: list[Job] | None, control: ApplicationControl | None, crashes: Crashes | None
) -> Judgement:
    """Nothing keeps the backup extension's program, IaaSBcdrExtension.exe, from running."""
    for block in (control["blocked"] if control is not None else None) or []:
        if not is_over(block["last"], jobs):
            return problem("blocked", program=block["program"], source=block["source"], last=block["last"])
    events = crashes["events"] if crashes is not None else None
    for crash in events or []:
        if _PROGRAM in (crash["name"] or "").lower() and not is_over(crash["last"], jobs):
            return problem("crashed", program=crash["name"], last=crash["last"])
    if control is None or crashes is None or control["blocked"] is None or events is None:
        return guest_only()
    seen = whole(control["cut"], "blocked") and whole(crashes["cut"], "events")
    return ok() if seen else unknown("not_all_seen")
