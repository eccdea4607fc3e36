"""The receipt of one remedy: what was changed, by whom, when, and how it ended. Plain data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

OUTCOMES = ("done", "already", "failed", "unsure")


@dataclass(frozen=True, slots=True)
class Receipt:
    """``outcome`` is one of OUTCOMES; ``before`` and ``after`` show what was changed; times are Azure's clock."""

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
