"""Interfaces, subnets and routes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from vmbackup.arm.errors import Unreadable
from vmbackup.collectors.network import interface_ids, read_application_groups, read_nic, read_subnet, subnets_of
from vmbackup.collectors.routes import read_effective_routes, read_route_table
from worlds import examine


def test_an_interface_keeps_its_addresses_and_how_they_were_given() -> None:
    config = {
        "name": "c",
        "properties": {
            "primary": True,
            "privateIPAddress": "10.0.0.4",
            "privateIPAllocationMethod": "Static",
            "subnet": {"id": "/subnet"},
        },
    }
    nic = read_nic({"id": "/nics/n", "properties": {"ipConfigurations": [config], "networkSecurityGroup": None}})
    assert (nic["name"], nic["nsg_id"], nic["primary"]) == ("n", None, False)
    assert nic["ip_configs"] == [
        {"name": "c", "primary": True, "private_ip": "10.0.0.4", "allocation": "Static", "subnet_id": "/subnet"}
    ]


@pytest.mark.parametrize("properties", [None, {}, {"ipConfigurations": None}, {"ipConfigurations": [None]}])
def test_an_interface_that_does_not_tell_its_addresses_is_not_one_without(properties: Any) -> None:
    wire = {"id": "/nics/n", "properties": properties}
    with pytest.raises(Unreadable):
        read_nic(wire)
    assert read_application_groups(wire) == []


@pytest.mark.parametrize("wire", [{}, {"networkInterfaces": None}, {"networkInterfaces": [{"id": None}]}])
def test_interfaces_that_the_vm_does_not_tell_are_not_none(wire: Any) -> None:
    with pytest.raises(Unreadable):
        interface_ids({"properties": {"networkProfile": wire}})


def test_a_subnet_that_says_nothing_about_default_outbound_access_has_none() -> None:
    assert read_subnet({"id": "/s", "properties": {}})["default_outbound"] is None
    assert read_subnet({"id": "/s", "properties": {"defaultOutboundAccess": False}})["default_outbound"] is False
    endpoints = [{"service": "Microsoft.Storage"}, {"service": None}]
    assert read_subnet({"id": "/s", "properties": {"serviceEndpoints": endpoints}})["service_endpoints"] == [
        "Microsoft.Storage"
    ]


def test_the_only_interface_is_the_primary_one_and_several_keep_the_primary_first(tmp_path: Path) -> None:
    assert [nic["primary"] for nic in examine("healthy_linux")["network.nics"].data] == [True]
    two = tmp_path / "two.yaml"
    two.write_text("os: linux\nnics: [{}, {}]", "utf-8")
    assert [nic["primary"] for nic in examine(str(two))["network.nics"].data] == [True, False]


def test_a_route_may_have_several_prefixes_and_no_address() -> None:
    said = {"source": "User", "state": "Invalid", "addressPrefix": ["0.0.0.0/0"], "nextHopType": "None"}
    [route] = read_effective_routes("nic", {"value": [said]})["routes"]
    assert route == {
        "prefixes": ["0.0.0.0/0"],
        "next_hop": "None",
        "next_hop_ips": [],
        "origin": "User",
        "state": "Invalid",
    }
    assert read_effective_routes("nic", {"value": []})["routes"] == []


def test_a_route_table_holds_the_users_routes() -> None:
    table = {
        "properties": {
            "routes": [
                {
                    "properties": {
                        "addressPrefix": "0.0.0.0/0",
                        "nextHopType": "VirtualAppliance",
                        "nextHopIpAddress": "10.0.9.4",
                    }
                }
            ]
        }
    }
    [route] = read_route_table(table)
    assert (route["prefixes"], route["next_hop_ips"], route["origin"]) == (["0.0.0.0/0"], ["10.0.9.4"], "User")
    assert read_route_table({"properties": {"routes": []}}) == []


@pytest.mark.parametrize("gone", ["addressPrefix", "nextHopType"])
def test_half_a_route_is_unreadable(gone: str) -> None:
    said = {"addressPrefix": "0.0.0.0/0", "nextHopType": "None"}
    half = {name: value for name, value in said.items() if name != gone}
    with pytest.raises(Unreadable):
        read_route_table({"properties": {"routes": [{"properties": half}]}})
    with pytest.raises(Unreadable):
        read_effective_routes("nic", {"value": [{**half, "addressPrefix": None}]})


def test_routes_that_were_left_out_are_not_the_same_as_none() -> None:
    with pytest.raises(Unreadable):
        read_effective_routes("nic", {"value": None})
    with pytest.raises(Unreadable):
        read_route_table({"properties": {}})


def test_a_subnet_is_the_interfaces_own_in_any_letter_case() -> None:
    config = {"name": "c", "properties": {"subnet": {"id": "/subscriptions/s/resourceGroups/RG/subnets/default"}}}
    nic = read_nic({"id": "/nics/n", "properties": {"ipConfigurations": [config]}})
    own, other = (
        read_subnet({"id": f"/subscriptions/s/resourcegroups/rg/subnets/{name}"}) for name in ("Default", "b")
    )
    assert subnets_of(nic, [own, other]) == [own]


@pytest.mark.parametrize("fact", ["network.rules", "network.routes"])
def test_of_a_stopped_vm_rules_and_routes_are_read_as_written_and_the_fact_says_why(fact: str) -> None:
    found = examine("snapshot_shutdown_linux")[fact]
    assert found.data["source"] == "objects"
    assert found.details["code"].startswith("NicMustBeAttachedToRunningVm")


def test_a_route_that_leads_nowhere_arrives() -> None:
    [nic] = examine("no_internet_route")["network.routes"].data["nics"]
    assert ("None", ["0.0.0.0/0"]) in [(route["next_hop"], route["prefixes"]) for route in nic["routes"]]
