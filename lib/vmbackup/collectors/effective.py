"""What Azure computes for an interface, such as its effective rules; else what the objects define."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from typing import Any

from vmbackup.arm.call import gather
from vmbackup.arm.errors import REFUSALS, Unreadable, as_fact, refusal
from vmbackup.collectors.base import Answers, Ask
from vmbackup.facts.network import Nic
from vmbackup.model import Fact, FactStatus

_NAME = r"(?!\.{1,2}(?:/|\Z))[^/]+"
_INTERFACE = re.compile(
    rf"/subscriptions/{_NAME}/resourceGroups/{_NAME}/providers/Microsoft\.Network/networkInterfaces/{_NAME}",
    re.IGNORECASE,
)
_NOT_RUNNING = "nicmustbeattachedtorunningvm"


def effective_or_written(
    name: str, action: str, nics: list[Nic], effective: Callable[[Nic], Any], written: Callable[[Nic], Any] | None
) -> Answers:
    """The fact from what Azure computes; where it does not compute (VM stopped, right missing), from the objects, and
    with the reason. Raises what Azure refused with where ``written`` is None."""
    try:
        found = gather([partial(effective, nic) for nic in nics])
        return {name: {"source": "effective", "nics": found}}
    except REFUSALS as error:
        if not _falls_back(error) or written is None:
            raise
        refused = as_fact(error, (action,))
    objects = {"source": "objects", "nics": [written(nic) for nic in nics]}
    return {name: Fact(FactStatus.OK, objects, refused.why, refused.details)}


def computed(ask: Ask, nic: Nic, what: str) -> Any:
    """What Azure computes for an interface, which takes it some time. Raises OperationFailed or TimeoutError."""
    if not _INTERFACE.fullmatch(nic["id"]):
        # It may come from a file, and nothing else of this address is checked.
        raise Unreadable("not the id of an interface")
    return ask.arm.complete("POST", f"{nic['id']}/{what}")


def _falls_back(error: Exception) -> bool:
    """Azure computes only for a running VM (400), and not for everyone (403): the objects can still be read."""
    refused = refusal(error)
    return refused.status in (400, 403) or refused.code.lower().startswith(_NOT_RUNNING)
