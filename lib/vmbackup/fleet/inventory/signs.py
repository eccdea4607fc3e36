"""Which VMs need to be examined: those with a sign of a problem, and those of which something is not known. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from vmbackup import clock
from vmbackup.checks.base import load, run
from vmbackup.checks.consistency import recovery_points_have_the_wanted_consistency as consistency
from vmbackup.failures.jobs import last_good_start, newest_finished, running_backup, went_wrong
from vmbackup.fleet.inventory.model import OpenSign
from vmbackup.model import Evidence, Verdict, data_of, operating_system
from vmbackup.remedies.retry.schedule import late_after_h, longest_gap_h

_NEEDED = ("backup.item", "backup.jobs", "backup.policy")


def signs_of_lists(known: Evidence, now: str | None) -> list[OpenSign]:
    """Why a VM needs to be examined by what the lists say; none where its last backup was good and in time, and nothing
    else is open. ``now`` is Azure's time."""
    item = data_of(known, "backup.item")
    missing = not_known(known, _NEEDED)
    if missing or item is None:
        return [*missing, *_of_item(item)]
    jobs = known["backup.jobs"].data or []
    return [*_of_item(item), *_of_jobs(jobs), *_of_time(known, jobs, now)]


def not_known(known: Evidence, names: tuple[str, ...]) -> list[OpenSign]:
    """A sign where any of these facts is unknown or cut; else none."""
    facts = [known.get(name) for name in names]
    missing = [name for name, fact in zip(names, facts, strict=True) if not fact or fact.data is None or fact.is_cut]
    return [OpenSign("not_known", {"facts": ", ".join(missing)})] if missing else []


def _of_item(item: Any) -> Iterator[OpenSign]:
    """What the vault itself says of the VM."""
    if item is None:
        return
    if item["soft_deleted"]:
        yield OpenSign("soft_deleted")
    good = {"protection_state": "protected", "protection_status": "healthy", "health_status": "passed"}
    for name, wanted in {**good, "last_backup_status": "completed"}.items():
        if (item[name] or "").lower() != wanted:
            yield OpenSign(name, {"state": item[name] or "?"})


def _of_jobs(jobs: Any) -> Iterator[OpenSign]:
    newest, good = newest_finished(jobs), last_good_start(jobs)
    if newest is None or good is None:
        yield OpenSign("no_good_backup")
        return
    if (newest["status"] or "").lower() != "completed":
        yield OpenSign("last_backup", {"state": newest["status"] or "?", "time": newest["start"] or "?"})
    if any(went_wrong(job) and (clock.stamp(job["start"]) or "") > good for job in jobs):
        yield OpenSign("job_failed")
    if running_backup(jobs) is not None:
        yield OpenSign("backup_runs")


def _of_time(known: Evidence, jobs: Any, now: str | None) -> Iterator[OpenSign]:
    """Whether the vault and the list agree on the last backup, and whether it is late."""
    item, good = known["backup.item"].data, last_good_start(jobs)
    if good is None:
        return
    newest = newest_finished(jobs)
    if (clock.stamp(item["last_backup_time"]) or "") > (clock.stamp(newest["start"]) or "" if newest else ""):
        yield OpenSign("lists_differ", {"time": item["last_backup_time"] or "?"})
    longest_h, age = longest_gap_h(known["backup.policy"].data), clock.seconds_between(good, now)
    if longest_h is None or age is None:
        yield OpenSign("not_known", {"facts": "backup.policy"})
    elif age / 3600 > late_after_h(longest_h):
        yield OpenSign("overdue", {"hours": f"{age / 3600:.0f}"})


def signs_of_points(known: Evidence) -> list[OpenSign]:
    """A sign where there is no recovery point, or the newest is not known to be as consistent as required."""
    missing = not_known(known, ("backup.recovery_points", "vm.model"))
    if missing:
        return missing
    points = known["backup.recovery_points"].data
    if not points:
        return [OpenSign("no_recovery_point")]
    judged = run(load()[consistency.__name__], known, operating_system(known))
    if judged.verdict is Verdict.OK:
        return []
    newest = max(points, key=lambda point: point["time"] or "")
    return [OpenSign("consistency", {"type": newest["type"] or "?", "time": newest["time"] or "?"})]
