"""Which failure is looked at, and what Azure says of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from saying import refused
from vmbackup.collectors import collect, failed_jobs
from vmbackup.collectors.failed_job import read_failed_job, since_last_good
from vmbackup.collectors.jobs import read_job
from vmbackup.facts.backup import Job
from vmbackup.model import FactStatus, Target
from worlds import world

UNKNOWN_JOB = "00000000-0000-0000-0000-000000000000"


def jobs(*said: str) -> list[Job]:
    """Jobs from newest to oldest, each written ``name:status``, named like the day they ran."""
    wires = []
    for day, each in zip(range(22, 0, -1), said, strict=False):
        name, status = each.split(":")
        start = f"2026-11-{day:02}T23:00:00Z"
        wires.append({"name": name, "properties": {"operation": "Backup", "status": status, "startTime": start}})
    return [read_job(wire) for wire in wires]


@pytest.mark.parametrize(
    ("listed", "named", "bad"),
    [
        ([], None, []),
        (["a:Completed", "b:Failed"], None, []),
        (["a:Failed", "b:Completed", "c:Failed"], None, ["a"]),
        (["a:Failed", "b:CompletedWithWarnings", "c:Completed"], None, ["a", "b"]),
        (["a:InProgress", "b:Failed", "c:Completed"], None, ["b"]),
        (["a:Cancelled", "b:Failed", "c:Cancelled", "d:Failed"], None, ["b", "d"]),
        (["a:Failed", "b:Completed", "c:Failed", "d:Failed", "e:Completed"], "c", ["c", "d"]),
        (["a:Failed", "b:Failed"], "b", ["b"]),
        (["a:Failed", "b:Completed"], "b", []),
        (["a:Failed"], "older-than-the-list", []),
    ],
)
def test_failures_count_since_the_last_good_backup_up_to_the_named_job(
    listed: list[str], named: str | None, bad: list[str]
) -> None:
    assert [job["name"] for job in since_last_good(jobs(*listed), named)] == bad


def test_other_operations_are_no_backups() -> None:
    wire = {"properties": {"operation": "Restore", "status": "Failed", "startTime": "2026-11-22T23:00:00Z"}}
    assert since_last_good([read_job(wire)]) == []


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ("00:20:23.0896697", 1223.0896697),
        ("PT7M44.0936152S", 464.0936152),
        ("1.02:00:00", 93600.0),
        ("PT0S", None),
        (None, None),
        ("soon", None),
    ],
)
def test_a_task_lasts_as_long_as_azure_says_and_nothing_is_not_zero(said: str | None, seconds: float | None) -> None:
    wire = {"properties": {"extendedInfo": {"tasksList": [{"taskId": "Take Snapshot", "duration": said}]}}}
    assert read_failed_job(wire)["tasks"] == [{"name": "Take Snapshot", "status": None, "duration_s": seconds}]


def test_an_error_keeps_integer_title_text_and_advice() -> None:
    said = {"errorCode": 400196, "errorTitle": "t", "errorString": "s", "recommendations": ["r", None]}
    [error] = read_failed_job({"properties": {"errorDetails": [said]}})["errors"]
    assert error == {"code": 400196, "title": "t", "text": "s", "recommendations": ["r"]}


@pytest.mark.parametrize(
    "wire", [{}, {"properties": None}, {"properties": {"errorDetails": None, "extendedInfo": None}}]
)
def test_a_job_without_details_is_read_as_such(wire: Any) -> None:
    assert read_failed_job(wire)["errors"] == []


def test_a_state_that_nobody_knows_is_not_taken_for_a_good_backup(tmp_path: Path) -> None:
    path = tmp_path / "paused.yaml"
    path.write_text("os: linux\nfailure: {code: null, status: Paused, runs: 1}\n", "utf-8")
    with world(str(path)) as (_, azure, target):
        evidence = collect(azure, target, deadline_s=20, only=["backup.failed_job", "backup.jobs"])
    assert evidence["backup.jobs"].data[0]["status"] == "Paused"
    assert evidence["backup.failed_job"].status is FactStatus.FAILED


def test_the_newest_failure_is_read_in_full() -> None:
    with world("agent_stopped_linux") as (_, azure, target):
        evidence = collect(azure, target, deadline_s=20, only=["backup.failed_job", "backup.jobs"])
    job, listed = evidence["backup.failed_job"].data, evidence["backup.jobs"].data
    failed = [each for each in listed if each["status"] == "Failed"]
    assert job["name"] == failed[0]["name"]
    assert job["first_failure"] == failed[-1]["start"]
    assert job["errors"]
    assert [task["name"] for task in job["tasks"]] == ["Take Snapshot", "Transfer data to vault"]


def test_the_operator_may_name_an_older_failure() -> None:
    with world("agent_stopped_linux") as (_, azure, target):
        listed = collect(azure, target, deadline_s=20, only=["backup.jobs"])["backup.jobs"].data
        older = [each for each in listed if each["status"] == "Failed"][-1]["name"]
        evidence = collect(azure, target, deadline_s=20, failure=older, only=["backup.failed_job"])
    assert evidence["backup.failed_job"].data["name"] == older


def test_a_job_that_the_vault_does_not_have_is_refused_and_not_called_absent() -> None:
    with world("agent_stopped_linux") as (_, azure, target), refused("has no job"):
        collect(azure, target, deadline_s=20, failure=UNKNOWN_JOB)


def test_a_job_of_another_vm_is_refused() -> None:
    with world("snapshot_same_schedule_linux") as (_, azure, target):
        failed = failed_jobs(azure).data[0]
        neighbours = collect(azure, target, deadline_s=20, only=["backup.neighbours"])["backup.neighbours"].data
        other = Target(target.subscription_id, target.resource_group, neighbours["same_time"][0]["name"])
        with refused(f"not about {other.vm_name}"):
            collect(azure, other, deadline_s=20, failure=failed["name"])


def test_without_the_right_to_read_jobs_the_failure_is_not_called_absent() -> None:
    with world("error_403_vault_jobs") as (_, azure, target):
        evidence = collect(azure, target, deadline_s=20, only=["backup.failed_job", "backup.jobs"])
    assert evidence["backup.jobs"].status is FactStatus.DENIED
    assert evidence["backup.failed_job"].status is FactStatus.SKIPPED
