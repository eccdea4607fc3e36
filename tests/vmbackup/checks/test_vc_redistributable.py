"""The Visual C++ runtime that the Windows backup extension needs cannot be installed."""

from __future__ import annotations

from typing import Any

import pytest

from judging import failed_job, job, outcome

GENERIC = {"backup__failed_job": failed_job(), "backup__jobs": [job("Failed")]}


def runtime(*versions: str, start: int | None = 3) -> dict[str, Any]:
    return {"guest__vc_redistributable": {"versions": list(versions), "msiserver_start": start}}


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        (runtime("12.0.40660") | GENERIC, ("ok", "ok")),
        (runtime("12.0.40664") | GENERIC, ("ok", "ok")),
        (runtime("12.0.40660", start=4) | GENERIC, ("ok", "ok")),
        (runtime(start=4) | GENERIC, ("problem", "installer_disabled")),
        (runtime("12.0.21005", start=4) | GENERIC, ("problem", "installer_disabled")),
        (runtime() | GENERIC, ("unknown", "not_installed")),
        (runtime("damaged") | GENERIC, ("unknown", "not_installed")),
        (
            {"guest__vc_redistributable": {"versions": None, "msiserver_start": 4}} | GENERIC,
            ("unknown", "guest_only"),
        ),
    ],
)
def test_in_the_guest(facts: dict[str, Any], expected: tuple[str, str]) -> None:
    assert outcome("vc_redistributable_can_be_installed", "windows", **facts) == expected
