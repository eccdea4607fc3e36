"""Backup jobs: which are this VM's, which failure is looked at, and what Azure says of it."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest

from saying import refused
from vmbackup.arm.errors import Unreadable
from vmbackup.collectors import collect, failed_jobs
from vmbackup.collectors.jobs import (
    is_about,
    job_filter,
    jobs_of,
    read_failed_job,
    read_failed_row,
    read_job,
    read_running_job,
    since_last_good,
)
from vmbackup.facts.backup import Job
from vmbackup.model import Fact, FactStatus, Target
from worlds import examine, world

JSON = {"Content-Type": "application/json"}
UNKNOWN_JOB = "00000000-0000-0000-0000-000000000000"


@pytest.mark.parametrize(
    ("hour", "said"),
    [(0, "12:00:00 AM"), (3, "03:00:00 AM"), (12, "12:00:00 PM"), (23, "11:00:00 PM")],
)
def test_the_filter_has_twelve_hours_and_an_english_half_of_the_day(hour: int, said: str) -> None:
    assert f"startTime eq '2026-11-09 {said}'" in job_filter(datetime(2026, 11, 23, hour, tzinfo=timezone.utc))


def test_the_filter_takes_both_kinds_of_vm_jobs() -> None:
    """AzureIaaSVMJob and AzureIaaSVMJobV2 share the management type; a filter on one job type would miss the other."""
    asked = job_filter(datetime(2026, 11, 23, tzinfo=timezone.utc), "Failed")
    assert "backupManagementType eq 'AzureIaasVM'" in asked
    assert "jobType" not in asked
    assert asked.endswith("and status eq 'Failed'")


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


@pytest.mark.parametrize("gone", ["status", "startTime"])
def test_a_job_without_status_or_start_hides_which_is_the_newest(gone: str) -> None:
    said = {"operation": "Backup", "status": "Failed", "startTime": "2026-11-22T23:00:00Z"}
    with pytest.raises(Unreadable):
        read_job({"name": "j", "properties": said | {gone: None}})


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


@pytest.mark.parametrize(
    ("said", "about"),
    [
        ({"containerName": "iaasvmcontainer;iaasvmcontainerv2;RG;Web"}, True),
        ({"containerName": "IaasVMContainerV2;rg;web"}, True),
        ({"containerName": "iaasvmcontainerv2;rg;web", "entityFriendlyName": "other"}, True),
        ({"entityFriendlyName": "WEB"}, True),
        ({"containerName": "web"}, True),
        ({"containerName": "iaasvmcontainerv2;rg;eb"}, False),
        ({"containerName": "iaasvmcontainerv2;rg;my-web"}, False),
        ({"containerName": "iaasvmcontainerv2;prod-rg;web"}, False),
        ({"containerName": "iaasvmcontainerv2;prod-rg;web", "entityFriendlyName": "web"}, False),
        ({"containerName": "eb"}, False),
        ({"containerName": "eb", "entityFriendlyName": "eb"}, False),
        ({"entityFriendlyName": "eb"}, False),
    ],
)
def test_a_job_is_a_vms_by_its_whole_name(said: dict[str, str], about: bool) -> None:
    assert is_about({"properties": said}, Target("s", "rg", "web")) is about


@pytest.mark.parametrize("said", [{}, {"containerName": ""}, {"entityFriendlyName": None}])
def test_a_job_that_names_no_vm_could_be_any_vms(said: dict[str, Any]) -> None:
    with pytest.raises(Unreadable):
        is_about({"properties": said}, Target("s", "rg", "web"))


def test_a_vm_whose_name_ends_anothers_has_none_of_its_jobs() -> None:
    with world("agent_stopped_linux") as (_, azure, target):
        protected = collect(azure, target, deadline_s=20, only=["backup.protection"])["backup.protection"].data
        assert jobs_of(azure, target, protected).entries
        assert jobs_of(azure, replace(target, vm_name=target.vm_name[-5:]), protected).entries == []


def test_a_job_of_another_vm_is_refused() -> None:
    with world("snapshot_same_schedule_linux") as (_, azure, target):
        failed = failed_jobs(azure).data[0]
        neighbours = collect(azure, target, deadline_s=20, only=["backup.neighbours"])["backup.neighbours"].data
        other = Target(target.subscription_id, target.resource_group, neighbours["same_time"][0]["name"])
        with refused(f"not about {other.vm_name}"):
            collect(azure, other, deadline_s=20, failure=failed["name"])


@pytest.mark.parametrize("by_vault", [True, False])
def test_failed_jobs_are_listed_with_vm_code_and_text(by_vault: bool) -> None:
    with world("agent_stopped_linux") as (simulator, azure, target):
        protection = collect(azure, target, deadline_s=20, only=["backup.protection"])["backup.protection"].data
        rows = failed_jobs(azure, protection["vault_id"] if by_vault else None).data
    assert rows
    for row in rows:
        assert row["vm_id"].lower() == target.vm_id.lower()
        assert row["vault_id"].lower() == protection["vault_id"].lower()
        assert row["code"]
        assert row["text"]
    assert [row["time"] for row in rows] == sorted((row["time"] for row in rows), reverse=True)


def test_no_failed_jobs_are_an_empty_list() -> None:
    with world("healthy_linux") as (_, azure, _target):
        assert failed_jobs(azure) == Fact(FactStatus.OK, [])


@pytest.mark.parametrize(
    ("fault", "why"),
    [
        ("status: 403, code: AuthorizationFailed", "missing_action"),
        ("status: 500, code: InternalServerError", "server_error"),
        ("mode: cut_off", "cut_off"),
        ("mode: plain, status: 200, body: '{}', headers: {Content-Type: application/json}", "unreadable"),
        ("mode: plain, status: 200, body: <html>", "unreadable"),
    ],
)
@pytest.mark.parametrize("by_vault", [True, False])
def test_failed_jobs_that_cannot_be_read_are_said_to_be_so(
    tmp_path: Path, fault: str, why: str, by_vault: bool
) -> None:
    (tmp_path / "broken.yaml").write_text(
        f"os: linux\nfaults:\n- {{match: 'resourceGraph|backupJobs', {fault}}}\n", "utf-8"
    )
    with world(tmp_path / "broken.yaml") as (simulator, azure, target):
        vault_id = (
            f"{target.vm_id.partition('/providers/')[0]}/providers/Microsoft.RecoveryServices/vaults/vault-broken"
        )
        fact = failed_jobs(azure, vault_id if by_vault else None)
    assert (fact.answered, fact.why) == (False, why)


def test_failed_jobs_of_a_subscription_that_does_not_exist_are_not_none() -> None:
    with world("healthy_linux") as (_, azure, _target):
        azure.subscription_id = "11111111-2222-3333-4444-555555555555"
        with refused("does not know the subscription"):
            failed_jobs(azure)


def test_failed_jobs_of_a_vault_that_does_not_exist_are_not_none() -> None:
    with world("healthy_linux") as (_, azure, target):
        vault_id = f"{target.vm_id.partition('/providers/')[0]}/providers/Microsoft.RecoveryServices/vaults/nowhere"
        with refused("does not know the vault"):
            failed_jobs(azure, vault_id)


@pytest.mark.parametrize(
    ("wire", "vm_id"),
    [
        ({"properties": {"containerName": "iaasvmcontainerv2;rg;vm"}, "id": "/subscriptions/s/x/backupJobs/j"}, True),
        ({"properties": {"containerName": None, "entityFriendlyName": "vm"}}, False),
        ({}, False),
    ],
)
def test_a_row_builds_the_vms_id_only_where_the_job_names_it(wire: Any, vm_id: bool) -> None:
    assert (read_failed_row(wire)["vm_id"] is not None) is vm_id


def test_without_the_right_to_read_jobs_the_failure_is_not_called_absent() -> None:
    with world("error_403_vault_jobs") as (_, azure, target):
        evidence = collect(azure, target, deadline_s=20, only=["backup.failed_job", "backup.jobs"])
    assert evidence["backup.jobs"].status is FactStatus.DENIED
    assert evidence["backup.failed_job"].status is FactStatus.SKIPPED


@pytest.mark.parametrize(
    ("job", "says"),
    [
        ({"operation": "Backup", "status": None, "startTime": "2026-11-22T23:00:00Z"}, "status or start"),
        ({"operation": None, "status": "Failed", "startTime": "2026-11-22T23:00:00Z"}, "does not say its operation"),
        ({"operation": "Backup", "status": "Failed", "startTime": "soon"}, "status or start"),
        ({"operation": "Backup", "status": "Failed", "entityFriendlyName": None}, "which VM"),
    ],
)
def test_a_job_that_leaves_out_what_decides_is_not_taken_for_no_failure(
    tmp_path: Path, job: dict[str, Any], says: str
) -> None:
    named = {"jobType": "AzureIaaSVMJob", "entityFriendlyName": "vm-thin", **job}
    body = json.dumps({"value": [{"name": "j", "id": "/subscriptions/s/x/backupJobs/j", "properties": named}]})
    fault = {"match": "backupJobs$", "mode": "plain", "status": 200, "body": body, "headers": JSON}
    (tmp_path / "thin.yaml").write_text(json.dumps({"os": "linux", "faults": [fault]}), "utf-8")
    with world(tmp_path / "thin.yaml") as (_, azure, target):
        evidence = collect(azure, target, deadline_s=20, only=["backup.jobs", "backup.failed_job"])
    assert evidence["backup.jobs"].why == "unreadable"
    assert says in evidence["backup.jobs"].details["detail"]
    assert evidence["backup.failed_job"].status is FactStatus.SKIPPED


@pytest.mark.parametrize(
    ("jobs", "expected"),
    [
        ("[{status: InProgress, hours_ago: 4}]", (14400.0, True)),
        ("[{status: InProgress, hours_ago: 4, snapshot: Completed, transfer: InProgress}]", (14400.0, False)),
    ],
)
def test_a_running_backup_says_how_long_and_whether_it_still_takes_its_snapshot(
    tmp_path: Path, jobs: str, expected: tuple[float, bool]
) -> None:
    (tmp_path / "running.yaml").write_text(f"os: linux\njobs: {jobs}\n", "utf-8")
    found = examine(str(tmp_path / "running.yaml"))["backup.running_job"].data
    assert (found["running_s"], found["taking_snapshot"]) == expected


def test_a_running_job_without_tasks_does_not_say_what_it_does() -> None:
    job = read_job(
        {
            "name": "j",
            "properties": {"operation": "Backup", "status": "InProgress", "startTime": "2026-11-22T23:00:00Z"},
        }
    )
    now = datetime(2026, 11, 23, 3, tzinfo=timezone.utc)
    assert read_running_job(job, None, now)["taking_snapshot"] is None


def test_the_list_holds_changes_of_protection_too(tmp_path: Path) -> None:
    jobs = "[{operation: ConfigureBackup, status: Failed, hours_ago: 2, failure: {code: UserErrorVmNotFoundV2}}]"
    (tmp_path / "configured.yaml").write_text(f"os: linux\njobs: {jobs}\n", "utf-8")
    newest = examine(str(tmp_path / "configured.yaml"))["backup.jobs"].data[0]
    assert (newest["operation"], newest["error_title"]) == ("ConfigureBackup", "UserErrorVmNotFoundV2")
