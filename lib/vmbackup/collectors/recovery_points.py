"""The VM's recovery points."""

from __future__ import annotations

from vmbackup import clock
from vmbackup.arm.client import Arm
from vmbackup.arm.connection import Azure
from vmbackup.arm.errors import Unreadable
from vmbackup.arm.paging import Listing, read_list
from vmbackup.arm.wire import entries, resource, text
from vmbackup.collectors.base import Answers, Ask, collector, listed_fact
from vmbackup.facts.backup import Protection, RecoveryPoint
from vmbackup.resource_ids import protected_item_id

_MOST = 10_000
"""Points of one VM: many times more than any policy keeps."""


@collector(
    "backup.recovery_points",
    needs=("backup.protection",),
    actions=(
        "Microsoft.RecoveryServices/Vaults/backupFabrics/protectionContainers/protectedItems/recoveryPoints/read",
    ),
)
def recovery_points(ask: Ask, protected: Protection) -> Answers:
    """The recovery points, newest first."""
    listing = points_of(ask.azure, protected)
    return {"backup.recovery_points": listed_fact(listing, listing.entries)}


def points_of(azure: Azure, protected: Protection) -> Listing:
    """The recovery points of the protected item, newest first."""
    pages = read_list(Arm.on(azure), f"{_item_path(protected)}/recoveryPoints", _MOST)
    read = list(map(read_recovery_point, pages.entries))
    return Listing(sorted(read, key=lambda point: point["time"] or "", reverse=True), pages.is_cut)


def _item_path(protected: Protection) -> str:
    parts = protected["container"], protected["item"]
    if any("/" in each or not each.strip(".") for each in parts):
        raise Unreadable("the name of a protected item leads elsewhere")
    return protected_item_id(protected["vault_id"], *parts)


def read_recovery_point(wire: object) -> RecoveryPoint:
    """One recovery point of the list."""
    point = resource(wire)
    time = clock.stamp(text(point, "properties", "recoveryPointTime"))
    if time is None:
        raise Unreadable("a recovery point without a time cannot be told from the newest one")
    return {
        "name": text(point, "name") or "",
        "time": time,
        "type": text(point, "properties", "recoveryPointType"),
        "threat": text(point, "properties", "threatStatus"),
        "tiers": _valid_tiers(point),
    }


def _valid_tiers(point: object) -> list[str]:
    tiers = entries(point, "properties", "recoveryPointTierDetails")
    return [text(each, "type") or "" for each in tiers if (text(each, "status") or "").lower() == "valid"]
