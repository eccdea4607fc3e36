"""Azure Backup may not read the key vault of a VM that is encrypted in the guest."""

from __future__ import annotations

from typing import Any

import pytest

from judging import DENIED, disk, failed_job, job, outcome

ADE = {"vm__disks": [disk(encryption="ade")]}
PLAIN = {"vm__disks": [disk(), disk("data")]}
OPEN = {"vm__disks": [disk(), disk("data", encryption=None)]}


def failed(code: int | None, title: str | None) -> dict[str, Any]:
    return {"backup__failed_job": failed_job(code, title), "backup__jobs": [job("Failed")]}


NAMED = failed(None, "UserErrorKeyVaultPermissionsNotConfigured")
GENERIC = failed(400196, None)
GOOD = {"backup__failed_job": None, "backup__jobs": [job()]}


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        (ADE | NAMED, ("problem", "problem")),
        (ADE | failed(400198, None), ("problem", "problem")),
        (PLAIN | NAMED, ("problem", "problem")),
        (PLAIN | GENERIC, ("not_applicable", "not_applicable")),
        (ADE | GENERIC, ("unknown", "encrypted")),
        (ADE | failed(None, "UserErrorFsFreezeFailed"), ("ok", "another_fault")),
        (ADE | GOOD, ("ok", "nothing_failed")),
        (OPEN | GENERIC, ("unknown", "unknown")),
        ({"vm__disks": DENIED} | GENERIC, ("unknown", "unknown")),
        ({"vm__disks": DENIED} | NAMED, ("problem", "problem")),
        ({}, ("unknown", "unknown")),
    ],
)
def test_the_key_vault(facts: dict[str, Any], expected: tuple[str, str]) -> None:
    assert outcome("backup_may_read_the_key_vault", **facts) == expected
