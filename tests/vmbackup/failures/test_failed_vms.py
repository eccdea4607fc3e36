"""One row per VM: since when it fails, its last good backup, and whether it has recovered."""

from __future__ import annotations

from typing import Any

from vmbackup.failures.failed_vms import failed_vms, vm_without_jobs

VM = "/subscriptions/s/resourceGroups/{}/providers/Microsoft.Compute/virtualMachines/web"
A, B = VM.format("a"), VM.format("b")


def job(vm_id: str | None, day: int, title: str = "UserErrorGuestAgentStatusUnavailable") -> dict[str, Any]:
    times = {"name": f"job-{day}", "time": f"2026-11-{day}T23:00:00Z"}
    return {**times, "vm_id": vm_id, "vm_name": "web", "vault_id": "/v", "code": 1, "title": title, "text": None}


def backup(vm_id: str, last_good: int, completed: int | None = None) -> dict[str, Any]:
    ended = f"2026-11-{completed}T23:00:00Z" if completed else None
    return {"vm_id": vm_id, "last_good": f"2026-11-{last_good}T23:30:00Z", "completed": ended}


def test_a_vm_fails_since_the_first_failed_job_after_its_last_good_backup() -> None:
    [row] = failed_vms([job(A, 24), job(A.upper(), 23), job(A, 20)], [backup(A, 21)])
    assert (row.failed_since, row.last_good) == ("2026-11-23T23:00:00Z", "2026-11-21T23:30:00Z")
    assert (row.recovered_at, row.section, row.code) == (
        None,
        "agent_unreachable",
        "1 UserErrorGuestAgentStatusUnavailable",
    )
    assert row.job
    assert row.job["name"] == "job-24"


def test_what_the_vault_does_not_say_is_not_known_and_no_recovery() -> None:
    [row] = failed_vms([job(A, 24), job(A, 20)], [backup(B, 25, 25)])
    assert (row.failed_since, row.last_good, row.recovered_at) == ("2026-11-20T23:00:00Z", None, None)


def test_a_newer_recovery_point_alone_is_no_recovery() -> None:
    [row] = failed_vms([job(A, 24)], [backup(A, 25)])
    assert (row.failed_since, row.recovered_at) == ("2026-11-24T23:00:00Z", None)


def test_a_backup_that_completed_after_the_last_failure_is_one_and_comes_last() -> None:
    first, second = failed_vms([job(A, 24), job(A, 23), job(B, 22)], [backup(A, 25, 25), backup(B, 21)])
    assert (first.vm_id, first.recovered_at) == (B, None)
    assert (second.recovered_at, second.failed_since) == ("2026-11-25T23:00:00Z", "2026-11-23T23:00:00Z")


def test_vms_of_one_name_are_told_apart_also_without_an_id() -> None:
    rows = failed_vms([job(A, 24), job(B, 24), job(None, 24)], [])
    assert len({row.key for row in rows}) == 3
    assert [row.group for row in rows] == ["a", "b", ""]


def test_a_vm_without_failed_jobs_has_a_row_when_it_was_named() -> None:
    row = vm_without_jobs(A, [backup(A, 25), backup(B, 26)])
    assert (row.name, row.job, row.last_good) == ("web", None, "2026-11-25T23:30:00Z")
