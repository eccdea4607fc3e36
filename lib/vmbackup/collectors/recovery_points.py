"""The VM's recovery points."""

from __future__ import annotations

from vmbackup import clock
from vmbackup.arm.connection import Azure
from vmbackup.arm.errors import Unreadable
from vmbackup.arm.paging import Listing, read_pages
from vmbackup.arm.wire import entries, resource, text, whole_pages
from vmbackup.collectors.base import Answers, Ask, collector, listed_fact
from vmbackup.collectors.vault import FABRIC, vault_parts
from vmbackup.facts.backup import Protection, RecoveryPoint


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
    subscription, group, name = vault_parts(protected)
    points = azure.backup(subscription).recovery_points
    listed = points.list(name, group, FABRIC, protected["container"], protected["item"], raw_response_hook=whole_pages)
    pages = read_pages(listed)
    read = [read_recovery_point(each.as_dict()) for each in pages.entries]
    return Listing(sorted(read, key=lambda point: point["time"] or "", reverse=True), pages.is_cut)


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
