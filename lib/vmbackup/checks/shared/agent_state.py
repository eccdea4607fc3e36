"""The state of the VM agent as Azure sees it: the judgements that Windows and Linux share. No check of its own."""

from __future__ import annotations

from vmbackup.catalog.knowledge import number
from vmbackup.checks.base import Judgement, ok, problem, unknown
from vmbackup.facts.backup import RunningJob
from vmbackup.facts.vm import VmAgent, VmModel, VmPower
from vmbackup.failures.recognition import recognise
from vmbackup.versions import compare, parse


def is_ready(agent: VmAgent | None) -> bool:
    """Whether Azure lists the agent as Ready and the agent itself names no trouble with the network."""
    if agent is None or agent["message"] is None:
        return False
    code, shown = (agent["code"] or "").lower(), (agent["display_status"] or "").lower()
    said = (code.endswith("/succeeded") or not code) and shown in ("ready", "") and bool(code or shown)
    return said and not _waits_for_network(agent)


def reports_now(power: VmPower | None, agent: VmAgent | None) -> bool:
    """Proof that the agent lives and reaches the platform: a running VM, Ready, and a fresh report."""
    if power is None or power["power"] != "running" or agent is None or agent["age_s"] is None:
        return False
    return is_ready(agent) and -number("heartbeat_ahead_s") <= agent["age_s"] <= number("heartbeat_stale_s")


def is_silent(power: VmPower | None, agent: VmAgent | None) -> bool:
    """Whether Azure says that the agent of a running VM does not answer, or it has not reported for long."""
    if power is None or power["power"] != "running" or agent is None:
        return False
    stale = agent["age_s"] is not None and agent["age_s"] > number("heartbeat_stale_s")
    return _is_not_ready(agent) or stale


def _is_not_ready(agent: VmAgent) -> bool:
    code, shown = (agent["code"] or "").lower(), (agent["display_status"] or "").lower().replace(" ", "")
    return code.endswith(("/unavailable", "/failed")) or shown in ("notready", "unresponsive", "failed")


def _waits_for_network(agent: VmAgent) -> bool:
    return _says("agent_waits_for_network", agent)


def _says(id: str, agent: VmAgent) -> bool:
    """Whether the agent's message shows this signature."""
    return any(signature.id == id for signature in recognise(agent["message"] or "", "agent"))


def reports_ready(
    power: VmPower | None, agent: VmAgent | None, model: VmModel | None, running: RunningJob | None
) -> Judgement:
    """The agent reports Ready. Under a backup that hangs, an agent that is silent may wait for a frozen file system."""
    stopped = _not_running(power)
    if stopped:
        return stopped
    if agent is None:
        return unknown("no_agent_listed")
    if _waits_for_network(agent):
        return problem("network_issue", message=agent["message"])
    if is_ready(agent):
        return ok(message=agent["message"] or agent["display_status"])
    if agent["code"] is None and agent["display_status"] is None:
        return unknown("no_status")
    if not _is_not_ready(agent):
        if agent["message"] is None:
            return unknown("no_message", status=agent["display_status"] or agent["code"] or "-")
        return unknown("other_status", status=agent["display_status"] or "-", code=agent["code"] or "-")
    message = agent["message"] or agent["display_status"] or agent["code"]
    if model is not None and model["age_s"] is not None and model["age_s"] < number("young_vm_s"):
        return unknown("young_vm", minutes=round(model["age_s"] / 60), message=message)
    if running is not None and running["taking_snapshot"] is not False:
        return problem("silent_during_backup", message=message, job=running["name"], start=running["start"])
    if _says("agent_never_reported", agent):
        return problem("never_reported", message=message)
    return problem(status=agent["display_status"] or agent["code"], message=message)


def heartbeat_is_fresh(power: VmPower | None, agent: VmAgent | None) -> Judgement:
    """The last report of a Ready agent is young."""
    stopped = _not_running(power)
    if stopped:
        return stopped
    if agent is None:
        return unknown("no_agent_listed")
    if not is_ready(agent):
        return unknown("not_ready")
    age_s = agent["age_s"]
    if age_s is None:
        return unknown("no_time")
    minutes = round(abs(age_s) / 60)
    if age_s < -number("heartbeat_ahead_s"):
        return unknown("in_the_future", minutes=minutes)
    stale_s = number("heartbeat_stale_s")
    if age_s > stale_s:
        return problem("stale", minutes=minutes, limit=stale_s // 60, reported_at=agent["reported_at"])
    return ok(minutes=minutes)


def _not_running(power: VmPower | None) -> Judgement | None:
    if power is None or power["power"] is None:
        return unknown("power_unknown")
    if power["power"] != "running":
        return unknown("vm_not_running", power=power["power"])
    return None


def is_told(agent: VmAgent | None) -> bool:
    """Whether Azure's answer about the agent's version is there: one that is Ready has one, a silent one need not."""
    return agent is not None and (parse(agent["version"]) is not None or _is_not_ready(agent))


def known_version(versions: list[str | None]) -> str | None:
    """The first of these versions that can be read."""
    return next((version for version in versions if parse(version)), None)


def version_is_supported(versions: list[str | None], minimum: str) -> Judgement:
    """The first of these versions that can be read is not below the minimum."""
    version = known_version(versions)
    if version is None:
        return unknown(minimum=minimum)
    return (
        problem(version=version, minimum=minimum)
        if compare(version, minimum) == -1
        else ok(version=version, minimum=minimum)
    )


def model_provisions(model: VmModel, agent: VmAgent | None) -> Judgement:
    """The VM's model says that it has an agent, or the agent is there anyway."""
    if not model["has_os_profile"]:
        return ok("no_os_profile")
    if model["provision_vm_agent"]:
        return ok()
    if model["provision_vm_agent"] is None:
        return unknown()
    if is_ready(agent):
        return ok("installed_anyway")
    return problem()
