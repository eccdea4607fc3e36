"""Security rules: those that hold for what this VM sends, as Azure computes them or as they are written."""

from __future__ import annotations

from typing import Any

import pytest

from vmbackup.arm.errors import Unreadable
from vmbackup.collectors.rules import read_effective_rules, read_nsg, rules_of_neighbour
from vmbackup.facts.network import Nic

ME = ["10.0.0.4"]
OUT = {"direction": "Outbound", "access": "Deny", "priority": 100, "protocol": "Tcp", "destinationPortRange": "443"}


def effective(**said: Any) -> list[Any]:
    rule = {"name": "r", "destinationAddressPrefix": "Storage", **OUT, **said}
    wire = {"value": [{"association": {"subnet": {"id": "s"}}, "effectiveSecurityRules": [rule]}]}
    return read_effective_rules("nic", wire, ME)["rules"]


@pytest.mark.parametrize(
    ("said", "holds"),
    [
        ({}, True),
        ({"sourceAddressPrefix": "*"}, True),
        ({"sourceAddressPrefix": "VirtualNetwork"}, True),
        ({"sourceAddressPrefix": "0.0.0.0/0"}, True),
        ({"sourceAddressPrefixes": ["10.0.1.0/24", "10.0.0.0/24"]}, True),
        ({"sourceAddressPrefix": "10.0.0.5"}, False),
        ({"sourceAddressPrefixes": ["10.0.1.0/24"]}, False),
        ({"sourceAddressPrefix": "10.0.0.5", "direction": "Inbound"}, True),
        ({"expandedSourceAddressPrefix": ["10.0.0.9/32"]}, False),
        ({"sourcePortRange": "0-65535"}, True),
        ({"sourcePortRange": "123"}, False),
        ({"sourcePortRanges": ["123", "50000-50010"]}, True),
    ],
)
def test_a_rule_for_another_sender_of_the_subnet_is_no_rule_of_this_vm(said: dict[str, Any], holds: bool) -> None:
    assert bool(effective(**said)) is holds


def test_addresses_behind_a_group_stand_in_where_the_rule_names_no_prefix() -> None:
    behind = ["20.60.0.0/16"]
    assert effective(expandedDestinationAddressPrefix=behind)[0]["destinations"] == ["Storage"]
    named_by_group = {"destinationAddressPrefix": None, "expandedDestinationAddressPrefix": behind}
    assert effective(**named_by_group)[0]["destinations"] == behind


@pytest.mark.parametrize(
    ("said", "ports"),
    [
        ({"destinationPortRange": "0-65535"}, ["*"]),
        ({"destinationPortRange": "443-443"}, ["443"]),
        ({"destinationPortRange": "80-90"}, ["80-90"]),
        ({"destinationPortRange": "*"}, ["*"]),
        ({"destinationPortRange": None, "destinationPortRanges": ["80", "443-443"]}, ["80", "443"]),
    ],
)
def test_ports_are_written_one_way(said: dict[str, Any], ports: list[str]) -> None:
    assert effective(**said)[0]["ports"] == ports


def test_layers_are_told_by_the_association() -> None:
    group = {"effectiveSecurityRules": [{"name": "r", **OUT}]}
    nic, subnet = {"networkInterface": {"id": "n"}}, {"networkInterface": None, "subnet": {"id": "s"}}
    wire = {"value": [{**group, "association": nic}, {**group, "association": subnet}]}
    assert [rule["layer"] for rule in read_effective_rules("nic", wire)["rules"]] == ["nic", "subnet"]


def test_a_written_group_ends_with_its_default_rules() -> None:
    wire = {
        "id": "/nsg",
        "properties": {
            "securityRules": [{"name": "own", "properties": OUT}],
            "defaultSecurityRules": [{"name": "DenyAllOutBound", "properties": {**OUT, "priority": 65500}}],
        },
    }
    assert [(rule["name"], rule["nsg"], rule["layer"]) for rule in read_nsg(wire, "nic")] == [
        ("own", "/nsg", "nic"),
        ("DenyAllOutBound", "/nsg", "nic"),
    ]


@pytest.mark.parametrize(("groups", "holds"), [(["/asg/web"], True), (["/asg/db"], False), ([], False), (None, True)])
def test_a_written_rule_may_name_its_senders_by_group(groups: list[str] | None, holds: bool) -> None:
    rule = {"name": "r", "properties": {**OUT, "sourceApplicationSecurityGroups": [{"id": "/asg/Web"}]}}
    assert (
        bool(read_nsg({"properties": {"securityRules": [rule], "defaultSecurityRules": []}}, "subnet", ME, groups))
        is holds
    )


def test_no_rules_are_no_rules() -> None:
    assert read_effective_rules("nic", {"value": []})["rules"] == []
    assert read_nsg({"properties": {"securityRules": [], "defaultSecurityRules": []}}, "nic") == []
    with pytest.raises(Unreadable):
        read_nsg({"properties": {"securityRules": []}}, "nic")


@pytest.mark.parametrize(
    "wire", [{}, {"value": None}, {"value": [None]}, {"value": [{}]}, {"value": [{"effectiveSecurityRules": [{}]}]}]
)
def test_rules_that_were_left_out_are_not_the_same_as_none(wire: dict[str, Any]) -> None:
    """Left out, a rule that denies would leave an open way."""
    with pytest.raises(Unreadable):
        read_effective_rules("nic", wire)


@pytest.mark.parametrize("gone", ["direction", "access", "priority", "destinationPortRange"])
def test_half_a_rule_is_unreadable(gone: str) -> None:
    half = {name: value for name, value in OUT.items() if name != gone}
    with pytest.raises(Unreadable):
        read_nsg({"properties": {"securityRules": [{"name": "r", "properties": half}]}}, "nic")


@pytest.mark.parametrize(
    "said", [{"access": "Audit"}, {"direction": "Both"}, {"destinationPortRange": "https"}, {"protocol": "Quic"}]
)
def test_a_word_that_nobody_knows_is_not_taken_for_deny_or_inbound(said: dict[str, str]) -> None:
    with pytest.raises(Unreadable):
        read_nsg({"properties": {"securityRules": [{"name": "r", "properties": {**OUT, **said}}]}}, "nic")


# --- of a neighbour in the subnet -----------------------------------------------------------------------------------

CONFIG = {"name": "c", "primary": True, "private_ip": ME[0], "allocation": "Dynamic", "subnet_id": "s"}
MINE: Nic = {"id": "mine", "name": "mine", "primary": True, "nsg_id": "nsg-mine", "ip_configs": [CONFIG]}  # type: ignore[list-item]


def group(place: str | None, name: str) -> dict[str, Any]:
    rule = {**OUT, "name": name, "destinationAddressPrefix": "*"}
    return {"association": {place: {"id": "its"}} if place else {}, "effectiveSecurityRules": [rule]}


def mine(resource_id: str) -> Any:
    assert resource_id == "nsg-mine"
    written = {"name": "own", "properties": {**OUT, "destinationAddressPrefix": "*"}}
    return {"id": resource_id, "properties": {"securityRules": [written], "defaultSecurityRules": []}}


def test_a_neighbour_tells_all_but_the_rules_of_its_own_group() -> None:
    wire = {"value": [group("networkManager", "admin"), group("subnet", "shared"), group("networkInterface", "its")]}
    found = rules_of_neighbour(MINE, [], wire, mine)
    assert [(rule["name"], rule["layer"]) for rule in found["rules"]] == [
        ("admin", "subnet"),
        ("shared", "subnet"),
        ("own", "nic"),
    ]


def test_a_group_that_belongs_to_nothing_may_be_the_neighbours_own() -> None:
    with pytest.raises(Unreadable):
        rules_of_neighbour(MINE, [], {"value": [group(None, "whose")]}, mine)
