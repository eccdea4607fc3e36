"""The VM's backup jobs: which are its own, and what Azure says of them."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest

from vmbackup.arm.errors import Unreadable
from vmbackup.collectors import collect
from vmbackup.collectors.jobs import is_about, job_filter, jobs_of, read_job
from vmbackup.model import FactStatus, Target
from worlds import examine, world

JSON = {"Content-Type": "application/json"}


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


@pytest.mark.parametrize("gone", ["status", "startTime"])
def test_a_job_without_status_or_start_hides_which_is_the_newest(gone: str) -> None:
    said = {"operation": "Backup", "status": "Failed", "startTime": "2026-11-22T23:00:00Z"}
    with pytest.raises(Unreadable):
        read_job({"name": "j", "properties": said | {gone: None}})


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


def test_the_list_holds_changes_of_protection_too(tmp_path: Path) -> None:
    jobs = "[{operation: ConfigureBackup, status: Failed, hours_ago: 2, failure: {code: UserErrorVmNotFoundV2}}]"
    (tmp_path / "configured.yaml").write_text(f"os: linux\njobs: {jobs}\n", "utf-8")
    newest = examine(str(tmp_path / "configured.yaml"))["backup.jobs"].data[0]
    assert (newest["operation"], newest["error_title"]) == ("ConfigureBackup", "UserErrorVmNotFoundV2")
