"""Azure Backup may not read the key vault of a VM that is encrypted in the guest."""

from __future__ import annotations

from typing import Any

import pytest

from judging import DENIED, disk, outcome

ADE = {"vm__disks": [disk(encryption="ade")]}
PLAIN = {"vm__disks": [disk(), disk("data")]}
OPEN = {"vm__disks": [disk(), disk("data", encryption=None)]}


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        (PLAIN, ("not_applicable", "not_applicable")),
        (ADE, ("unknown", "encrypted")),
        (OPEN, ("unknown", "unknown")),
        ({"vm__disks": DENIED}, ("unknown", "unanswered")),
        ({}, ("unknown", "not_collected")),
    ],
)
def test_the_key_vault(facts: dict[str, Any], expected: tuple[str, str]) -> None:
    assert outcome("backup_may_read_the_key_vault", **facts) == expected
