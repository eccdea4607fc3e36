"""The backup that runs now, and how far it is."""

from __future__ import annotations

from datetime import datetime

from vmbackup import clock
from vmbackup.arm.wire import entries, text
from vmbackup.collectors.base import ABSENT, Answers, Ask, collector
from vmbackup.collectors.jobs import READ_JOBS, job_in_full
from vmbackup.facts.backup import Job, Protection, RunningJob
from vmbackup.failures.jobs import running_backup


@collector("backup.running_job", needs=("backup.protection", "backup.jobs"), actions=(READ_JOBS,))
def running_job(ask: Ask, protected: Protection, listed: list[Job]) -> Answers:
    """The backup that runs now and how far it is, else absent."""
    running = running_backup(listed)
    if running is None:
        return {"backup.running_job": ABSENT}
    response = job_in_full(ask.arm, protected["vault_id"], running["name"])
    return {"backup.running_job": read_running_job(running, response.body if response.found else None, ask.now)}


def read_running_job(job: Job, wire: object, now: datetime) -> RunningJob:
    """The job of the list, and ``GET backupJobs/{job}`` as far as it is there."""
    start, tasks = clock.parse(job["start"]), entries(wire, "properties", "extendedInfo", "tasksList")
    snapshot = [text(each, "status") for each in tasks if "snapshot" in (text(each, "taskId") or "").lower()]
    return {
        "name": job["name"],
        "status": job["status"],
        "start": job["start"],
        "running_s": (now - start).total_seconds() if start else None,
        "taking_snapshot": (snapshot[0] or "").lower() != "completed" if snapshot else None,
    }
