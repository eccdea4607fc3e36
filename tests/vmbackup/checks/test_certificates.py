"""The certificates with which agent and extension read their settings are missing, expired or unreadable."""

from __future__ import annotations

from typing import Any

import pytest

from judging import failed_job, job, outcome

GENERIC = {"backup__failed_job": failed_job(), "backup__jobs": [job("Failed")]}


def keys(acl_ok: bool | None, *missing: str) -> dict[str, Any]:
    return {"guest__machine_keys": {"acl_ok": acl_ok, "missing": list(missing)}}


def certificate(present: bool | None, valid: bool | None) -> dict[str, Any]:
    fact = {"tenant_present": present, "tenant_valid": valid, "tenant_expires": "2026-01-01"}
    return {"guest__windows_certificates": fact}


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        (keys(True) | certificate(True, True) | GENERIC, ("ok", "ok")),
        (keys(False, "Everyone") | GENERIC, ("problem", "machine_keys")),
        (certificate(False, None) | GENERIC, ("problem", "missing")),
        (certificate(True, False) | GENERIC, ("problem", "expired")),
        (keys(True) | GENERIC, ("unknown", "guest_only")),
        (keys(None) | certificate(None, None) | GENERIC, ("unknown", "guest_only")),
    ],
)
def test_on_windows(facts: dict[str, Any], expected: tuple[str, str]) -> None:
    assert outcome("windows_certificates_are_usable", "windows", **facts) == expected


def state(certificate: bool | None = True, private_keys: int | None = 1, readable: bool = True) -> dict[str, Any]:
    fact = {"readable": readable, "transport_certificate": certificate, "private_keys": private_keys, "handlers": []}
    return {"guest__agent_state": fact}


def openssl(config_ok: bool | None = True, fips: bool | None = False) -> dict[str, Any]:
    fact = {"path": "/usr/bin/openssl", "version": "3", "fips": fips, "config_ok": config_ok, "error": "line 23"}
    return {"guest__openssl": fact}


RUNS = {"guest__agent": {"daemon": True, "exthandlers": True}}
CIPHER = {"guest__logs": {"patterns": {"openssl_cipher": {"count": 3, "last": None}}}}


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        (state() | openssl() | GENERIC, ("ok", "ok")),
        (openssl(config_ok=False) | GENERIC, ("problem", "openssl")),
        ({"guest__openssl": {"path": ""}} | state(certificate=False) | GENERIC, ("problem", "no_openssl")),
        (state(certificate=False) | openssl() | RUNS | GENERIC, ("problem", "missing")),
        (state(private_keys=0) | openssl() | RUNS | GENERIC, ("problem", "no_private_key")),
        # The agent never got so far as to fetch them: a consequence of something else.
        (state(certificate=False) | openssl() | GENERIC, ("unknown", "missing_so_far")),
        (state(private_keys=0) | openssl() | GENERIC, ("unknown", "missing_so_far")),
        (state(None, None, readable=False) | openssl() | GENERIC, ("unknown", "guest_only")),
        (state() | openssl(fips=True) | GENERIC, ("unknown", "fips")),
        (state() | openssl(fips=True) | CIPHER | GENERIC, ("problem", "fips_refuses")),
        (state() | GENERIC, ("unknown", "guest_only")),
        (openssl(config_ok=None) | state() | GENERIC, ("unknown", "guest_only")),
    ],
)
def test_on_linux(facts: dict[str, Any], expected: tuple[str, str]) -> None:
    assert outcome("linux_certificates_are_usable", **facts) == expected
