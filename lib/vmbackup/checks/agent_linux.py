"""Cause: the agent installed in the VM is out of date (Linux VMs)."""

from __future__ import annotations

from typing import Any

from vmbackup.catalog.knowledge import number, version
from vmbackup.checks.base import Judgement, check, guest_only, not_applicable, ok, problem, unknown
from vmbackup.checks.shared import agent_state
from vmbackup.facts.backup import RunningJob
from vmbackup.facts.guest import GuestProbe, SerialLog
from vmbackup.facts.linux import LinuxAgent, LinuxAgentConfig
from vmbackup.facts.vm import VmAgent, VmModel, VmPower
from vmbackup.model import Verdict
from vmbackup.versions import compare


@check("vm.power", "vm.agent", optional=("vm.model", "backup.running_job"), os="linux", knows=("young_vm_s",))
def linux_agent_reports_ready(
    power: VmPower | None, agent: VmAgent | None, model: VmModel | None, running: RunningJob | None
) -> Judgement:
    """The Linux agent reports Ready."""
    return agent_state.reports_ready(power, agent, model, running)


@check("vm.power", "vm.agent", os="linux")
def linux_agent_heartbeat_is_fresh(power: VmPower | None, agent: VmAgent | None) -> Judgement:
    """The Linux agent's last report is young."""
    return agent_state.heartbeat_is_fresh(power, agent)


@check(
    "vm.agent",
    optional=("guest.agent", "guest.agent_config"),
    os="linux",
    knows=("linux_agent_minimum", "linux_agent_updates_itself_from"),
)
def linux_agent_version_is_supported(
    agent: VmAgent | None, guest: LinuxAgent | None, config: LinuxAgentConfig | None
) -> Judgement:
    """The Linux agent's goal-state version is one that Azure still supports."""
    minimum = version("linux_agent_minimum")
    if not agent_state.is_told(agent):
        return unknown(minimum=minimum)
    judged = agent_state.version_is_supported(_versions(agent, guest), minimum)
    if judged.verdict is not Verdict.PROBLEM:
        return judged
    if compare(judged.values["version"], version("linux_agent_updates_itself_from")) == -1:
        return problem("cannot_update_itself", **judged.values)
    if config is not None and config["auto_update_enabled"] is False:
        return problem("may_not_update_itself", **judged.values)
    return judged


def _versions(agent: VmAgent | None, guest: LinuxAgent | None) -> list[str | None]:
    versions = [agent["version"] if agent else None]
    if guest:
        versions += [guest["running_version"], guest["goal_state_version"], guest["packaged_version"]]
    return versions


@check("vm.model", optional=("vm.agent",), os="linux")
def linux_vm_model_provisions_the_agent(model: VmModel, agent: VmAgent | None) -> Judgement:
    """The model of the Linux VM says that it has an agent."""
    return agent_state.model_provisions(model, agent)


@check(optional=("guest.agent", "vm.power", "vm.agent", "guest.serial_log", "guest.probe"), os="linux")
def linux_agent_process_runs(
    guest: LinuxAgent | None,
    power: VmPower | None,
    agent: VmAgent | None,
    serial: SerialLog | None,
    probe: GuestProbe | None,
) -> Judgement:
    """The agent's daemon and its extension handler run.

    How it is measured: in the guest; without it, an agent that reports now proves it, and the serial log of the last
    boot shows an agent that did not start.
    """
    if guest is not None:
        return _processes(guest)
    # The guest was examined, and did not say this.
    if probe is not None:
        return guest_only()
    if agent_state.reports_now(power, agent):
        return ok("agent_reports")
    return _last_boot(serial) if serial is not None else guest_only()


def _last_boot(serial: SerialLog) -> Judgement:
    if serial["agent"] in ("failed", "stopped"):
        return problem("serial_log", state=serial["agent"])
    if serial["kernel_panic"]:
        return problem("kernel_panic")
    # Whoever left the emergency shell again has seen the agent start after it.
    if serial["emergency_mode"] and serial["agent"] is None:
        return problem("emergency_mode")
    return guest_only()


def _processes(guest: LinuxAgent) -> Judgement:
    unit = guest["unit"] or "waagent"
    if guest["daemon"] and guest["exthandlers"]:
        return ok()
    if guest["starts"] is False:
        return problem("does_not_start", error=guest["start_error"] or "-")
    if guest["daemon"] is False and guest["job"]:
        waits_for = guest["job_waits_for"]
        if waits_for:
            return problem("start_waits", unit=unit, units=waits_for)
        return problem("start_hangs", unit=unit, job=guest["job"])
    if guest["daemon"] is False:
        return problem("no_daemon", unit=unit)
    if guest["exthandlers"] is False:
        return problem("no_extension_handler", unit=unit)
    return unknown("not_told")


@check(optional=("guest.agent", "vm.power", "vm.agent"), os="linux", knows=("agent_restarts_many",))
def linux_agent_does_not_crash(guest: LinuxAgent | None, power: VmPower | None, agent: VmAgent | None) -> Judgement:
    """The Linux agent does not end by itself again and again.

    How it is measured: systemd's own result for the agent's unit and its count of restarts; without them, an agent that
    reports now runs now.
    """
    if agent_state.reports_now(power, agent):
        return ok("agent_reports")
    if guest is None:
        return guest_only()
    told: dict[str, Any] = {"restarts": guest["restarts"], "status": guest["exit_status"], "result": guest["result"]}
    shown = {"unit": guest["unit"] or "waagent", **{key: "-" if word is None else word for key, word in told.items()}}
    if guest["active"] == "failed":
        return problem("failed", **shown)
    if guest["active"] == "activating" and guest["sub"] == "auto-restart":
        return problem("restarting", **shown)
    if guest["active"] is None or guest["sub"] is None or guest["restarts"] is None:
        return unknown("not_told")
    if guest["restarts"] >= number("agent_restarts_many"):
        return unknown("restarted_often", **shown)
    return ok(**shown) if guest["active"] == "active" else unknown("does_not_run", **shown)


@check(optional=("guest.agent", "vm.power", "vm.agent"), os="linux")
def linux_agent_restarts_by_itself(guest: LinuxAgent | None, power: VmPower | None, agent: VmAgent | None) -> Judgement:
    """The agent starts with the system and comes back after a crash, or it runs anyway."""
    now = agent_state.reports_now(power, agent)
    if guest is None:
        return ok("runs_now") if now else guest_only()
    unit = guest["unit"] or "waagent"
    if guest["enabled"] in ("disabled", "masked", "masked-runtime", "bad"):
        return (
            ok("not_enabled_but_runs", unit=unit) if now else problem("not_enabled", unit=unit, state=guest["enabled"])
        )
    if guest["restart"] == "no":
        return ok("does_not_restart_but_runs", unit=unit) if now else problem(unit=unit)
    if guest["restart"] is None or guest["enabled"] is None:
        return ok("runs_now") if now else unknown("not_told")
    return ok(restart=guest["restart"])


@check("vm.agent", optional=("guest.agent",), os="linux", knows=("linux_agent_minimum",))
def linux_agent_package_is_current(agent: VmAgent | None, guest: LinuxAgent | None) -> Judgement:
    """The agent comes from the distribution and is not older than Azure supports.

    Why: an old package is still in support where the agent updated itself or the distribution has none newer (MINVER).
    """
    known, minimum = agent_state.known_version(_versions(agent, guest)), version("linux_agent_minimum")
    order = compare(known, minimum)
    if guest is None:
        if order is None or order < 0:
            return guest_only()
        return ok("goal_state_is_supported", version=known, minimum=minimum)
    if order is None or not agent_state.is_told(agent):
        return unknown("not_told")
    return _supported_package(guest) if order >= 0 else _outdated_package(guest)


def _newer_package(guest: LinuxAgent) -> str | None:
    candidate = guest["package_candidate"]
    return candidate if candidate and candidate != guest["package_version"] else None


def _supported_package(guest: LinuxAgent) -> Judgement:
    running, packaged = guest["running_version"], guest["packaged_version"]
    if packaged and compare(running, packaged) == -1:
        return ok("runs_older_than_package", running=running, packaged=packaged)
    if guest["source"] in ("github", "pip"):
        return ok("not_from_distribution", source=guest["source"])
    newer = _newer_package(guest)
    if newer:
        return ok("older_but_supported", installed=guest["package_version"] or "-", candidate=newer)
    return ok() if guest["package_candidate"] else ok("supported")


def _outdated_package(guest: LinuxAgent) -> Judgement:
    newer = _newer_package(guest)
    if newer:
        return problem(installed=guest["package_version"], candidate=newer)
    if guest["source"] in ("github", "pip"):
        return problem("not_from_distribution", source=guest["source"])
    if guest["package_candidate"]:
        return problem("distribution_has_none", installed=guest["package_version"])
    return unknown("not_told")


@check(optional=("guest.agent_config",), os="linux")
def linux_agent_allows_extensions(config: LinuxAgentConfig | None) -> Judgement:
    """The agent's own configuration lets it run extensions (``Extensions.Enabled=y``)."""
    if config is None:
        return guest_only()
    if config["extensions_enabled"] is None:
        return unknown("not_told")
    return ok() if config["extensions_enabled"] else problem()


@check(optional=("guest.agent_config",), os="linux")
def linux_logs_are_verbose_when_needed(config: LinuxAgentConfig | None) -> Judgement:
    """The agent's logs can be collected, and it is known how much they say. Informational: never a cause."""
    if config is None or config["logs_verbose"] is None:
        return not_applicable("informational")
    return ok("verbose") if config["logs_verbose"] else ok("not_verbose")
