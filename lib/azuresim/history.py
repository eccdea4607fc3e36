"""The past of a world: scheduled runs, their jobs and recovery points, before the first request arrives."""

from __future__ import annotations

from datetime import datetime, timedelta

from azuresim.answer import Json
from azuresim.failures import FAILURES
from azuresim.ids import guid, number
from azuresim.world import World

RUNS = 6
# A good run: the snapshot takes some minutes, the transfer most of the job.
SNAPSHOT = timedelta(minutes=4)
_DAYS = {"Daily": 1, "Weekly": 7}
DURATION = timedelta(minutes=62)


def write(world: World) -> None:
    """Fill in jobs and recovery points of every protected VM."""
    for index, machine in enumerate(world.machines):
        failure = world.spec.get("failure") if index == 0 else None
        if machine["item"] is not None:
            _scheduled(world, machine, failure)
        if index == 0:
            for job in world.spec.get("jobs", []):
                machine["jobs"].append(_given(world, machine, job))
        machine["jobs"].sort(key=lambda job: str(job["start"]), reverse=True)
        given = world.spec.get("recovery_points")
        if index == 0 and given is not None:
            machine["recovery_points"] = [
                {**recovery_point(world, machine, world.ago(point["hours_ago"]), point.get("type", "")), **_told(point)}
                for point in given
            ]


def _told(point: Json) -> Json:
    return {key: point[key] for key in ("tiers", "threat_status") if key in point}


def runs(world: World, machine: Json) -> list[datetime]:
    """The starts of the last scheduled runs, newest first; all of them began more than an hour ago."""
    policy = next(iter(world.policies.values()))
    hour, minute = (int(part) for part in policy["times"][0].split(":"))
    first = world.now.replace(hour=hour, minute=minute, second=0, microsecond=0)
    hours = range(0, policy["window_h"], policy["interval_h"]) if policy["frequency"] == "Hourly" else [0]
    wanted = world.spec.get("history", RUNS)
    starts = [first + timedelta(days=-day, hours=each) for day in range(-1, wanted + 2) for each in hours]
    # Azure does not start on the dot.
    late = timedelta(seconds=20 + number(90, world.name, machine["name"]), microseconds=number(10**6, machine["name"]))
    over = sorted((start for start in starts if start + timedelta(hours=1) <= world.now), reverse=True)
    return [start + late for start in over[:wanted]]


def interval_h(world: World) -> float:
    """The hours from one scheduled run to the next."""
    policy = next(iter(world.policies.values()))
    return float(policy["interval_h"] if policy["frequency"] == "Hourly" else _DAYS[policy["frequency"]] * 24)


def _scheduled(world: World, machine: Json, failure: Json | None) -> None:
    failing = failure.get("runs", 2) if failure else 0
    for index, start in enumerate(runs(world, machine)):
        if failure and index < failing:
            job = failed_job(world, machine, start, failure)
            if job["status"] == "CompletedWithWarnings":
                machine["recovery_points"].append(recovery_point(world, machine, start + SNAPSHOT))
            machine["jobs"].append(job)
        else:
            machine["jobs"].append(good_job(world, machine, start))
            machine["recovery_points"].append(recovery_point(world, machine, start + SNAPSHOT))


def new_job(world: World, machine: Json, start: datetime, **said: object) -> Json:
    """A job with everything a job has."""
    base: Json = {
        "name": guid(world.seed, world.name, machine["name"], "job", start, said.get("operation", "Backup")),
        "operation": "Backup",
        "status": "InProgress",
        "start": start,
        "end": None,
        "errors": [],
        "dynamic_message": "",
        "snapshot": "InProgress",
        "transfer": "NotStarted",
        "snapshot_s": 0.0,
        "user_triggered": False,
        "polls_left": None,
        "outcome": None,
    }
    return {**base, **said}


def good_job(world: World, machine: Json, start: datetime) -> Json:
    """A completed run."""
    return new_job(
        world,
        machine,
        start,
        status="Completed",
        end=start + DURATION,
        snapshot="Completed",
        transfer="Completed",
        snapshot_s=SNAPSHOT.total_seconds(),
    )


def failed_job(world: World, machine: Json, start: datetime, failure: Json) -> Json:
    """A run that ended as the world's ``failure`` says (``status`` may also be CompletedWithWarnings)."""
    minutes = failure.get("minutes", 27)
    status = failure.get("status", "Failed")
    return new_job(
        world,
        machine,
        start,
        status=status,
        end=start + timedelta(minutes=minutes),
        errors=job_errors(failure),
        dynamic_message=failure.get("dynamic_message", ""),
        snapshot="Failed" if status == "Failed" else "Completed",
        transfer="NotStarted" if status == "Failed" else "Completed",
        snapshot_s=minutes * 60.0,
    )


def job_errors(failure: Json) -> list[Json]:
    """The errors of a job; none at all for a failure of which nothing is known but that it happened."""
    error = job_error(failure)
    return [error] if any(error[key] for key in ("code", "title", "text")) else []


def job_error(failure: Json) -> Json:
    """One entry of a job's errors: known codes bring integer, message and recommendation of their own."""
    code = failure.get("code")
    known = FAILURES.get(code or "")
    return {
        "code": failure.get("integer", known.integer if known else 0) or None,
        "title": failure.get("title", code),
        "text": failure.get("message", known.message if known else code),
        "recommendations": failure.get("recommendations", [known.recommendation] if known else []),
    }


def _given(world: World, machine: Json, job: Json) -> Json:
    start = world.ago(job["hours_ago"])
    status = job.get("status", "InProgress")
    over = status not in ("InProgress", "Cancelling")
    minutes = job.get("minutes", 30)
    task = {"Completed": "Completed", "Failed": "Failed", "InProgress": "InProgress"}.get(status, "Completed")
    made = new_job(
        world,
        machine,
        start,
        operation=job.get("operation", "Backup"),
        status=status,
        end=start + timedelta(minutes=minutes) if over else None,
        errors=job.get("errors") or job_errors(job.get("failure", {})),
        dynamic_message=job.get("dynamic_message", job.get("failure", {}).get("dynamic_message", "")),
        snapshot=job.get("snapshot", task),
        transfer=job.get("transfer", "Completed" if status == "Completed" else "NotStarted"),
        snapshot_s=minutes * 60.0,
        user_triggered=job.get("user_triggered", False),
    )
    for error in made["errors"]:
        error.setdefault("recommendations", [])
    return made


def consistency(world: World, machine: Json) -> str:
    """The kind of recovery point this VM gives when nothing is wrong."""
    if machine["vm"]["power"] != "running":
        return "CrashConsistent"
    return str(
        world.spec.get("backup_consistency")
        or ("AppConsistent" if machine["os"] == "windows" else "FileSystemConsistent")
    )


def recovery_point(world: World, machine: Json, taken: datetime, kind: str = "") -> Json:
    """A recovery point; its kind is what the OS gives unless told otherwise."""
    usual = "AppConsistent" if machine["os"] == "windows" else "FileSystemConsistent"
    return {
        "name": str(10**13 + number(8 * 10**13, world.seed, world.name, machine["name"], taken)),
        "time": taken,
        "type": kind or usual,
    }
