"""How an on-demand backup goes on, for whoever looks on. Plain data."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Progress:
    """How the job goes on: ``status``, ``percent`` (None: Azure does not say) and ``tasks`` as ``(name, status)``."""

    job: str
    status: str
    percent: float | None
    tasks: tuple[tuple[str, str], ...]
