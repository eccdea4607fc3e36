"""The receipt of one remedy: what was changed, by whom, when, and how it ended. Plain data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, TypedDict, get_type_hints

from vmbackup.facts import schema

BACKUP = "backup_now"
"""Used in place of a remedy's name for an on-demand backup."""

OUTCOMES = ("done", "already", "failed", "unknown", "superseded")
_FORMER = {"unsure": "unknown"}


@dataclass(frozen=True, slots=True)
class Receipt:
    """``outcome`` is one of OUTCOMES; ``before`` and ``after`` show what was changed; times are Azure's clock.

    ``superseded`` is what an interrupted run left and no later one continues; ``code`` says why.
    """

    remedy: str
    resource: str
    outcome: str
    who: str
    started_at: str | None
    ended_at: str | None
    request_ids: tuple[str, ...]
    before: Mapping[str, Any]
    after: Mapping[str, Any]
    code: str = ""
    message: str = ""
    continued: bool = False

    @property
    def cured(self) -> bool:
        """Whether the change is in place now."""
        return self.outcome in ("done", "already")

    def as_json(self) -> dict[str, Any]:
        """The receipt as plain JSON."""
        return asdict(self)

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Receipt | None:
        """What :meth:`as_json` made, also by an earlier version; None for anything else."""
        if schema.error(content, _ReceiptJson):
            return None
        known = {name: content[name] for name in get_type_hints(_ReceiptJson)}
        outcome = _FORMER.get(known["outcome"], known["outcome"])
        if outcome not in OUTCOMES:
            return None
        return cls(**{**known, "outcome": outcome, "request_ids": tuple(known["request_ids"])})


class _ReceiptJson(TypedDict):
    remedy: str
    resource: str
    outcome: str
    who: str
    started_at: str | None
    ended_at: str | None
    request_ids: list[str]
    before: dict[str, Any]
    after: dict[str, Any]
    code: str
    message: str
    continued: bool
