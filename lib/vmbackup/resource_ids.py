"""An Azure resource id, also out of a portal address, and its parts, in any case. Pure."""

from __future__ import annotations

import re
from urllib.parse import unquote

FABRIC = "Azure"
"""The one fabric of every vault, a part of the ids in it."""

_PORTAL = re.compile(r"https://(?:[\w-]+\.)*portal\.azure\.\w+[/?#]", re.IGNORECASE)
_PART = "/[^/?#&]+"
_ID = re.compile(
    rf"/subscriptions{_PART}(?:/resourceGroups{_PART}(?:/providers{_PART}{_PART}{_PART})?)?", re.IGNORECASE
)


def out_of_portal(words: str) -> str:
    """The id of the resource whose page a pasted portal address opens; anything else as it is.

    >>> out_of_portal("https://portal.azure.com/#@contoso.com/resource/subscriptions/1/resourceGroups/g/overview")
    '/subscriptions/1/resourceGroups/g'
    """
    found = _ID.search(unquote(words)) if _PORTAL.match(words) else None
    return found.group() if found else words


def resource_name(resource_id: str | None) -> str:
    """The last part of a resource id: the resource's name; "" without one."""
    return (resource_id or "").rstrip("/").rsplit("/", 1)[-1]


def resource_group(resource_id: str | None) -> str:
    """The resource group in a resource id, "" where there is none."""
    return part_after(resource_id, "resourceGroups")


def part_after(resource_id: str | None, word: str) -> str:
    """The part of a resource id that follows this one, such as the name after ``vaults``; "" where there is none."""
    parts = (resource_id or "").split("/")
    lowered = [part.lower() for part in parts]
    return parts[lowered.index(word.lower()) + 1] if word.lower() in lowered[:-1] else ""


def protected_item_id(vault_id: str, container: str, item: str) -> str:
    """The resource id of a protected item in a vault."""
    return f"{vault_id}/backupFabrics/{FABRIC}/protectionContainers/{container}/protectedItems/{item}"
