"""The parts of an Azure resource id, in any case. Pure."""

from __future__ import annotations


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
