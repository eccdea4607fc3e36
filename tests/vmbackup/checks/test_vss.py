"""The Volume Shadow Copy Service, or one of its writers, is in a bad state."""

from __future__ import annotations

from typing import Any

import pytest

from judging import failed_job, job, judge, outcome

CHECK = "vss_writers_are_stable"
GENERIC = {"backup__failed_job": failed_job(), "backup__jobs": [job("Failed")]}
GOOD = {"backup__failed_job": None, "backup__jobs": [job()]}


def writers(*codes: int | None, timed_out: bool = False) -> dict[str, Any]:
    rows = [{"name": f"Writer {n}", "code": code, "state": "s", "error": None} for n, code in enumerate(codes)]
    return {"guest__vss": {"writers": rows, "timed_out": timed_out}}


def service(**changes: Any) -> dict[str, Any]:
    fact = {"exists": True, "state": "Stopped", "start": "Manual", "path_ok": True, "account": None}
    return {"guest__services": {"VSS": fact | changes}}


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        (writers(1, 1) | GENERIC, ("ok", "ok")),
        (writers(1, 8) | GENERIC, ("problem", "writers")),
        (writers(1, 11) | GOOD, ("problem", "writers")),
        (writers(1, 5) | GENERIC, ("unknown", "busy")),
        (writers(1, None) | GENERIC, ("unknown", "no_writers")),
        (writers() | GENERIC, ("unknown", "no_writers")),
        (writers() | GOOD, ("unknown", "no_writers")),
        (writers(timed_out=True) | GENERIC, ("unknown", "silent")),
        (service(start="Disabled") | GENERIC, ("problem", "service")),
        (service(exists=False, start=None) | GENERIC, ("problem", "service")),
        (service() | GENERIC, ("unknown", "guest_only")),
        (service() | writers(1) | GENERIC, ("ok", "ok")),
    ],
)
def test_in_the_guest(facts: dict[str, Any], expected: tuple[str, str]) -> None:
    assert outcome(CHECK, "windows", **facts) == expected


def test_the_failed_writers_are_named() -> None:
    finding = judge(CHECK, "windows", **writers(1, 9, 8), **GENERIC)
    assert finding.values == {"names": ["Writer 1", "Writer 2"], "state": "s"}
