"""What is being done, noted stage by stage, so that an interrupted remedy can be continued; and the receipts."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from vmbackup.arm.audit import append, append_first, lines
from vmbackup.remedies.receipt import Receipt


@dataclass(frozen=True, slots=True)
class Operation:
    """A remedy that was begun and not closed. ``sent`` are the steps whose request left, ``accepted`` their operation
    URLs ("" where Azure answered without one), ``values`` and ``cures`` those of its plan."""

    id: str
    remedy: str
    resource: str
    sent: frozenset[int]
    accepted: Mapping[int, str]
    before: Mapping[str, Any]
    accepted_at: str | None = None
    values: Mapping[str, Any] = field(default_factory=dict)
    cures: tuple[str, ...] = ()


class Operations:
    """``operations.jsonl`` in a run folder: one append-only event for each stage of a remedy."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "operations.jsonl"
        self._receipts = folder / "receipts.jsonl"

    def begin(
        self,
        remedy: str,
        resource: str,
        before: Mapping[str, Any],
        values: Mapping[str, Any] | None = None,
        cures: tuple[str, ...] = (),
    ) -> str:
        """Note a remedy that begins; returns its id. Raises RemedyRefused where it cannot be noted."""
        operation = os.urandom(8).hex()
        begun = {"remedy": remedy, "resource": resource, "before": dict(before)}
        begun |= {"values": dict(values or {}), "cures": list(cures)}
        append_first(self.path, {"operation": operation, "event": "begun", **begun})
        return operation

    def sending(self, operation: str, step: int) -> None:
        """Note that a step's request is about to leave. Raises RemedyRefused where it cannot be noted."""
        append_first(self.path, {"operation": operation, "event": "sending", "step": step})

    def accepted(self, operation: str, step: int, url: str | None, at: str | None) -> None:
        """Note that Azure took a step, where to follow it, and when by Azure's clock."""
        self._note(operation, "accepted", step=step, url=url or "", at=at)

    def close(self, operation: str, receipt: Receipt) -> None:
        """Note the end, and keep the receipt."""
        append(self._receipts, receipt.as_json())
        self._note(operation, "closed", outcome=receipt.outcome)

    def unfinished(self, remedy: str = "", resource: str = "") -> list[Operation]:
        """What was begun and never closed, oldest first; of one remedy and resource when given."""
        events: dict[str, list[dict[str, Any]]] = {}
        for event in lines(self.path):
            if {"operation", "event"} <= event.keys():
                events.setdefault(str(event["operation"]), []).append(event)
        found = [_operation(name, own) for name, own in events.items() if not any(e["event"] == "closed" for e in own)]
        return [
            each
            for each in found
            if each and remedy in ("", each.remedy) and resource.lower() in ("", each.resource.lower())
        ]

    def receipts(self) -> list[Receipt]:
        """All receipts of the folder, oldest first. What is no whole receipt is left out."""
        names = {each.name for each in fields(Receipt)}
        whole = [row for row in lines(self._receipts) if row.keys() == names and isinstance(row["request_ids"], list)]
        return [Receipt(**{**row, "request_ids": tuple(row["request_ids"])}) for row in whole]

    def _note(self, operation: str, event: str, **values: Any) -> None:
        append(self.path, {"operation": operation, "event": event, **values})


def _operation(name: str, events: list[dict[str, Any]]) -> Operation | None:
    begun = next((event for event in events if event["event"] == "begun"), {})
    if not {"remedy", "resource", "before"} <= begun.keys():
        return None
    sent = frozenset(event["step"] for event in events if event["event"] == "sending" and "step" in event)
    taken = [event for event in events if event["event"] == "accepted" and {"step", "url"} <= event.keys()]
    accepted = {event["step"]: str(event["url"]) for event in taken}
    at = taken[-1].get("at") if taken else None
    return Operation(
        name, begun["remedy"], begun["resource"], sent, accepted, begun["before"], at,
        begun.get("values") or {}, tuple(begun.get("cures") or ()),
    )  # fmt: skip
