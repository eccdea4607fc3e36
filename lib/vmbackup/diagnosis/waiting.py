"""Which verdicts may still change while facts come in. Pure."""

from __future__ import annotations

from collections.abc import Container
from functools import cache

from vmbackup import catalog
from vmbackup.checks.base import load
from vmbackup.failures.places import FACTS_OF, places
from vmbackup.model import Step, Verdict

GUEST = "guest.probe"
"""Awaited until the guest has answered, or it is known why it was not asked."""


def waits(step: Step, awaited: Container[str]) -> bool:
    """Whether an awaited fact may still decide this step: it is unknown, or what its checks and signs read is not all
    there. What was already found is not taken back by what is missing, but may be by what comes."""
    return step.verdict is Verdict.UNKNOWN or any(name in awaited for name in _behind(step.cause))


def read_by(cause: str) -> frozenset[str]:
    """The facts that the checks of a cause read."""
    checks = load()
    return frozenset(name for check in catalog.causes()[cause]["checks"] for name in checks[check].evidence)


@cache
def _behind(cause: str) -> frozenset[str]:
    """The facts that decide a cause; GUEST stands for all of the guest's."""
    names = read_by(cause).union(name for place in places(cause) for name in FACTS_OF.get(place, ()))
    return frozenset(GUEST if name.startswith("guest.") else name for name in names)
