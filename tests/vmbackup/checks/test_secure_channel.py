"""The Windows VM cannot set up a secure channel (TLS) to Azure."""

from __future__ import annotations

from typing import Any

import pytest

from judging import failed_job, job, outcome

GENERIC = {"backup__failed_job": failed_job(), "backup__jobs": [job("Failed")]}


def tls(value: int | None, client: str | None = "default") -> dict[str, Any]:
    keys = {"v4.0.30319": value, "Wow6432Node v4.0.30319": 1}
    return {"guest__tls": {"strong_crypto": keys, "tls12_client": client}}


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        (tls(1) | GENERIC, ("ok", "ok")),
        (tls(0) | GENERIC, ("problem", "weak")),
        (tls(1, "disabled") | GENERIC, ("problem", "tls12_disabled")),
        (tls(None) | GENERIC, ("unknown", "guest_only")),
        (tls(1, None) | GENERIC, ("unknown", "guest_only")),
        ({"guest__tls": {"strong_crypto": {}, "tls12_client": "default"}} | GENERIC, ("unknown", "guest_only")),
    ],
)
def test_in_the_guest(facts: dict[str, Any], expected: tuple[str, str]) -> None:
    assert outcome("secure_channel_can_be_made", "windows", **facts) == expected
