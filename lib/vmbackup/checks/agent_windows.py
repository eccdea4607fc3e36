"""Cause: the agent is installed in the VM but unresponsive (Windows VMs)."""

from __future__ import annotations

from vmbackup.catalog.knowledge import number, version
from vmbackup.checks.base import Judgement, check, guest_only, ok, problem, unknown
from vmbackup.checks.shared import agent_state
from vmbackup.checks.shared.sight import whole
from vmbackup.facts.backup import RunningJob
from vmbackup.facts.guest import BootReport
from vmbackup.facts.vm import VmAgent, VmModel, VmPower
from vmbackup.facts.windows import Crashes, DotNet, Service, WindowsAgent

SERVICES = ("RdAgent", "WindowsAzureGuestAgent")
# VMA, WINGA: the agent cannot work without these; they may rest, but not be disabled.
_NEEDED = ("Winmgmt", "KeyIso")
_PROGRAMS = ("waappagent", "windowsazureguestagent", "rdagent", "windows azure guest agent")


@check("vm.power", "vm.agent", optional=("vm.model", "backup.running_job"), os="windows", knows=("young_vm_s",))
def windows_agent_reports_ready(
    power: VmPower | None, agent: VmAgent | None, model: VmModel | None, running: RunningJob | None
) -> Judgement:
    """The Windows agent reports Ready."""
    return agent_state.reports_ready(power, agent, model, running)


@check("vm.power", "vm.agent", os="windows")
def windows_agent_heartbeat_is_fresh(power: VmPower | None, agent: VmAgent | None) -> Judgement:
    """The Windows agent's last report is young."""
    return agent_state.heartbeat_is_fresh(power, agent)


@check("vm.agent", optional=("guest.windows_agent",), os="windows", knows=("windows_agent_minimum",))
def windows_agent_version_is_supported(agent: VmAgent | None, guest: WindowsAgent | None) -> Judgement:
    """The Windows agent's version is one that Azure still supports."""
    versions = [agent["version"] if agent else None]
    if guest:
        versions += [guest["version"], guest["msi_version"]]
    return agent_state.version_is_supported(versions, version("windows_agent_minimum"))


@check("vm.model", optional=("vm.agent",), os="windows")
def vm_model_provisions_the_agent(model: VmModel, agent: VmAgent | None) -> Judgement:
    """The model of the Windows VM says that it has an agent."""
    return agent_state.model_provisions(model, agent)


@check(optional=("guest.services", "vm.power", "vm.agent", "guest.boot_report"), os="windows")
def windows_agent_services_run(
    services: dict[str, Service] | None, power: VmPower | None, agent: VmAgent | None, boot: BootReport | None
) -> Judgement:
    """The services RdAgent and WindowsAzureGuestAgent run and start by themselves.

    How it is measured: in the guest; without it, an agent that reports now proves that they run, and the last VM health
    report in the boot diagnostics shows a service that was stopped.
    """
    now = agent_state.reports_now(power, agent)
    if services is not None:
        missing = _needed(services) if not now else None
        if missing and not agent_state.is_silent(power, agent):
            return unknown("not_told")
        return missing or _services(services)
    if now:
        return ok("agent_reports")
    for service in boot["services"] if boot else []:
        if (
            service["name"].lower() in (name.lower() for name in SERVICES)
            and (service["state"] or "").lower() == "stopped"
        ):
            return problem("stopped_in_boot_report", service=service["name"])
    return guest_only()


def _needed(services: dict[str, Service]) -> Judgement | None:
    for name in _NEEDED:
        service = services.get(name)
        if service is not None and service["start"] == "Disabled" and service["state"] != "Running":
            return problem("needed_disabled", service=name)
    return None


def _services(services: dict[str, Service]) -> Judgement:
    found = [(name, services.get(name)) for name in SERVICES]
    for name, service in found:
        if service is None:
            continue
        if service["exists"] is False:
            return problem("missing", service=name)
        if service["path_ok"] is False:
            return problem("broken_path", service=name)
        if service["state"] and service["state"] != "Running":
            return problem(service=name, state=service["state"])
    if any(service is None or None in (service["exists"], service["state"]) for _, service in found):
        return unknown("not_told")
    for name, service in found:
        if service is not None and service["start"] in ("Disabled", "Manual"):
            return ok("runs_but_start_type", service=name, start=service["start"])
    return ok()


@check(optional=("guest.windows_agent", "guest.services", "vm.power", "vm.agent"), os="windows")
def windows_agent_is_installed(
    guest: WindowsAgent | None, services: dict[str, Service] | None, power: VmPower | None, agent: VmAgent | None
) -> Judgement:
    """The Windows agent is installed, by the platform or by its MSI."""
    if agent_state.reports_now(power, agent):
        return ok("agent_reports")
    exists = [services[name]["exists"] for name in SERVICES if name in services] if services is not None else []
    if any(exists):
        return ok()
    if guest is not None and (guest["msi_installed"] or guest["processes"]):
        return ok()
    if exists and not any(each is None for each in exists) and guest is not None and guest["msi_installed"] is False:
        return problem()
    return guest_only()


@check(optional=("guest.windows_agent", "guest.crashes", "vm.power", "vm.agent"), os="windows")
def windows_agent_does_not_crash(
    guest: WindowsAgent | None, crashes: Crashes | None, power: VmPower | None, agent: VmAgent | None
) -> Judgement:
    """The Windows agent starts and does not end unexpectedly.

    Why: the service model's debugger in machine.config keeps the agent from starting; a crash shows in the event log.
    """
    if agent_state.reports_now(power, agent):
        return ok("agent_reports")
    events = (crashes["events"] if crashes else None) or []
    known = [event for event in events if any(name in event["name"].lower() for name in _PROGRAMS)]
    if not agent_state.is_silent(power, agent):
        return unknown("not_all_seen") if known else guest_only()
    if guest is not None and guest["wcf_debugging"]:
        return problem("wcf_debugging")
    if known:
        return problem(
            name=known[0]["name"], count=known[0]["count"] or 1, detail=known[0]["detail"] or known[0]["kind"]
        )
    if guest is None or crashes is None or crashes["events"] is None:
        return guest_only()
    if guest["wcf_debugging"] is None or not whole(crashes["cut"], "events"):
        return unknown("not_all_seen")
    return ok()


@check(optional=("guest.dotnet", "vm.power", "vm.agent"), os="windows", knows=("dotnet_release",))
def dotnet_is_new_enough(dotnet: DotNet | None, power: VmPower | None, agent: VmAgent | None) -> Judgement:
    """.NET Framework 4.5 or newer is installed, which the Windows agent needs to talk to the service."""
    if dotnet is not None:
        release = dotnet["release"]
        if release is None:
            return unknown("not_told")
        if release == 0:
            return problem("missing")
        if release < number("dotnet_release"):
            return problem(release=release, minimum=number("dotnet_release"))
        return ok(release=release)
    if agent_state.reports_now(power, agent):
        return ok("agent_reports")
    return guest_only()
