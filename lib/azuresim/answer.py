"""What a handler gives back, and ARM's usual answers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

Json = dict[str, Any]


class Cut(NamedTuple):
    """A body of which only the beginning arrives before the connection breaks."""

    data: bytes
    promised: int


@dataclass(slots=True)
class Answer:
    """One HTTP answer. ``body``: JSON, ``bytes`` as they are, a :class:`Cut`, or None for an empty body."""

    status: int
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    delay_s: float = 0.0


class Refused(Exception):
    """Azure says no: raised anywhere in a handler, answered as ARM's error body."""

    def __init__(self, status: int, code: str, message: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(f"{status} {code}")
        self.answer = error(status, code, message, headers)


def ok(body: Any) -> Answer:
    """200 with a body."""
    return Answer(200, body)


def error(status: int, code: str, message: str, headers: dict[str, str] | None = None) -> Answer:
    """ARM's error body."""
    return Answer(status, {"error": {"code": code, "message": message}}, headers or {})


def not_found(kind: str, name: str, resource_group: str) -> Refused:
    """404 in the words of ARM. ``kind`` is provider and type, ``Microsoft.Compute/virtualMachines``."""
    return Refused(
        404,
        "ResourceNotFound",
        f"The Resource '{kind}/{name}' under resource group '{resource_group}' was not found. "
        "For more details please go to https://aka.ms/ARMResourceNotFoundFix",
    )


def child_not_found() -> Refused:
    """404 of the compute service for something below a VM."""
    return Refused(404, "NotFound", "The entity was not found in this Azure location.")
