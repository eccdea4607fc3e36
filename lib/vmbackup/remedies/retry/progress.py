"""The progress of an on-demand backup. Plain data."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Progress:
    """The job's progress: ``status``, ``percent`` (None: Azure does not say) and ``tasks`` as ``(name, status)``."""

    job: str
    status: str
    percent: float | None
    tasks: tuple[tuple[str, str], ...]
