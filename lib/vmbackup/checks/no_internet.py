"""Cause: the VM has no Internet access.

The article wanted open Internet. Today the agent and the snapshot go through the host (168.63.129.16), which no network
security group and no route can block. A block is a problem only where the path to Azure Storage is really needed: every
snapshot failed and the host was not their way, the agent is older than the supported minimum, or a disk uses Write
Accelerator. Source: FEAT, WINGA, SEC, VMB, SM26.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from vmbackup.checks.base import Judgement, check, guest_only, ok, problem, unknown
from vmbackup.checks.shared import agent_state, snapshot_way
from vmbackup.checks.shared.outbound import Way, routes_way, rules_way
from vmbackup.checks.shared.snapshot_way import NO_NETWORK, Need, need
from vmbackup.facts.guest import GuestNetwork
from vmbackup.facts.linux import LinuxAgent
from vmbackup.facts.network import Nic, Routes, Rules, Subnet
from vmbackup.facts.vm import VmAgent, VmModel, VmPower
from vmbackup.facts.windows import Service

# A service of Linux reads neither /etc/environment nor the environment of whoever ran the guest script.
_OF_THE_LINUX_AGENT = ("waagent.conf", "unit ")


@check("network.rules", "vm.model", optional=("network.nics", *snapshot_way.FACTS), knows=("host_forced",))
def outbound_rules_let_storage_through(
    rules: Rules | None, model: VmModel, nics: list[Nic] | None, *facts: Any
) -> Judgement:
    """Network security rules let the VM reach Azure Storage on 443, or today's backup does not need it."""
    way = rules_way(rules, nics, model["location"])
    if rules is not None and way.state == "open":
        return ok(rule=way.by, nsg=way.of, source=rules["source"])
    return _doubtful(way, need(*facts)) if way.state == "unsure" else _blocked(way, need(*facts))


@check(
    "network.routes",
    "vm.model",
    optional=("network.nics", "network.subnets", *snapshot_way.FACTS),
    knows=("host_forced",),
)
def routes_lead_to_storage(
    routes: Routes | None, model: VmModel, nics: list[Nic] | None, subnets: list[Subnet] | None, *facts: Any
) -> Judgement:
    """Routes lead from the VM to Azure Storage, or today's backup does not need it.

    Why: a next hop None drops the traffic; what a firewall or gateway does with it, Azure's routes cannot tell. A
    subnet without default outbound access may have no public address to leave with.
    """
    way = routes_way(routes, nics, subnets, model["location"])
    needed = need(*facts)
    if way.state == "closed":
        return _blocked(way, needed)
    if way.state == "unsure":
        return _doubtful(way, needed)
    private = [
        subnet for subnet in subnets or [] if subnet["default_outbound"] is False and not subnet["nat_gateway_id"]
    ]
    if private and way.by == "Internet" and needed not in ("none", "host"):
        return unknown("no_default_outbound", subnet=private[0]["id"].rsplit("/", 1)[-1])
    return ok(by=way.by, of=way.of)


def _blocked(way: Way, needed: Need) -> Judgement:
    shown = {"by": way.by, "of": way.of}
    if needed in ("none", "host"):
        return ok("blocked_but_not_needed", **shown)
    if needed == "unclear":
        return unknown("blocked_need_unclear", **shown)
    if needed == "old_agent":
        return problem("blocked_old_agent", **shown)
    return problem("blocked_write_accelerator" if needed == "write_accelerator" else "problem", **shown)


def _doubtful(way: Way, needed: Need) -> Judgement:
    unneeded = needed in ("none", "host")
    if way.by == "-":
        return ok("not_needed") if unneeded else unknown("nothing_listed")
    if unneeded:
        return ok("unsure_but_not_needed", by=way.by, of=way.of)
    return unknown("unsure", by=way.by, of=way.of)


@check(optional=("guest.network", "vm.power", "vm.agent"))
def guest_reaches_wireserver(network: GuestNetwork | None, power: VmPower | None, agent: VmAgent | None) -> Judgement:
    """The guest reaches the platform's WireServer, 168.63.129.16, on the ports 80 and 32526.

    Why: no security group and no route of Azure holds for this address: what breaks it is in the guest (firewall,
    routes, source address), else in the host.
    How it is measured: in the guest; an agent that reports now proves port 80.
    """
    if network is not None:
        ports = (("80", network["wireserver_80"]), ("32526", network["wireserver_32526"]))
        for port, result in ports:
            if result not in ("ok", None):
                return problem(port=port, result=result)
        if network["wireserver_http"] not in ("ok", None):
            return problem("no_answer", result=network["wireserver_http"])
        if network["wireserver_80"] == "ok" and network["wireserver_32526"] == "ok":
            return ok()
    if agent_state.reports_now(power, agent):
        return ok("agent_reports")
    return guest_only()


@check(optional=("guest.network", *snapshot_way.FACTS), knows=("host_forced",))
def guest_reaches_storage(network: GuestNetwork | None, *facts: Any) -> Judgement:
    """The guest reaches Azure Storage on 443 by name, or today's backup does not need it."""
    needed = need(*facts)
    if needed == "host":
        return replace(ok("host_way"), explains=NO_NETWORK)
    if network is not None and network["storage_443"] is not None:
        result = "dns" if network["dns"] not in ("ok", None) else network["storage_443"]
        if result == "ok":
            return ok()
        if needed == "none":
            return ok("unreachable_but_not_needed", result=result)
        return unknown("need_unclear", result=result) if needed == "unclear" else problem(result=result)
    return ok("not_needed") if needed == "none" else guest_only()


@check(
    optional=("guest.network", "vm.power", "vm.agent", "guest.agent", "guest.services"),
    knows=("wire_server_without_proxy",),
)
def guest_proxy_lets_azure_through(
    network: GuestNetwork | None,
    power: VmPower | None,
    agent: VmAgent | None,
    linux: LinuxAgent | None,
    services: dict[str, Service] | None,
) -> Judgement:
    """No proxy is set in the guest, or Azure is reached all the same.

    Why: the proxy of the environment is handed to extensions, whose calls to 168.63.129.16 it must not catch.
    The Linux agent itself never asks a proxy for that address.
    How it is measured: the guest script asks 168.63.129.16 past the proxy. Where that works and the Windows agent runs,
    but Azure hears nothing of it, the proxy has caught its reports.
    """
    if network is None or network["proxies"] is None:
        return guest_only()
    if not network["proxies"]:
        return ok()
    proxies = network["proxies"]
    own = [each for each in proxies if linux is None or each["where"].startswith(_OF_THE_LINUX_AGENT)]
    proxy = (own or proxies)[0]
    if agent_state.reports_now(power, agent):
        return ok("proxy_passes", where=proxy["where"], value=proxy["value"])
    if network["wireserver_http"] not in ("ok", None):
        return unknown("way_blocked", where=proxy["where"], value=proxy["value"])
    silent = power is not None and power["power"] == "running" and agent is not None
    if silent and network["wireserver_http"] == "ok" and linux is None and _agent_runs(services):
        return problem(where=proxy["where"], value=proxy["value"])
    return unknown("proxy_untested", where=proxy["where"], value=proxy["value"])


def _agent_runs(services: dict[str, Service] | None) -> bool:
    running = {name.lower() for name, service in (services or {}).items() if service["state"] == "Running"}
    return {"rdagent", "windowsazureguestagent"} <= running
