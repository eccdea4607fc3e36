"""Restore points are at their limit, or a lock keeps old ones from being removed."""

from __future__ import annotations

from typing import Any

import pytest

from judging import DENIED, outcome, policy

GROUP = "/subscriptions/s/resourceGroups/AzureBackupRG_westeurope_1"
VM_GROUP = "/subscriptions/s/resourceGroups/rg"


def collection(count: int | None = 2, group: str = GROUP) -> dict[str, Any]:
    return {
        "id": f"{group}/providers/Microsoft.Compute/restorePointCollections/AzureBackup_vm",
        "name": "AzureBackup_vm",
        "resource_group": group.rsplit("/", 1)[-1],
        "provisioning_state": "Succeeded",
        "restore_points": count,
    }


STANDARD = {"backup__policy": policy("V1")}
ENHANCED = {"backup__policy": policy("V2") | {"interval_h": 4, "instant_restore_days": 6}}


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({"vm__restore_points": []}, ("ok", "ok")),
        ({"vm__restore_points": [collection(17)]}, ("ok", "ok")),
        ({"vm__restore_points": [collection(18)]}, ("unknown", "policy_unknown")),
        ({"vm__restore_points": [collection(18)]} | STANDARD, ("problem", "problem")),
        ({"vm__restore_points": [collection(10), collection(8)]} | STANDARD, ("problem", "problem")),
        ({"vm__restore_points": [collection(None)]}, ("unknown", "unknown")),
        ({"vm__restore_points": [collection(None), collection(18)]}, ("unknown", "unknown")),
        # Under an Enhanced policy 42 are usual; what others made of the VM does not count.
        ({"vm__restore_points": [collection(42)]} | ENHANCED, ("ok", "enhanced")),
        ({"vm__restore_points": [collection(60)]} | ENHANCED, ("unknown", "many")),
        ({"vm__restore_points": [collection(30, VM_GROUP) | {"name": "own"}]} | STANDARD, ("ok", "ok")),
        ({"vm__restore_points": DENIED}, ("unknown", "unanswered")),
        ({}, ("unknown", "not_collected")),
    ],
)
def test_the_limit(facts: dict[str, Any], expected: tuple[str, str]) -> None:
    assert outcome("restore_points_are_below_the_limit", **facts) == expected


def lock(scope: str, level: str = "CanNotDelete") -> dict[str, Any]:
    return {"name": "keep", "level": level, "scope": scope}


@pytest.mark.parametrize(
    ("locks", "collections", "expected"),
    [
        ([], [collection()], ("ok", "ok")),
        ([lock(GROUP)], [collection()], ("problem", "problem")),
        ([lock(GROUP.upper(), "ReadOnly")], [collection()], ("problem", "problem")),
        ([lock(GROUP)], [], ("unknown", "no_collection_yet")),
        ([lock("/subscriptions/s")], [collection()], ("problem", "problem")),
        ([lock("/subscriptions/s")], [], ("ok", "ok")),
        ([lock(VM_GROUP)], [collection()], ("ok", "ok")),
        ([lock(VM_GROUP)], [collection(group=VM_GROUP)], ("problem", "problem")),
        ([lock(collection()["id"])], [collection()], ("problem", "problem")),
        ([lock(f"{VM_GROUP}/providers/Microsoft.Compute/virtualMachines/vm")], [collection()], ("ok", "ok")),
        ([lock(f"{GROUP}0")], [collection()], ("ok", "ok")),
        (DENIED, [collection()], ("unknown", "unanswered")),
        ([lock(GROUP)], DENIED, ("unknown", "unanswered")),
    ],
)
def test_locks(locks: Any, collections: Any, expected: tuple[str, str]) -> None:
    facts = {"vm__locks": locks, "vm__restore_points": collections}
    assert outcome("no_lock_blocks_restore_points", **facts) == expected


@pytest.mark.parametrize(("prefix", "verdict"), [("BackupRG", "unknown"), (None, "ok")])
def test_the_policy_may_name_the_group_otherwise(prefix: str | None, verdict: str) -> None:
    facts = {"vm__locks": [lock("/subscriptions/s/resourceGroups/backuprg1")], "vm__restore_points": []}
    wanted = policy() | {"restore_point_group_prefix": prefix}
    assert outcome("no_lock_blocks_restore_points", **facts, backup__policy=wanted)[0] == verdict
