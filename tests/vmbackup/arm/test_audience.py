"""A token goes only to hosts of its audience, whatever an answer names: next page, operation, result or redirect."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from in_process import ENDPOINT, Damage, Near, Sent, near
from vmbackup.arm.audience import Audience, ForeignHost
from vmbackup.arm.audit import Audit, allow_changes
from vmbackup.arm.client import Arm
from vmbackup.arm.errors import ResponseLost
from vmbackup.collectors import collect
from vmbackup.model import FactStatus
from vmbackup.runs.folder import AUDIT, RunFolder

PUBLIC = Audience(ENDPOINT)
EVIL = "https://evil.example/subscriptions/s?api-version=1"


@pytest.mark.parametrize(
    "url",
    [
        "https://management.azure.com/subscriptions/s",
        "https://MANAGEMENT.azure.com/",
        "https://management.azure.com:443/next",
        "https://ada@management.azure.com/",
    ],
)
def test_the_audience_is_the_host_itself(url: str) -> None:
    PUBLIC.require(url)


@pytest.mark.parametrize(
    "url",
    [
        EVIL,
        "http://management.azure.com/",
        "https://management.azure.com:8443/",
        "https://management.azure.com@evil.example/",
        "https://management.azure.com.evil.example/",
        "https://evil.example/management.azure.com",
        "https://evil.example#@management.azure.com/",
        "https://management.azure.com\\@evil.example/",
        "https://management.azure.com\t.evil.example/",
        "https://management.azure.com:port/",
        "https://xmanagement.azure.com/",
        "https://management.usgovcloudapi.net/",
        "https://westeurope.metrics.monitor.azure.com/",
        "//management.azure.com/",
        "/subscriptions/s",
        "",
    ],
)
def test_every_other_host_is_foreign(url: str) -> None:
    with pytest.raises(ForeignHost):
        PUBLIC.require(url)


def test_a_simulator_is_an_audience_of_its_own_with_its_port() -> None:
    own = Audience("https://127.0.0.1:8443")
    own.require("https://127.0.0.1:8443/next")
    assert own.scope == "https://127.0.0.1:8443/.default"
    with pytest.raises(ForeignHost):
        own.require("https://127.0.0.1/next")


def foreign(there: Near) -> list[str]:
    return [line for line in there.loopback.requests if "management.azure.com/" not in line]


def linked(sent: Sent) -> Sent:
    return replace(sent, data=json.dumps({**json.loads(sent.data), "nextLink": EVIL}).encode(), promised=None)


def redirected(sent: Sent) -> Sent:
    return Sent(302, {**sent.headers, "Location": EVIL}, b"")


def accepted(header: str) -> Damage:
    return lambda line, sent: Sent(202, {header: EVIL}, b"") if line.startswith("POST") else sent


@pytest.mark.parametrize(
    ("fact", "damage"),
    [
        ("backup.jobs", lambda line, sent: linked(sent) if line.endswith("/backupJobs") else sent),
        ("vm.locks", lambda line, sent: linked(sent) if line.endswith("/locks") else sent),
        ("vm.activity", lambda line, sent: linked(sent) if line.endswith("/values") else sent),
        ("vm.health", lambda line, sent: redirected(sent) if "/availabilityStatuses" in line else sent),
        ("network.routes", accepted("Location")),
        ("network.rules", accepted("Azure-AsyncOperation")),
    ],
)
def test_no_request_follows_an_answer_to_another_host(fact: str, damage: Damage) -> None:
    there = near("healthy_linux")
    there.loopback.damage = damage
    found = collect(there.azure, there.target, deadline_s=20, only=[fact])[fact]
    assert (found.status, found.why, found.details["host"]) == (FactStatus.FAILED, "foreign_host", "evil.example")
    assert foreign(there) == []
    assert there.credential.scopes == {f"{ENDPOINT}/.default"}


def test_a_change_whose_operation_is_said_to_be_elsewhere_has_an_open_end(tmp_path: Path) -> None:
    there = near("healthy_linux")
    there.loopback.damage = accepted("Location")
    arm = Arm.on(there.azure)
    audit = Audit(RunFolder(tmp_path).log(AUDIT), "ada")
    with allow_changes(audit, "restart_vm"), pytest.raises(ResponseLost, match="evil"):
        arm.complete("POST", f"{there.target.vm_id}/restart")
    assert foreign(there) == []
