"""The virtual machine as one GET with the instance view tells it."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

import pytest

from saying import refused
from vmbackup.arm.errors import Unreadable
from vmbackup.collectors.vm import read_agent, read_handlers, read_model, read_power
from vmbackup.model import FactStatus
from worlds import examine

NOW = datetime(2026, 11, 23, 3, tzinfo=timezone.utc)


@pytest.mark.parametrize(
    ("properties", "read"),
    [
        ({"storageProfile": {"osDisk": {"osType": "Windows"}}}, {"os": "windows"}),
        ({"osProfile": {"linuxConfiguration": {}}}, {"os": "linux", "has_os_profile": True}),
        ({"instanceView": {"osName": "Windows Server 2022", "osVersion": "10.0"}}, {"os": "windows"}),
        ({}, {"os": None, "has_os_profile": False, "allow_extension_operations": None, "provision_vm_agent": None}),
        ({"osProfile": None}, {"has_os_profile": False}),
        ({"osProfile": {"allowExtensionOperations": False}}, {"allow_extension_operations": False}),
        ({"osProfile": {"windowsConfiguration": {"provisionVMAgent": True}}}, {"provision_vm_agent": True}),
        (
            {"instanceView": {"osName": "ubuntu", "osVersion": "24.04", "computerName": "host"}},
            {"os_name": "ubuntu 24.04", "computer_name": "host"},
        ),
        (
            {
                "storageProfile": {
                    "imageReference": {"publisher": "Canonical", "offer": "ubuntu-24_04-lts", "sku": "server"}
                }
            },
            {"os_name": "ubuntu-24_04-lts server"},
        ),
        (
            {"networkProfile": {"networkInterfaces": [{"id": "/b"}, {"id": "/a", "properties": {"primary": True}}]}},
            {"nic_ids": ["/a", "/b"]},
        ),
    ],
)
def test_the_model_is_read_and_what_is_not_said_is_none(properties: dict[str, Any], read: dict[str, Any]) -> None:
    model = read_model({"id": "/vm", "properties": properties})
    assert {name: model[name] for name in read} == read  # type: ignore[literal-required]


@pytest.mark.parametrize("wire", [None, [], "vm", 7])
def test_what_is_no_resource_is_unreadable(wire: Any) -> None:
    with pytest.raises(Unreadable):
        read_model(wire)


@pytest.mark.parametrize(
    ("codes", "power", "provisioning"),
    [
        (["ProvisioningState/succeeded", "PowerState/running"], "running", "ProvisioningState/succeeded"),
        (["PowerState/Deallocated"], "deallocated", None),
        (["ProvisioningState/failed/OSProvisioningTimedOut"], None, "ProvisioningState/failed/OSProvisioningTimedOut"),
        ([None, "OSState/generalized"], None, None),
        ([], None, None),
    ],
)
def test_power_and_provisioning_are_two_codes(codes: list[Any], power: str | None, provisioning: str | None) -> None:
    found = read_power({"statuses": [{"code": code} for code in codes]})
    assert (found["power"], found["provisioning"]) == (power, provisioning)


@pytest.mark.parametrize("view", [None, {}, {"vmAgent": None}, {"vmAgent": {}}])
def test_no_agent_is_no_agent(view: Any) -> None:
    assert read_agent(view, NOW) is None


def test_the_newest_report_of_the_agent_counts_in_whatever_zone() -> None:
    statuses = [
        {"displayStatus": "Not Ready", "time": "2026-11-23T02:30:00+01:00"},
        {"displayStatus": "Ready", "time": "2026-11-23T02:00:00.1234567Z"},
    ]
    agent = read_agent({"vmAgent": {"vmAgentVersion": "2.15", "statuses": statuses}}, NOW)
    assert agent is not None
    assert (agent["display_status"], agent["reported_at"]) == ("Ready", "2026-11-23T02:00:00Z")
    assert agent["age_s"] == pytest.approx(3600, abs=1)


@pytest.mark.parametrize("statuses", [None, [], [None], [{"displayStatus": "Ready", "time": "yesterday"}]])
def test_a_report_without_a_time_has_no_age(statuses: Any) -> None:
    agent = read_agent({"vmAgent": {"vmAgentVersion": "Unknown", "statuses": statuses}}, NOW)
    assert agent is not None
    assert agent["age_s"] is None


def test_a_handler_may_have_no_status_yet() -> None:
    view = {"vmAgent": {"extensionHandlers": [{"type": "P.T", "typeHandlerVersion": "1.0"}, {"status": {}}, None]}}
    [handler] = read_handlers(view)
    assert (handler["type"], handler["version"], handler["code"]) == ("P.T", "1.0", None)


def test_a_vm_without_an_agent_is_absent_and_one_that_does_not_exist_stops_the_run() -> None:
    evidence = examine("vm_deallocated_windows")
    assert evidence["vm.power"].data["power"] == "deallocated"
    assert evidence["vm.agent"].status in (FactStatus.OK, FactStatus.ABSENT)
    with refused("Check subscription_id, resource_group and vm_name"):
        examine("error_404_vm")
