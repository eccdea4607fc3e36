"""What changed before the first failure, oldest first, with the distance to it."""

from __future__ import annotations

import pytest

from vmbackup.model import Fact, FactStatus
from vmbackup.pages import timeline
from worlds import examine


def event(time: str, operation: str, status: str = "Succeeded", **more: object) -> dict[str, object]:
    known = {"time": time, "operation": operation, "status": status, "caller": "ops@example", "resource_id": "/a/vm-1"}
    return {**known, "message": None, "correlation_id": None, **more}


def log(*events: dict[str, object], failed_at: str | None = "2026-11-22T23:00:00Z") -> dict[str, Fact]:
    failed = {**examine("agent_old_linux")["backup.failed_job"].data, "first_failure": failed_at}
    return {"vm.activity": Fact(FactStatus.OK, list(events)), "backup.failed_job": Fact(FactStatus.OK, failed)}


def test_rows_are_in_the_order_of_time_and_the_failure_stands_among_them() -> None:
    late, early = event("2026-11-22T23:30:00Z", "restart"), event("2026-11-22T20:00:00Z", "write")
    shown = timeline.page(log(late, early), "en").text()
    places = [shown.index(words) for words in ("write", "failed for the first time", "restart")]
    assert places == sorted(places)
    assert "3 h before" in shown
    assert "30 min after" in shown


def test_without_a_failure_there_is_no_distance() -> None:
    shown = timeline.page(log(event("2026-11-22T20:00:00Z", "write"), failed_at=None), "en").text()
    assert " before\n" not in shown
    assert "for the first time" not in shown


@pytest.mark.parametrize(
    ("fact", "says"),
    [
        (Fact(FactStatus.OK, []), "shows no change"),
        (Fact(FactStatus.DENIED, why="missing_action", details={"action": "a/read", "scope": "/s"}), "a/read"),
    ],
)
def test_nothing_and_not_known_are_different(fact: Fact, says: str) -> None:
    assert says in timeline.page({"vm.activity": fact}, "en").text()


def test_never_asked_is_not_known() -> None:
    assert "known" in timeline.page({}, "en").text()


@pytest.mark.parametrize(
    ("scenario", "change"),
    [
        ("no_internet_linux", "Microsoft.Network/networkSecurityGroups/securityRules/write"),
        ("other_extension_failed_linux", "Microsoft.Compute/virtualMachines/extensions/write"),
        ("vm_provisioning_failed_linux", "Microsoft.Compute/virtualMachines/write"),
        ("azure_policy_denies_linux", "Microsoft.Resources/subscriptions/resourceGroups/write"),
    ],
)
def test_a_world_shows_the_change_that_led_to_its_failure(scenario: str, change: str) -> None:
    shown = timeline.page(examine(scenario), "en").text()
    assert change in shown
    assert shown.index(change) < shown.index("failed for the first time")


def test_what_is_not_shown_is_counted() -> None:
    events = [event(f"2026-11-22T20:{minute:02}:00Z", f"write {minute}") for minute in range(42)]
    shown = timeline.page(log(*events), "en").text()
    assert "2 earlier entries are not shown" in shown
    assert "write 1\n" not in shown
    assert "write 41" in shown
