"""Which VMs stand open: what is not known for sure is a reason to look."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from vmbackup import clock
from vmbackup.failures.jobs import last_good_start
from vmbackup.fleet.inventory.model import Inventory
from vmbackup.fleet.inventory.signs import signs_of_lists, signs_of_points
from vmbackup.model import Fact, FactStatus

NOW = "2026-11-23T03:00:00Z"


def known(listed_fleet: Inventory, **changed: Fact | None) -> dict[str, Fact]:
    """What is known of a healthy VM, with other facts in place of some; None for one that is not known."""
    healthy = next(vm for vm in listed_fleet.vms if not vm.signs and "linux" in vm.target.vm_name)
    facts = {**healthy.known, **{name.replace("__", "."): fact for name, fact in changed.items()}}
    return {name: fact for name, fact in facts.items() if fact is not None}


def test_whatever_is_unknown_is_open(listed_fleet: Inventory) -> None:
    assert signs_of_lists(known(listed_fleet), NOW) == []
    for name in ("vm__model", "backup__item", "backup__jobs", "backup__policy"):
        fact = known(listed_fleet)[name.replace("__", ".")]
        cut = replace(fact, details={"cut": "20"})
        for other in (None, cut, Fact(FactStatus.FAILED, why="timeout"), Fact(FactStatus.ABSENT)):
            facts = known(listed_fleet, **{name: other})
            assert signs_of_lists(facts, NOW) or signs_of_points(facts), name
    assert signs_of_points(known(listed_fleet, backup__recovery_points=None))


def test_what_the_item_says_is_open(listed_fleet: Inventory) -> None:
    item = known(listed_fleet)["backup.item"]
    changes = [
        {"protection_state": "ProtectionStopped"},
        {"protection_status": None},
        {"health_status": "ActionSuggested"},
        {"last_backup_status": "Failed"},
        {"soft_deleted": True},
        {"last_backup_time": "2026-11-23T02:59:00Z"},
    ]
    for change in changes:
        fact = replace(item, data={**item.data, **change})
        assert signs_of_lists(known(listed_fleet, backup__item=fact), NOW), change


@pytest.mark.parametrize(
    ("policy", "hours"),
    [
        ({"frequency": "Daily", "times": ["23:00"]}, 24 + 2),
        ({"frequency": "Weekly", "times": ["23:00"], "days": ["Sunday", "Wednesday"]}, 96 + 2),
        ({"frequency": "Hourly", "times": ["08:00", "12:00", "16:00", "20:00"]}, 12 + 2),
    ],
)
def test_a_backup_is_overdue_after_the_longest_pause_of_its_policy(
    listed_fleet: Inventory, policy: dict[str, object], hours: float
) -> None:
    fact = known(listed_fleet)["backup.policy"]
    facts = known(listed_fleet, backup__policy=replace(fact, data={**fact.data, **policy}))
    started = clock.parse(last_good_start(facts["backup.jobs"].data))
    assert started is not None
    for late_h, reasons in ((hours - 0.1, []), (hours + 0.1, ["overdue"])):
        now = clock.stamp(started + timedelta(hours=late_h))
        assert [sign.reason for sign in signs_of_lists(facts, now)] == reasons


def test_a_less_consistent_point_is_open_unless_the_vm_is_off(listed_fleet: Inventory) -> None:
    fact = known(listed_fleet)["backup.recovery_points"]
    crash = replace(fact, data=[{**fact.data[0], "type": "CrashConsistent"}])
    assert [sign.reason for sign in signs_of_points(known(listed_fleet, backup__recovery_points=crash))] == [
        "consistency"
    ]
    off = Fact(FactStatus.OK, {"power": "deallocated", "provisioning": None, "provisioning_message": None})
    assert not signs_of_points(known(listed_fleet, backup__recovery_points=crash, vm__power=off))
    assert signs_of_points(known(listed_fleet, backup__recovery_points=crash, vm__power=None))
