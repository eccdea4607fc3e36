"""What happened to the VM: the activity log around the first failure, and Resource Health."""

from __future__ import annotations

from typing import Any

import pytest

from vmbackup.collectors.activity import read_event, read_health, restore_point_groups
from worlds import examine


@pytest.mark.parametrize(
    ("said", "read"),
    [
        ({"operationName": {"value": "VM/write"}}, {"operation": "VM/write", "status": None, "message": None}),
        (
            {"status": {"value": "Failed"}, "subStatus": {"value": "Forbidden"}},
            {"status": "Failed", "code": "Forbidden"},
        ),
        ({"properties": {"statusMessage": "because"}}, {"message": "because"}),
        ({"description": "d", "properties": None}, {"message": "d"}),
        ({"eventTimestamp": "2026-11-22T01:02:03.4567891Z"}, {"time": "2026-11-22T01:02:03Z"}),
    ],
)
def test_an_event_keeps_who_what_when_and_why(said: dict[str, Any], read: dict[str, Any]) -> None:
    event = read_event(said)
    assert {name: event[name] for name in read} == read  # type: ignore[literal-required]


@pytest.mark.parametrize(
    ("properties", "state", "since"),
    [
        (
            {"availabilityState": "Unavailable", "occuredTime": "2026-11-22T01:00:00Z"},
            "Unavailable",
            "2026-11-22T01:00:00Z",
        ),
        ({"availabilityState": None}, "Unknown", None),
        (None, "Unknown", None),
    ],
)
def test_health_that_is_not_said_is_unknown(properties: Any, state: str, since: str | None) -> None:
    health = read_health({"properties": properties})
    assert (health["state"], health["since"]) == (state, since)


def test_the_log_is_asked_for_the_day_before_the_first_failure() -> None:
    evidence = examine("azure_policy_denies_linux")
    of_restore_points, how = evidence["vm.activity"].how
    first = evidence["backup.failed_job"].data["first_failure"]
    assert first == "2026-11-21T23:01:02Z" or first.startswith("2026-11-2")
    day_before = f"2026-11-{int(first[8:10]) - 1:02}{first[10:]}"
    assert f"eventTimestamp ge '{day_before}'" in how
    assert "resourceGroupName eq 'AzureBackupRG_westeurope_1'" in of_restore_points
    assert evidence["vm.activity"].data[0]["code"] == "RequestDisallowedByPolicy"


COLLECTION = {"id": "/c", "name": "c", "resource_group": "kept-here", "provisioning_state": None, "restore_points": 1}


def test_the_restore_points_group_is_where_they_are_or_would_be_made() -> None:
    evidence = examine("healthy_linux")
    policy, model = evidence["backup.policy"].data, evidence["vm.model"].data
    own = {**policy, "restore_point_group_prefix": "backup-", "restore_point_group_suffix": "-x"}
    assert restore_point_groups([COLLECTION], own, model) == ["kept-here"]  # type: ignore[list-item]
    assert restore_point_groups([], own, model) == ["backup-1-x"]
    assert restore_point_groups(None, policy, model) == ["AzureBackupRG_westeurope_1"]
    assert restore_point_groups(None, None, None) == []


def test_without_a_failure_it_is_asked_for_the_last_day_and_may_be_empty() -> None:
    fact = examine("healthy_linux")["vm.activity"]
    assert "eventTimestamp ge '2026-11-22T03:00:00Z' and eventTimestamp le '2026-11-23T03:00:00Z'" in fact.how[0]
    assert isinstance(fact.data, list)
