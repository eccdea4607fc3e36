"""Each cloud answers for the metrics of many VMs at hosts of its own, with tokens of their own."""

from __future__ import annotations

from datetime import timedelta

import pytest

from in_process import near
from vmbackup.arm.clouds import metrics_audience, portal_host
from vmbackup.arm.errors import ResponseLost
from vmbackup.collectors.metrics import metrics_of_many


@pytest.mark.parametrize(
    ("endpoint", "suffix"),
    [
        ("https://management.azure.com", "metrics.monitor.azure.com"),
        ("https://Management.usgovcloudapi.net/", "metrics.monitor.azure.us"),
        ("https://management.chinacloudapi.cn", "metrics.monitor.azure.cn"),
    ],
)
def test_each_region_has_a_host_and_all_of_a_cloud_one_audience(endpoint: str, suffix: str) -> None:
    found = metrics_audience(endpoint, "West Europe")
    assert found.scope == f"https://{suffix}/.default"
    found.require(f"https://westeurope.{suffix}/subscriptions/s/metrics:getBatch")


@pytest.mark.parametrize(
    ("endpoint", "host"),
    [
        ("https://management.azure.com", "portal.azure.com"),
        ("https://Management.usgovcloudapi.net/", "portal.azure.us"),
        ("https://management.chinacloudapi.cn", "portal.azure.cn"),
        ("https://127.0.0.1:1234", "portal.azure.com"),
    ],
)
def test_each_cloud_has_a_portal_of_its_own(endpoint: str, host: str) -> None:
    assert portal_host(endpoint) == host


def test_another_clouds_host_must_be_given() -> None:
    given = "https://{region}.metrics.local.example"
    assert (
        metrics_audience("https://arm.local.example", "north", given).endpoint == "https://north.metrics.local.example"
    )
    with pytest.raises(ResponseLost):
        metrics_audience("https://arm.local.example", "north")


@pytest.mark.parametrize("region", ["", "evil.example/", "west@evil", "west#", "w\u00e9st", "a" * 50])
def test_what_is_no_region_gets_no_token(region: str) -> None:
    with pytest.raises(ResponseLost):
        metrics_audience("https://management.azure.com", region)


def test_a_token_for_metrics_goes_to_their_host_alone() -> None:
    there = near("healthy_linux")
    now = there.azure.now()
    asked = ("westeurope", [there.target.vm_id], ["Percentage CPU"], now - timedelta(hours=1), now)
    found = metrics_of_many(there.azure, *asked)
    assert found.entries[0]["series"]["Percentage CPU"]["points"]
    assert there.credential.scopes == {
        "https://management.azure.com/.default",
        "https://metrics.monitor.azure.com/.default",
    }
    batch = f"POST westeurope.metrics.monitor.azure.com/subscriptions/{there.target.subscription_id}/metrics:getBatch"
    assert [line for line in there.loopback.requests if "management.azure.com" not in line] == [batch]
