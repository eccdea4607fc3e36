"""What the signed-in identity can see to choose from: subscriptions, and the vaults of one."""

from __future__ import annotations

import time

from vmbackup.arm.call import calling
from vmbackup.arm.client import Arm
from vmbackup.arm.connection import Azure
from vmbackup.arm.errors import as_fact
from vmbackup.arm.paging import MOST_PAGES, Listing
from vmbackup.arm.wire import listed, text
from vmbackup.collectors.base import listed_fact
from vmbackup.model import Fact

_READ_VAULTS = "Microsoft.RecoveryServices/Vaults/read"


def subscriptions(azure: Azure) -> Fact:
    """Rows ``{id, name}``, by name; ``id`` is the GUID. Raises SetupError when nobody is signed in."""
    return _places(azure, "/subscriptions", "subscriptionId", "displayName", ())


def vaults(azure: Azure) -> Fact:
    """The vaults of the connection's subscription: rows ``{id, name}``, by name."""
    path = f"/subscriptions/{azure.subscription_id}/providers/Microsoft.RecoveryServices/vaults"
    return _places(azure, path, "id", "name", (_READ_VAULTS,))


def _places(azure: Azure, path: str, key: str, name: str, actions: tuple[str, ...]) -> Fact:
    begun = time.monotonic()
    try:
        with calling(deadline_s=30):
            listing = _all_pages(Arm.on(azure), path)
    except Exception as error:
        return as_fact(error, actions, time.monotonic() - begun)
    rows = [{"id": text(wire, key), "name": text(wire, name) or text(wire, key)} for wire in listing.entries]
    return listed_fact(listing, sorted((row for row in rows if row["id"]), key=lambda row: str(row["name"]).lower()))


def _all_pages(arm: Arm, path: str) -> Listing:
    wires: list[object] = []
    following = path
    for _ in range(MOST_PAGES):
        body = arm.request("GET", following).body
        wires += listed(body, "value")
        following = text(body, "nextLink") or ""
        if not following:
            break
    return Listing(wires, bool(following))
