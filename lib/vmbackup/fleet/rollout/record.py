"""The files of a remedy for many VMs, in ``remedies/`` of the fleet's folder: what was agreed to, and how far it got.

Their name is the hash of the plan, so a file that was tampered with is not accepted. Everything else about a VM is in
its own run folder.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from functools import partial
from threading import Lock
from typing import Any, TypedDict

from vmbackup import sanitize
from vmbackup.facts import schema
from vmbackup.fleet.rollout.agreement import Agreement
from vmbackup.fleet.rollout.worse import Condition
from vmbackup.model import SetupError
from vmbackup.runs import storage
from vmbackup.runs.evidence import read_file, unread
from vmbackup.runs.listing import entries
from vmbackup.runs.log import Log
from vmbackup.runs.rollout import End, Ending, LeftOut, Rollout

REMEDIES = "remedies"
_DIGEST = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class Begun:
    """A VM that was about to be changed: its condition then, the checks that the remedy cures, and how many receipts
    its run folder held."""

    condition: Condition
    cures: tuple[str, ...]
    receipts: int


class Record:
    """One plan in the folder of a fleet. Raises SetupError where ``digest`` is not the hash of a plan."""

    def __init__(self, place: str, digest: str) -> None:
        if not _DIGEST.fullmatch(digest):
            raise SetupError("error.no_plan_hash", value=sanitize.text(digest))
        self.digest = digest
        self._name = f"{digest}.json"
        place = f"{place}/{REMEDIES}"
        self._storage, self._read = storage.at(place), partial(read_file, place)
        self._one_writer = Lock()  # in a store, a line is added by writing the whole object again
        self._log = Log(self._storage, f"{digest}.jsonl", self._read, lambda count: None)

    def begin(self, agreement: Agreement, left: Sequence[LeftOut]) -> None:
        """Note what was agreed to. Raises SetupError."""
        at = datetime.now(timezone.utc).isoformat(timespec="seconds")
        content = {"plan": agreement.as_json(), "at": at, "left": sanitize.data(list(left))}
        try:
            self._storage.write(self._name, json.dumps(content, ensure_ascii=False, indent=1).encode())
        except OSError as error:
            raise SetupError("error.not_written", file=self._name, message=storage.why(error)) from None

    @property
    def agreed(self) -> Agreement | None:
        """What was agreed to under this hash; None where nothing was, or the file does not match the hash."""
        content = self._content()
        found = Agreement.from_json(content.get("plan"))
        return found if found and found.digest == self.digest else None

    @property
    def exists(self) -> bool:
        """Whether the plan was begun."""
        return self._read(self._name) is not None

    def note_begun(self, name: str, begun: Begun) -> None:
        """Note a VM that is about to be changed. Raises Unwritten."""
        details = {"condition": begun.condition.as_json(), "cures": list(begun.cures), "receipts": begun.receipts}
        self._note({"event": "begun", "name": name, **details})

    def note_ended(self, end: End) -> None:
        """Note how a VM ended. Raises Unwritten."""
        self._note({"event": "ended", **end})

    def _note(self, event: Mapping[str, Any]) -> None:
        with self._one_writer:
            self._log.append(event)

    def begun(self) -> dict[str, Begun]:
        """The VMs that were about to be changed, by name."""
        found = (event for event in self._log.events() if event.get("event") == "begun")
        return {str(event["name"]): begun for event in found if (begun := _begun(event))}

    def ended(self) -> dict[str, End]:
        """How VMs ended, by name."""
        found = (event for event in self._log.events() if event.get("event") == "ended")
        return {end["name"]: end for event in found if (end := _end(event))}

    def rollout(self) -> Rollout | None:
        """The plan and how far it got; None where it cannot be read."""
        agreement, content = self.agreed, self._content()
        if agreement is None:
            return None
        left: Any = schema.coerce(content.get("left"), list[LeftOut])
        ends = {name: end for name, end in self.ended().items() if name in _names(agreement)}
        return Rollout(
            agreement.remedy, self.digest, agreement.vms, () if schema.error(left, list[LeftOut]) else left,
            at if isinstance(at := content.get("at"), str) else None, ends,
        )  # fmt: skip

    def _content(self) -> Mapping[str, Any]:
        try:
            found = json.loads(self._read(self._name) or b"{}")
        except (ValueError, RecursionError):
            return {}
        return found if isinstance(found, dict) else {}


def rollouts(place: str) -> list[Rollout]:
    """All plans that were begun in the folder of a fleet, oldest first; those that cannot be read are left out. Raises
    SetupError where the folder cannot be listed."""
    found = (Record(place, digest).rollout() for digest in _digests(place))
    return sorted((rollout for rollout in found if rollout), key=lambda rollout: rollout.at or "")


def _digests(place: str) -> list[str]:
    try:
        names = [name.removesuffix(".json") for name in entries(f"{place}/{REMEDIES}")]
    except OSError as error:
        raise unread(f"{place}/{REMEDIES}", error) from None
    return sorted(name for name in names if _DIGEST.fullmatch(name))


def _names(agreement: Agreement) -> set[str]:
    return {vm["name"] for vm in agreement.vms}


class _Begun(TypedDict):
    name: str
    condition: Any
    cures: list[str]
    receipts: int


def _begun(event: Mapping[str, Any]) -> Begun | None:
    if schema.error(event, _Begun):
        return None
    condition = Condition.from_json(event["condition"])
    return Begun(condition, tuple(event["cures"]), event["receipts"]) if condition else None


def _end(event: Mapping[str, Any]) -> End | None:
    found: Any = schema.coerce(dict(event), End)
    return None if schema.error(found, End) or found["ending"] not in list(Ending) else found
