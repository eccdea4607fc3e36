"""Without one right to read, whichever it is, no verdict gets better, in any world."""

from __future__ import annotations

from attacks.attack import Attack, Case
from attacks.near_worlds import behind, better, examined
from truth import labels
from vmbackup.collectors import actions, guest

GUESTS = {"guest.probe": (guest.ACTION,), "guest.serial_log": (guest.BOOT_ACTION,)}


def needed_by() -> dict[str, list[str]]:
    """Every right to read, with the facts that need it."""
    found: dict[str, list[str]] = {}
    for fact, needs in {**actions(), **GUESTS}.items():
        for action in needs:
            found.setdefault(action, []).append(fact)
    return found


def cases() -> list[Case]:
    """Every right in every world in which Azure answers well: elsewhere what is asked instead may do better."""
    worlds = [name for name in labels() if not name.startswith("error_")]
    return [(action, world) for action in needed_by() for world in worlds]


def attempt(action: str, world: str) -> list[str]:
    """Deny this right in this world."""
    known = examined(world)
    spec = known.there.world.spec
    given = spec.get("permissions", {})
    spec["permissions"] = {**given, "deny": [*given.get("deny", []), action]}
    try:
        after = known.worsened(behind(needed_by()[action]), lambda _, sent: sent)
    finally:
        spec["permissions"] = given
    return better(known.evidence, after) if after is not None else []


ATTACK = Attack("without one right to read no verdict gets better", cases, attempt)
