"""Where the signs of a cause can stand, and which of these facts were not read. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from vmbackup.catalog.signatures import signatures
from vmbackup.model import Evidence, operating_system

FACTS_OF: Mapping[str, tuple[str, ...]] = {
    "job": ("backup.failed_job", "backup.jobs"),
    "health": ("backup.item",),
    "extension": ("vm.extensions", "vm.handlers", "guest.extension"),
    "agent": ("vm.agent",),
    "platform": ("vm.power",),
    "agent_log": ("guest.logs",),
    "extension_log": ("guest.logs",),
    "windows_log": ("guest.logs",),
    "serial": ("guest.serial_log",),
    "event": ("guest.crashes", "guest.application_control"),
}
"""Which facts show the signs of a place. An answer of Run Command is no fact of its own."""
AZURES_OWN = frozenset({"job", "health"})
"""Where Azure itself says what failed; a cause that it names there may also be meant by words that nobody knows."""

_OF_ONE_SYSTEM = {"guest.serial_log": "linux", "guest.crashes": "windows", "guest.application_control": "windows"}
# The part of a fact that carries the signs: without it, the fact was not read.
_CARRIES = {
    "backup.failed_job": "errors",
    "backup.item": "health_details",
    "vm.agent": "message",
    "vm.power": "provisioning",
    "guest.extension": "code",
    "guest.logs": "patterns",
    "guest.crashes": "events",
    "guest.application_control": "blocked",
}


@cache
def places(cause: str) -> frozenset[str]:
    """Where a sign against this cause can stand."""
    return frozenset(place for each in signatures().values() if cause in each.causes for place in each.places)


def unread(cause: str, evidence: Evidence) -> tuple[str, ...]:
    """The facts that could show a sign against this cause and were not read, in the order of ``FACTS_OF``."""
    wanted, os = places(cause), operating_system(evidence)
    if wanted & AZURES_OWN:
        # Words that nobody knows may stand in either.
        wanted |= AZURES_OWN
    names = dict.fromkeys(name for place, facts in FACTS_OF.items() if place in wanted for name in facts)
    asked = (name for name in names if os is None or _OF_ONE_SYSTEM.get(name, os) == os)
    return tuple(name for name in asked if not _was_read(name, evidence))


def _was_read(name: str, evidence: Evidence) -> bool:
    fact = evidence.get(name)
    if fact is None or not fact.answered or fact.is_cut:
        return False
    if fact.data is None or name not in _CARRIES:
        return True
    carried = fact.data.get(_CARRIES[name])
    return carried is not None and not (name == "backup.item" and any(each["message"] is None for each in carried))
