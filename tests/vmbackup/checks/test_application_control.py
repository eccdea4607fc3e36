"""Application control or antivirus blocks the Windows backup extension."""

from __future__ import annotations

from typing import Any

import pytest

from judging import failed_job, job, outcome

APPLOCKER = failed_job(None, "GuestAgentSnapshotTaskStatusError")
GENERIC = {"backup__failed_job": APPLOCKER, "backup__jobs": [job("Failed")]}
NAMED = {"backup__failed_job": failed_job(None, "VMRestorePointInternalError"), "backup__jobs": []}
BLOCK = {"source": "AppLocker", "event_id": 8004, "program": "IaaSBcdrExtension.exe", "count": 2, "last": "yesterday"}
CRASH = {"kind": "program", "name": "IaaSBcdrExtension.exe", "count": 1, "last": "yesterday", "detail": None}

OLD_BLOCK, OLD_CRASH = BLOCK | {"last": "2026-11-01T22:00:00Z"}, CRASH | {"last": "2026-11-17T22:00:00Z"}
AFTER_A_GOOD_ONE = GENERIC | {"backup__jobs": [job("Failed"), job(start="2026-11-21T22:00:00Z")]}


def control(*blocked: dict[str, Any]) -> dict[str, Any]:
    return {"guest__application_control": {"blocked": list(blocked), "antivirus": [], "cut": []}}


def crashes(*events: dict[str, Any]) -> dict[str, Any]:
    return {"guest__crashes": {"days": 30, "events": list(events), "cut": []}}


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        (control(BLOCK) | GENERIC, ("problem", "blocked")),
        (control(BLOCK) | crashes() | NAMED, ("problem", "blocked")),
        (control() | crashes(CRASH) | GENERIC, ("problem", "crashed")),
        (control() | crashes(CRASH | {"name": "WaAppAgent.exe"}) | GENERIC, ("ok", "ok")),
        (control() | crashes() | GENERIC, ("ok", "ok")),
        (control(OLD_BLOCK) | crashes(OLD_CRASH) | AFTER_A_GOOD_ONE, ("ok", "ok")),
        (
            control() | {"guest__crashes": {"days": 30, "events": [], "cut": ["events"]}} | GENERIC,
            ("unknown", "not_all_seen"),
        ),
        (control(OLD_BLOCK, BLOCK) | crashes() | AFTER_A_GOOD_ONE, ("problem", "blocked")),
        # The code fits other causes as well: it names none.
        (NAMED, ("unknown", "guest_only")),
        (control() | GENERIC, ("unknown", "guest_only")),
        (
            {"guest__application_control": {"blocked": None, "antivirus": None}} | crashes() | GENERIC,
            ("unknown", "guest_only"),
        ),
    ],
)
def test_in_the_guest(facts: dict[str, Any], expected: tuple[str, str]) -> None:
    assert outcome("backup_extension_may_run", "windows", **facts) == expected
