from __future__ import annotations

from typing import Any

from vmbackup.collectors.neighbours import read_neighbours
from worlds import examine


def item(name: str, policy: str = "Daily", **said: Any) -> dict[str, Any]:
    return {"id": f"/{name}", "properties": {"policyName": policy, "sourceResourceId": f"/vms/{name}", **said}}


def test_neighbours_are_the_others_that_the_policy_starts() -> None:
    listed = [
        item("me"),
        item("other", policy="daily"),
        item("elsewhere", policy="Weekly"),
        item("stopped", protectionState="ProtectionStopped"),
        item("deleted", isScheduledForDeferredDelete=True),
        item("ill", protectionState="ProtectionError"),
    ]
    found = read_neighbours(listed, "/ME", "Daily")
    assert [each["name"] for each in found["same_time"]] == ["other", "ill"]


def test_no_neighbours_are_an_empty_list() -> None:
    assert examine("healthy_linux")["backup.neighbours"].data["same_time"] == []


def test_sixty_neighbours_come_on_several_pages() -> None:
    assert len(examine("snapshot_same_schedule_linux")["backup.neighbours"].data["same_time"]) >= 60
