"""Backups succeed, but no longer with the wanted consistency."""

from __future__ import annotations

from typing import Any

import pytest

from judging import DENIED, model, outcome, policy, power


def point(kind: str | None, time: str = "2026-11-22T22:00:00Z") -> dict[str, Any]:
    return {"name": time, "time": time, "type": kind}


CRASH, APP, FILE = ([point(kind)] for kind in ("CrashConsistent", "AppConsistent", "FileSystemConsistent"))
STANDARD, CRASH_ONLY = policy(), policy("V2") | {"consistency": "OnlyCrashConsistent"}


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({"backup__recovery_points": APP}, ("ok", "ok")),
        ({"backup__recovery_points": CRASH, "vm__power": power()}, ("problem", "problem")),
        ({"backup__recovery_points": CRASH, "vm__power": power("deallocated")}, ("ok", "vm_off")),
        ({"backup__recovery_points": CRASH, "vm__power": power("stopped")}, ("ok", "vm_off")),
        ({"backup__recovery_points": CRASH, "vm__power": DENIED}, ("unknown", "undecided")),
        ({"backup__recovery_points": CRASH, "vm__power": power(), "backup__policy": DENIED}, ("unknown", "undecided")),
        ({"backup__recovery_points": CRASH, "vm__power": power(), "backup__policy": CRASH_ONLY}, ("ok", "wanted")),
        ({"backup__recovery_points": FILE}, ("ok", "ok")),
        ({"backup__recovery_points": FILE, "vm__model": model(os="windows")}, ("problem", "file_system_only")),
        ({"backup__recovery_points": FILE, "vm__model": DENIED}, ("unknown", "undecided")),
        ({"backup__recovery_points": [point(None)]}, ("unknown", "unknown")),
        ({"backup__recovery_points": [point("Snapshot")]}, ("unknown", "unknown")),
        ({"backup__recovery_points": []}, ("not_applicable", "not_applicable")),
        ({"backup__recovery_points": None}, ("not_applicable", "not_applicable")),
        ({"backup__recovery_points": DENIED}, ("unknown", "unanswered")),
    ],
)
def test_consistency(facts: dict[str, Any], expected: tuple[str, str]) -> None:
    around = {"backup__policy": STANDARD, "vm__model": model()} | facts
    assert outcome("recovery_points_have_the_wanted_consistency", **around) == expected


def test_the_newest_counts() -> None:
    points = [point("CrashConsistent", "2026-11-20T22:00:00Z"), *APP, point("CrashConsistent", "2026-11-21T22:00:00Z")]
    facts = {"backup__recovery_points": points, "backup__policy": STANDARD, "vm__power": power()}
    assert outcome("recovery_points_have_the_wanted_consistency", **facts) == ("ok", "ok")
