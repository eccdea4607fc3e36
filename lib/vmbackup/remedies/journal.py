"""What is being done, noted stage by stage, so that an interrupted remedy can be continued; and the receipts. Pure
except for its two logs."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypedDict

from vmbackup import clock
from vmbackup.facts import schema
from vmbackup.model import Log, RemedyRefused, Unwritten
from vmbackup.remedies.receipt import BACKUP, Receipt


@dataclass(frozen=True, slots=True)
class Operation:
    """A remedy that was begun and not closed, according to the journal: nothing of it becomes the path of a request.

    ``begun_at`` is Azure's clock; ``sent`` are the numbers of the requests that left, ``accepted`` where Azure said
    each goes on ("" where it did not say).
    """

    id: str
    remedy: str
    resource: str
    vm_id: str
    begun_at: str | None
    before: Mapping[str, Any]
    cures: tuple[str, ...] = ()
    sent: frozenset[int] = frozenset()
    accepted: Mapping[int, str] = field(default_factory=dict)
    accepted_at: str | None = None


class Journal:
    """One event for each stage of a remedy, and the receipts: two append-only logs of a run folder."""

    def __init__(self, operations: Log, receipts: Log) -> None:
        self._operations, self._receipts = operations, receipts

    def begin(
        self,
        remedy: str,
        resource: str,
        vm_id: str,
        at: str | None,
        before: Mapping[str, Any],
        cures: tuple[str, ...] = (),
    ) -> str:
        """Note a remedy that begins; returns its id. Raises RemedyRefused where it cannot be noted."""
        operation = os.urandom(8).hex()
        begun = {"remedy": remedy, "resource": resource, "vm_id": vm_id, "at": at, "before": dict(before)}
        self._note_first(operation, "begun", **begun, cures=list(cures))
        return operation

    def sending(self, operation: str, number: int) -> None:
        """Note that a request is about to leave. Raises RemedyRefused where it cannot be noted."""
        self._note_first(operation, "sending", step=number)

    def accepted(self, operation: str, number: int, url: str | None, at: str | None) -> None:
        """Note that Azure took a request, where to follow it, and when by Azure's clock."""
        self._note(operation, "accepted", step=number, url=url or "", at=at)

    def close(self, operation: str, receipt: Receipt) -> None:
        """Keep the receipt, which closes the operation, and note the end."""
        self._receipts.append({**receipt.as_json(), "operation": operation})
        self._note(operation, "closed", outcome=receipt.outcome)

    def unfinished(self, remedy: str = "", resource: str = "") -> list[Operation]:
        """What was begun and never closed, oldest first; of one remedy and resource when given."""
        events: dict[str, list[dict[str, Any]]] = {}
        for event in self._sound_events():
            events.setdefault(event["operation"], []).append(event)
        # A receipt tells the end, also where a crash came before that was noted.
        closed = {str(each.get("operation")) for each in self._receipts.events() if Receipt.from_json(each)}
        found = [_operation(name, each) for name, each in events.items() if name not in closed]
        return [
            each
            for each in found
            if each and remedy in ("", each.remedy) and resource.lower() in ("", each.resource.lower())
        ]

    def changed_since(self, operation: str) -> bool:
        """Whether something else was changed after an operation began, or may have been."""
        events = self._sound_events()
        names = [each["operation"] for each in events]
        later = events[names.index(operation) :] if operation in names else []
        sent = {each["operation"] for each in later if each["event"] == "sending"} - {operation}
        in_vain = {each["operation"] for each in later if each.get("outcome") in ("failed", "already")}
        return bool(sent - in_vain)

    def _sound_events(self) -> list[dict[str, Any]]:
        return [each for each in self._operations.events() if not schema.error(each, _Event)]

    def receipts(self) -> list[Receipt]:
        """All receipts, oldest first. Incomplete ones are left out."""
        return [each for each in map(Receipt.from_json, self._receipts.events()) if each]

    def applied(self) -> list[Receipt]:
        """The receipts of remedies; a backup is not one, and its proof is kept elsewhere."""
        return [each for each in self.receipts() if each.remedy != BACKUP]

    def applied_since(self, at: str | None) -> bool:
        """Whether a remedy ended after this time."""
        start = clock.parse(at)
        ended = [clock.parse(receipt.ended_at) for receipt in self.applied()]
        return start is not None and any(end and end > start for end in ended)

    def _note(self, operation: str, event: str, **values: Any) -> None:
        self._operations.append({"operation": operation, "event": event, **values})

    def _note_first(self, operation: str, event: str, **values: Any) -> None:
        try:
            self._note(operation, event, **values)
        except Unwritten as error:
            raise RemedyRefused("error.not_noted", **error.values) from None


class _Event(TypedDict):
    operation: str
    event: str


class _Begun(_Event):
    remedy: str
    resource: str
    before: dict[str, Any]


class _Accepted(_Event):
    step: int
    url: str


def _operation(name: str, events: list[dict[str, Any]]) -> Operation | None:
    """What the events of one operation say; None once it was closed, and where its beginning cannot be read."""
    begun = next((event for event in events if event["event"] == "begun"), {})
    if schema.error(begun, _Begun) or any(event["event"] == "closed" for event in events):
        return None
    taken = [event for event in events if event["event"] == "accepted" and not schema.error(event, _Accepted)]
    numbers = [event.get("step") for event in events if event["event"] == "sending"]
    cures = begun.get("cures")
    return Operation(
        name,
        begun["remedy"],
        begun["resource"],
        _text(begun.get("vm_id")) or "",
        _text(begun.get("at")),
        begun["before"],
        tuple(each for each in cures if isinstance(each, str)) if isinstance(cures, list) else (),
        frozenset(number for number in numbers if isinstance(number, int)),
        {event["step"]: event["url"] for event in taken},
        _text(taken[-1].get("at")) if taken else None,
    )


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
