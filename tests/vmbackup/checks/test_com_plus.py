"""COM+ or the Distributed Transaction Coordinator does not work."""

from __future__ import annotations

from typing import Any

import pytest

from judging import failed_job, job, outcome

GENERIC = {"backup__failed_job": failed_job(), "backup__jobs": [job("Failed")]}
SERVICE = {"exists": True, "state": "Stopped", "start": "Manual", "path_ok": True, "account": None}


def services(com: dict[str, Any] | None = None, msdtc: dict[str, Any] | None = None) -> dict[str, Any]:
    account = {"account": "NT AUTHORITY\\NetworkService"}
    return {"guest__services": {"COMSysApp": SERVICE | (com or {}), "MSDTC": SERVICE | account | (msdtc or {})}}


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        (services() | GENERIC, ("ok", "ok")),
        (services(com={"start": "Disabled"}) | GENERIC, ("problem", "disabled")),
        (services(msdtc={"exists": False, "start": None}) | GENERIC, ("problem", "missing")),
        (services(msdtc={"account": "LocalSystem"}) | GENERIC, ("problem", "account")),
        (services(msdtc={"account": "NT AUTHORITY\\NETWORK SERVICE"}) | GENERIC, ("ok", "ok")),
        (services(msdtc={"account": "NT-AUTORITÄT\\Netzwerkdienst"}) | GENERIC, ("ok", "ok")),
        (services(msdtc={"account": None}) | GENERIC, ("unknown", "guest_only")),
        ({"guest__services": {"COMSysApp": SERVICE}} | GENERIC, ("unknown", "guest_only")),
        ({"guest__services": {}} | GENERIC, ("unknown", "guest_only")),
    ],
)
def test_in_the_guest(facts: dict[str, Any], expected: tuple[str, str]) -> None:
    assert outcome("com_plus_services_can_run", "windows", **facts) == expected
