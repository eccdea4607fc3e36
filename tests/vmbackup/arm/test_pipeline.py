"""Requests are noted without secrets, absurd answers are refused, and no wait outlives the deadline."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from vmbackup.arm.call import calling
from vmbackup.arm.pipeline import shown
from vmbackup.arm.transport import Transport
from vmbackup.collectors import collect
from vmbackup.model import FactStatus
from worlds import world

VM = "https://management.azure.com/subscriptions/s/vm"


@pytest.mark.parametrize(
    ("url", "line"),
    [
        (f"{VM}?api-version=2026-04-01", "GET /subscriptions/s/vm"),
        (f"{VM}?$expand=instanceView&api-version=1", "GET /subscriptions/s/vm?$expand=instanceView"),
        (f"{VM}?$filter=name%20eq%20%27a%27", "GET /subscriptions/s/vm?$filter=name eq 'a'"),
        (f"{VM}?sv=2024&se=tomorrow&sig=hush", "GET /subscriptions/s/vm"),
        (f"{VM}?$skiptoken=abc", "GET /subscriptions/s/vm"),
        ("https://user:word@host/x", "GET /x"),
    ],
)
def test_a_request_is_shown_without_host_version_or_secret(url: str, line: str) -> None:
    assert shown("GET", url) == line


def asked(requests: list[tuple[str, str]]) -> Counter[str]:
    return Counter(path.partition("?")[0].rsplit("/", 1)[-1] for _, path in requests)


def written(folder: Path, *faults: str) -> str:
    """A world of a healthy VM with these faults, as a file."""
    file = folder / "faulty.yaml"
    file.write_text("\n".join(["os: linux", "faults:", *(f"- {{{fault}}}" for fault in faults)]), "utf-8")
    return str(file)


def test_a_wait_longer_than_there_is_time_fails_at_once_and_azure_is_not_asked_again(tmp_path: Path) -> None:
    throttled = written(tmp_path, 'match: "/metrics", status: 429, code: Throttled, headers: {Retry-After: "600"}')
    with world(throttled) as (simulator, azure, target):
        evidence = collect(azure, target, deadline_s=20, only=["vm.metrics"])
        assert asked(simulator.requests)["metrics"] == 1
    assert (evidence["vm.metrics"].why, dict(evidence["vm.metrics"].details)) == ("throttled", {"retry_after": "600"})


def test_a_short_wait_is_obeyed(tmp_path: Path) -> None:
    once = written(tmp_path, 'match: "/metrics", status: 429, code: Throttled, headers: {Retry-After: "1"}, times: 1')
    with world(once) as (simulator, azure, target):
        evidence = collect(azure, target, deadline_s=20, only=["vm.metrics"])
        assert asked(simulator.requests)["metrics"] == 2
    assert evidence["vm.metrics"].status is FactStatus.OK
    assert evidence["vm.metrics"].took_ms >= 1000


def test_an_answer_of_absurd_size_is_read_once_and_refused() -> None:
    with world("error_50_mb") as (simulator, azure, target):
        evidence = collect(azure, target, deadline_s=20, only=["backup.jobs"])
        assert asked(simulator.requests)["backupJobs"] == 1
    assert dict(evidence["backup.jobs"].details) == {"mb": "50"}


def test_nothing_is_sent_after_the_deadline() -> None:
    with calling(deadline_s=0), pytest.raises(TimeoutError):
        Transport().send(None)


def test_an_unregistered_provider_is_a_conflict_and_is_not_registered(tmp_path: Path) -> None:
    """The SDK would register it by itself: a change, which a run that reads must not make."""
    message = "The subscription is not registered to use namespace 'Microsoft.ResourceHealth'."
    fault = f'match: "/availabilityStatuses", status: 409, code: MissingSubscriptionRegistration, message: "{message}"'
    with world(written(tmp_path, fault)) as (simulator, azure, target):
        fact = collect(azure, target, deadline_s=20, only=["vm.health"])["vm.health"]
        assert not any("register" in path.lower() for _, path in simulator.requests)
    assert (fact.why, fact.details["code"]) == ("conflict", "MissingSubscriptionRegistration")


def test_azure_is_asked_in_english_and_its_clock_is_the_clock() -> None:
    with world("healthy_linux") as (_, azure, target):
        evidence = collect(azure, target, deadline_s=20, only=["vm.model"])
        assert azure.now().isoformat() == "2026-11-23T03:00:00+00:00"
        assert azure.calls == 1
    assert evidence["vm.model"].taken_at == "2026-11-23T03:00:00Z"
    assert evidence["vm.model"].how == (f"GET {target.vm_id}?$expand=instanceView",)
