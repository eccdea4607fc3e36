from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from saying import refused
from vmbackup.collectors import collect, failed_jobs
from vmbackup.collectors.recent_failures import read_failed_row
from vmbackup.model import Fact, FactStatus
from worlds import world


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
