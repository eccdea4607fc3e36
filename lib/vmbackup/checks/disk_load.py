"""Addition: the VM's disks are throttled while the snapshot is taken."""

from __future__ import annotations

from typing import Any

from vmbackup.catalog.knowledge import number
from vmbackup.checks.base import Judgement, check, ok, problem, unknown
from vmbackup.facts.backup import FailedJob, Job
from vmbackup.facts.vm import Metrics
from vmbackup.failures.jobs import backup_failed

_SERIES = (
    "OS Disk IOPS Consumed Percentage",
    "Data Disk IOPS Consumed Percentage",
    "VM Uncached IOPS Consumed Percentage",
)


@check("vm.metrics", optional=("backup.failed_job", "backup.jobs"), knows=("throttled_pct", "throttled_share_pct"))
def disk_iops_leave_room_during_snapshot(
    metrics: Metrics | None, job: FailedJob | None, jobs: list[Job] | None
) -> Judgement:
    """Neither a disk nor the VM is at its limit of operations per second for most of the snapshot."""
    shares = {name: _share(metrics, name) for name in _SERIES}
    seen = {name: share for name, share in shares.items() if share is not None}
    if metrics is None or not seen:
        return unknown()
    if backup_failed(job, jobs) is False:
        return ok("nothing_failed")
    if metrics["window"] == "last_hour":
        return unknown("only_last_hour")
    worst = max(seen, key=lambda name: seen[name])
    shown: dict[str, Any] = {"metric": worst, "share": round(100 * seen[worst]), "limit": number("throttled_pct")}
    return problem(**shown) if 100 * seen[worst] >= number("throttled_share_pct") else ok(**shown)


def _share(metrics: Metrics | None, name: str) -> float | None:
    series = metrics["series"].get(name) if metrics else None
    values = [value for _, value in series["points"]] if series else []
    return sum(value >= number("throttled_pct") for value in values) / len(values) if values else None
