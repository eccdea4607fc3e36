"""What the signed-in identity can see to choose from: subscriptions, and the vaults of one."""

from __future__ import annotations

from vmbackup.arm.client import Arm
from vmbackup.arm.connection import Azure
from vmbackup.arm.paging import Listing, read_list
from vmbackup.arm.wire import text
from vmbackup.collectors.base import list_as_fact
from vmbackup.model import Fact

_MOST = 100_000
_READ_VAULTS = "Microsoft.RecoveryServices/Vaults/read"


def subscriptions(azure: Azure) -> Fact:
    """Rows ``{id, name}``, by name; ``id`` is the GUID. Raises SetupError when nobody is signed in."""
    return _places(azure, "/subscriptions", "subscriptionId", "displayName", ())


def vaults(azure: Azure) -> Fact:
    """The vaults of the connection's subscription: rows ``{id, name}``, by name."""
    path = f"/subscriptions/{azure.subscription_id}/providers/Microsoft.RecoveryServices/vaults"
    return _places(azure, path, "id", "name", (_READ_VAULTS,))


def _places(azure: Azure, path: str, key: str, name: str, actions: tuple[str, ...]) -> Fact:
    def rows() -> Listing:
        listing = read_list(Arm.on(azure), path, _MOST)
        found = [{"id": text(wire, key), "name": text(wire, name) or text(wire, key)} for wire in listing.entries]
        named = sorted((row for row in found if row["id"]), key=lambda row: str(row["name"]).lower())
        return Listing(named, listing.is_cut)

    return list_as_fact(rows, actions, deadline_s=30)
