"""No Internet access: a block is a problem only where today's path needs Azure Storage."""

from __future__ import annotations

from typing import Any

import pytest

from judging import DENIED, NO_NETWORK, agent, disk, failed_job, item, job, judge, model, outcome, power, silent_agent

NIC = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/networkInterfaces/nic"
SUBNET = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/virtualNetworks/v/subnets/default"
RULES, ROUTES = "outbound_rules_let_storage_through", "routes_lead_to_storage"
NOT_NEEDED = {"vm__agent": agent(), "vm__disks": [disk()], "backup__failed_job": failed_job()}
NEEDED = NOT_NEEDED | {"backup__failed_job": NO_NETWORK}


def rule(access: str, *destinations: str, priority: int = 100, **changes: Any) -> dict[str, Any]:
    return {
        "name": f"{access}{priority}",
        "nsg": "/nsg/web",
        "layer": "subnet",
        "direction": "Outbound",
        "access": access,
        "priority": priority,
        "protocol": "*",
        "destinations": list(destinations),
        "ports": ["*"],
    } | changes


DEFAULTS = [
    rule("Allow", "VirtualNetwork", priority=65000),
    rule("Allow", "Internet", priority=65001, name="defaultSecurityRules/AllowInternetOutBound"),
    rule("Deny", "0.0.0.0/0", priority=65500),
]


def rules(*listed: dict[str, Any]) -> dict[str, Any]:
    return {"source": "effective", "nics": [{"nic": NIC, "rules": [*listed, *DEFAULTS]}]}


@pytest.mark.parametrize(
    ("listed", "state"),
    [
        ([], "open"),
        ([rule("Deny", "Internet")], "closed"),
        ([rule("Deny", "*")], "closed"),
        ([rule("Deny", "0.0.0.0/0")], "closed"),
        ([rule("Deny", "Storage")], "closed"),
        ([rule("Deny", "Storage.WestEurope")], "closed"),
        ([rule("Deny", "AzureCloud")], "closed"),
        ([rule("Deny", "AzureCloud.westeurope")], "closed"),
        ([rule("Deny", "Storage.NorthEurope")], "open"),
        ([rule("Deny", "Sql")], "open"),
        ([rule("Allow", "Storage.WestEurope"), rule("Deny", "Internet", priority=200)], "open"),
        ([rule("Deny", "Internet", priority=200), rule("Allow", "Storage", priority=300)], "closed"),
        ([rule("Deny", "Internet", protocol="Udp")], "open"),
        ([rule("Deny", "Internet", protocol="TCP", ports=["80"])], "open"),
        ([rule("Deny", "Internet", protocol="TCP", ports=["80", "443"])], "closed"),
        ([rule("Deny", "Internet", protocol="All", ports=["0-65535"])], "closed"),
        ([rule("Deny", "Internet", ports=["440-450"])], "closed"),
        ([rule("Deny", "Internet", ports=["nonsense"])], "open"),
        ([rule("Deny", "Internet", direction="Inbound")], "open"),
        ([rule("Deny", "168.63.129.16/32")], "open"),
        ([rule("Deny", "10.0.0.0/8")], "open"),
        ([rule("Deny", "AzurePlatformIMDS")], "open"),
        ([rule("Allow", "20.60.0.0/16"), rule("Deny", "Internet", priority=200)], "unsure"),
        ([rule("Allow", "20.60.0.0/16")], "open"),
        ([rule("Deny", "0.0.0.0/1", "128.0.0.0/1")], "closed"),
        ([rule("Deny", "0.0.0.0/1", "128.0.0.0/2")], "unsure"),
        ([rule("Deny", "0.0.0.0/1"), rule("Deny", "128.0.0.0/1", priority=200)], "unsure"),
    ],
)
def test_the_first_rule_that_covers_storage_decides(listed: list[dict[str, Any]], state: str) -> None:
    verdict = outcome(RULES, network__rules=rules(*listed), vm__model=model(), **NEEDED)
    assert verdict == {"open": ("ok", "ok"), "closed": ("problem", "problem"), "unsure": ("unknown", "unsure")}[state]


def test_both_layers_must_let_traffic_through() -> None:
    nic_layer = [dict(each, layer="nic", nsg="/nsg/nic") for each in [rule("Deny", "Internet"), *DEFAULTS]]
    finding = judge(RULES, network__rules=rules(*nic_layer), vm__model=model(), **NEEDED)
    assert (finding.verdict, finding.values["of"]) == ("problem", "nic")


def test_no_security_group_lets_everything_through() -> None:
    empty = {"source": "objects", "nics": [{"nic": NIC, "rules": []}]}
    assert outcome(RULES, network__rules=empty, vm__model=model(), **NEEDED) == ("ok", "ok")


def test_no_interface_is_no_open_way() -> None:
    none = {"source": "effective", "nics": []}
    assert outcome(RULES, network__rules=none, vm__model=model(), **NEEDED) == ("unknown", "nothing_listed")
    assert outcome(RULES, network__rules=none, vm__model=model(), **NOT_NEEDED) == ("ok", "not_needed")
    assert outcome(ROUTES, network__routes=none, vm__model=model(), **NOT_NEEDED) == ("ok", "not_needed")


@pytest.mark.parametrize(("check", "fact"), [(RULES, "network__rules"), (ROUTES, "network__routes")])
def test_an_interface_that_azure_does_not_know_is_no_open_way(check: str, fact: str) -> None:
    assert outcome(check, **{fact: None}, vm__model=model(), **NEEDED) == ("unknown", "nothing_listed")


def test_the_primary_interface_carries_the_traffic() -> None:
    other = NIC + "2"
    both = {
        "source": "effective",
        "nics": [
            {"nic": other, "rules": [rule("Deny", "Internet"), *DEFAULTS]},
            {"nic": NIC.upper(), "rules": DEFAULTS},
        ],
    }
    nics = [nic(NIC), nic(other, primary=False)]
    facts = {"network__rules": both, "vm__model": model(), **NEEDED}
    assert outcome(RULES, network__nics=nics, **facts) == ("ok", "ok")
    assert outcome(RULES, **facts) == ("unknown", "unsure")


BLOCKED = rules(rule("Deny", "Internet"))


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        (NOT_NEEDED, ("ok", "blocked_but_not_needed")),
        (NOT_NEEDED | {"backup__failed_job": None, "backup__jobs": [job()]}, ("ok", "blocked_but_not_needed")),
        (NEEDED, ("problem", "problem")),
        (
            NOT_NEEDED | {"backup__failed_job": failed_job(None, None, dynamic_message="FailedRestrictedNetwork")},
            ("problem", "problem"),
        ),
        (NOT_NEEDED | {"vm__agent": agent(version="2.2.18")}, ("problem", "blocked_old_agent")),
        (NOT_NEEDED | {"vm__agent": agent(version="WALinuxAgent-2.2.18")}, ("problem", "blocked_old_agent")),
        (NOT_NEEDED | {"vm__disks": [disk(write_accelerator=True)]}, ("problem", "blocked_write_accelerator")),
        (NOT_NEEDED | {"vm__agent": silent_agent()}, ("unknown", "blocked_need_unclear")),
        (NOT_NEEDED | {"vm__agent": None}, ("unknown", "blocked_need_unclear")),
        (NOT_NEEDED | {"vm__disks": DENIED}, ("unknown", "blocked_need_unclear")),
        (NOT_NEEDED | {"backup__failed_job": DENIED}, ("unknown", "blocked_need_unclear")),
        (NOT_NEEDED | {"backup__failed_job": failed_job(None, None)}, ("unknown", "blocked_need_unclear")),
        (
            NOT_NEEDED
            | {
                "backup__failed_job": DENIED,
                "backup__item": item(health_details=[{"code": 400206, "title": None, "message": None}]),
            },
            ("problem", "problem"),
        ),
        ({}, ("unknown", "blocked_need_unclear")),
    ],
)
def test_a_block_is_a_problem_only_where_storage_is_needed(facts: dict[str, Any], expected: tuple[str, str]) -> None:
    assert outcome(RULES, network__rules=BLOCKED, vm__model=model(), **facts) == expected
    closed = routes(route("None", "0.0.0.0/0", origin="User"))
    assert outcome(ROUTES, network__routes=closed, vm__model=model(), **facts) == expected


def test_denied_rules_are_unknown() -> None:
    assert outcome(RULES, network__rules=DENIED, vm__model=model()) == ("unknown", "unanswered")


def nic(id: str = NIC, primary: bool = True) -> dict[str, Any]:
    config = {"name": "c", "primary": True, "private_ip": "10.0.0.4", "allocation": "Dynamic", "subnet_id": SUBNET}
    return {"id": id, "name": "nic", "primary": primary, "nsg_id": None, "ip_configs": [config]}


def subnet(**changes: Any) -> dict[str, Any]:
    return {
        "id": SUBNET,
        "nsg_id": None,
        "route_table_id": None,
        "nat_gateway_id": None,
        "service_endpoints": [],
        "default_outbound": None,
    } | changes


def route(next_hop: str, *prefixes: str, origin: str = "Default", state: str = "Active") -> dict[str, Any]:
    return {"prefixes": list(prefixes), "next_hop": next_hop, "next_hop_ips": [], "origin": origin, "state": state}


def routes(*listed: dict[str, Any], source: str = "effective") -> dict[str, Any]:
    return {"source": source, "nics": [{"nic": NIC, "routes": list(listed)}]}


SYSTEM = [route("VnetLocal", "10.0.0.0/16"), route("None", "100.64.0.0/10"), route("None", "25.176.0.0/13")]
INTERNET = route("Internet", "0.0.0.0/0")


@pytest.mark.parametrize(
    ("listed", "expected"),
    [
        ([INTERNET, *SYSTEM], ("ok", "ok")),
        ([route("None", "0.0.0.0/0", origin="User"), *SYSTEM], ("problem", "problem")),
        ([route("None", "0.0.0.0/0", origin="User"), dict(INTERNET, state="Invalid")], ("problem", "problem")),
        ([INTERNET, route("None", "0.0.0.0/0", origin="User")], ("problem", "problem")),
        ([route("None", "0.0.0.0/0", origin="User", state="Invalid"), INTERNET], ("ok", "ok")),
        ([route("VirtualAppliance", "0.0.0.0/0", origin="User")], ("unknown", "unsure")),
        ([route("VirtualNetworkGateway", "0.0.0.0/0", origin="VirtualNetworkGateway")], ("unknown", "unsure")),
        (
            [route("None", "0.0.0.0/0", origin="User"), route("Internet", "Storage.WestEurope", origin="User")],
            ("ok", "ok"),
        ),
        (
            [route("None", "0.0.0.0/0", origin="User"), route("Internet", "20.60.0.0/16", origin="User")],
            ("unknown", "unsure"),
        ),
        ([INTERNET, route("None", "0.0.0.0/1", "128.0.0.0/1", origin="User")], ("problem", "problem")),
        (SYSTEM, ("unknown", "nothing_listed")),
        ([], ("unknown", "nothing_listed")),
    ],
)
def test_the_route_to_storage_decides(listed: list[dict[str, Any]], expected: tuple[str, str]) -> None:
    facts = {"network__nics": [nic()], "network__subnets": [subnet()], "vm__model": model(), **NEEDED}
    assert outcome(ROUTES, network__routes=routes(*listed), **facts) == expected


def test_an_appliance_does_not_matter_where_storage_is_not_needed() -> None:
    firewall = routes(route("VirtualAppliance", "0.0.0.0/0", origin="User"))
    expected = ("ok", "unsure_but_not_needed")
    assert outcome(ROUTES, network__routes=firewall, vm__model=model(), **NOT_NEEDED) == expected


def test_a_service_endpoint_goes_around_the_routes() -> None:
    closed = routes(
        route("None", "0.0.0.0/0", origin="User"),
        route("VirtualNetworkServiceEndpoint", "20.60.0.0/16", origin="Default"),
    )
    facts = {"network__nics": [nic()], "network__routes": closed, "vm__model": model(), **NEEDED}
    with_endpoint = [subnet(service_endpoints=["Microsoft.Storage"])]
    assert outcome(ROUTES, network__subnets=with_endpoint, **facts) == ("ok", "ok")
    assert outcome(ROUTES, network__subnets=DENIED, **facts) == ("unknown", "unsure")


def test_a_stopped_vm_without_a_route_table_has_the_systems_routes() -> None:
    assert outcome(ROUTES, network__routes=routes(source="objects"), vm__model=model(), **NEEDED) == ("ok", "ok")


@pytest.mark.parametrize(
    ("needs", "expected"), [(NEEDED, ("unknown", "no_default_outbound")), (NOT_NEEDED, ("ok", "ok"))]
)
def test_a_subnet_without_default_outbound_access_is_no_problem_by_itself(
    needs: dict[str, Any], expected: tuple[str, str]
) -> None:
    facts = {"network__nics": [nic()], "network__routes": routes(INTERNET), "vm__model": model(), **needs}
    assert outcome(ROUTES, network__subnets=[subnet(default_outbound=False)], **facts) == expected


def network(**changes: Any) -> dict[str, Any]:
    return {
        "wireserver_80": "ok",
        "wireserver_32526": "ok",
        "wireserver_http": "ok",
        "imds": "ok",
        "storage_443": "ok",
        "dns": "ok",
        "proxies": [],
    } | changes


ALIVE = {"vm__power": power(), "vm__agent": agent()}
DEAD = {"vm__power": power(), "vm__agent": silent_agent()}


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({"guest__network": network()} | DEAD, ("ok", "ok")),
        ({"guest__network": network(wireserver_80="timeout")} | DEAD, ("problem", "problem")),
        ({"guest__network": network(wireserver_32526="refused")} | ALIVE, ("problem", "problem")),
        ({"guest__network": network(wireserver_http="error")} | DEAD, ("problem", "no_answer")),
        ({"guest__network": network(wireserver_80=None)} | DEAD, ("unknown", "guest_only")),
        (ALIVE, ("ok", "agent_reports")),
        (DEAD, ("unknown", "guest_only")),
        ({}, ("unknown", "guest_only")),
    ],
)
def test_only_the_guest_can_break_the_way_to_the_wireserver(facts: dict[str, Any], expected: tuple[str, str]) -> None:
    assert outcome("guest_reaches_wireserver", **facts) == expected


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({"guest__network": network()}, ("ok", "ok")),
        ({"guest__network": network(storage_443="timeout")} | NOT_NEEDED, ("ok", "unreachable_but_not_needed")),
        ({"guest__network": network(storage_443="timeout")} | NEEDED, ("problem", "problem")),
        ({"guest__network": network(dns="error")} | NEEDED, ("problem", "problem")),
        ({"guest__network": network(storage_443="timeout")}, ("unknown", "need_unclear")),
        (NOT_NEEDED, ("ok", "not_needed")),
        (NEEDED, ("unknown", "guest_only")),
        ({}, ("unknown", "guest_only")),
    ],
)
def test_the_guest_needs_storage_only_sometimes(facts: dict[str, Any], expected: tuple[str, str]) -> None:
    assert outcome("guest_reaches_storage", vm__model=model(), **facts) == expected


REPORTS = {"vm__power": power(), "vm__agent": agent()}
SILENT = {"vm__power": power(), "vm__agent": silent_agent()}
RUNS, DEAD = {"daemon": True, "exthandlers": True}, {"daemon": False, "exthandlers": False}
PROXY = [{"where": "waagent.conf HttpProxy.Host", "value": "proxy:3128"}]
SHELLS_PROXY = [{"where": "/etc/environment https_proxy", "value": "proxy:3128"}]


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({"guest__network": network()}, ("ok", "ok")),
        ({"guest__network": network(proxies=PROXY), **REPORTS}, ("ok", "proxy_passes")),
        ({"guest__network": network(proxies=PROXY, wireserver_http="timeout"), **REPORTS}, ("ok", "proxy_passes")),
        ({"guest__network": network(proxies=PROXY), **SILENT, "guest__agent": RUNS}, ("unknown", "proxy_untested")),
        (
            {"guest__network": network(proxies=SHELLS_PROXY + PROXY), **SILENT, "guest__agent": RUNS},
            ("unknown", "proxy_untested"),
        ),
        (
            {"guest__network": network(proxies=SHELLS_PROXY), **SILENT, "guest__agent": RUNS},
            ("unknown", "proxy_untested"),
        ),
        ({"guest__network": network(proxies=PROXY), **SILENT, "guest__agent": DEAD}, ("unknown", "proxy_untested")),
        ({"guest__network": network(proxies=PROXY), **SILENT}, ("unknown", "proxy_untested")),
        ({"guest__network": network(proxies=PROXY), "guest__agent": RUNS}, ("unknown", "proxy_untested")),
        (
            {"guest__network": network(proxies=PROXY, wireserver_http="timeout"), **SILENT, "guest__agent": RUNS},
            ("unknown", "way_blocked"),
        ),
        (
            {"guest__network": network(proxies=PROXY, wireserver_http=None), **SILENT, "guest__agent": RUNS},
            ("unknown", "proxy_untested"),
        ),
        ({"guest__network": network(proxies=None)}, ("unknown", "guest_only")),
        ({}, ("unknown", "guest_only")),
    ],
)
def test_a_proxy_harms_where_it_catches_the_platform(facts: dict[str, Any], expected: tuple[str, str]) -> None:
    assert outcome("guest_proxy_lets_azure_through", **facts) == expected
