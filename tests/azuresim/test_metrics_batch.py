"""Azure Monitor's own hosts: their own tokens, fifty VMs of one region, and a right in the whole subscription."""

from __future__ import annotations

from typing import Any

import pytest

from azuresim.answer import Answer
from azuresim.fleet import fleet
from azuresim.tokens import METRICS
from simulated import Caller

BATCH = "metricnames=Percentage CPU,VmAvailabilityMetric&starttime=2026-11-22T23:00:00Z&endtime=2026-11-22T23:10:00Z"
HOST = "westeurope.metrics.monitor.azure.com"


@pytest.fixture
def caller() -> Caller:
    return Caller(*fleet(3, seed=1))


def asked(caller: Caller, audience: str = METRICS, host: str = HOST, **body: Any) -> Answer:
    caller.token = caller.token_for(audience)
    url = f"/subscriptions/{caller.world.subscription}/metrics:getBatch?{BATCH}"
    return caller.ask("POST", url, {"resourceids": ids(caller), **body}, Host=host)


def ids(caller: Caller) -> list[str]:
    return [world.vm_id(world.machines[0]) for world in caller.azure.worlds]


def test_each_vm_has_its_metrics(caller: Caller) -> None:
    values = asked(caller).body["values"]
    assert [each["resourceid"] for each in values] == ids(caller)
    assert [[len(metric["timeseries"][0]["data"]) for metric in each["value"]] for each in values] == [[10, 10]] * 3


def test_a_token_is_for_one_of_the_services(caller: Caller) -> None:
    assert asked(caller, audience="https://management.azure.com").status == 401
    caller.token = caller.token_for(METRICS)
    assert caller.ask("GET", caller.vm).status == 401


def test_no_other_region_and_no_more_than_fifty(caller: Caller) -> None:
    assert asked(caller, host="northeurope.metrics.monitor.azure.com").status == 400
    assert asked(caller, resourceids=["/subscriptions/s"] * 51).status == 400


def test_a_right_that_is_missing_for_one_vm_refuses_all(caller: Caller) -> None:
    caller.azure.worlds[1].spec["permissions"] = {"deny": ["Microsoft.Insights/metrics/read"]}
    assert asked(caller).status == 403
