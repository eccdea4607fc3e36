"""Cause: the snapshot status cannot be retrieved, or a snapshot cannot be taken."""

from __future__ import annotations

from vmbackup.catalog.knowledge import knowledge, number
from vmbackup.catalog.signatures import Strength
from vmbackup.checks.base import Judgement, check, guest_only, ok, problem, unknown
from vmbackup.checks.shared import agent_state
from vmbackup.checks.shared.sight import whole
from vmbackup.facts.backup import FailedJob, Job, Neighbours
from vmbackup.facts.guest import GuestLogs, GuestNetwork, LogPattern
from vmbackup.facts.linux import LinuxDhcp
from vmbackup.facts.network import Nic
from vmbackup.facts.vm import Metrics, ResourceHealth, VmAgent, VmPower
from vmbackup.facts.windows import Sql, WindowsDhcp
from vmbackup.failures.jobs import backup_failed
from vmbackup.failures.signatures import signs_of_failure

_WIRESERVER = "168.63.129.16"


@check("vm.power", optional=("vm.health", "vm.agent", "backup.failed_job", "backup.jobs"))
def vm_state_is_reported_truly(
    power: VmPower | None,
    health: ResourceHealth | None,
    agent: VmAgent | None,
    job: FailedJob | None,
    jobs: list[Job] | None,
) -> Judgement:
    """The VM's state in Azure is its real one: it was not shut down from inside while Azure keeps it allocated.

    How it is measured: PowerState/stopped is a shutdown from inside; a running VM is believed when the agent or
    Resource Health says so too. A stopped VM can be backed up today, so it is no cause where no backup failed.
    """
    state = power["power"] if power else None
    if state is None:
        return unknown("power_unknown")
    if state == "stopped":
        return _stopped(job, jobs)
    if state == "deallocated":
        return ok("deallocated")
    if state != "running":
        return unknown("in_transition", power=state)
    if agent_state.reports_now(power, agent):
        return ok()
    said = health["state"].lower() if health is not None else ""
    if health is not None and said == "unavailable" and agent_state.is_silent(power, agent):
        return problem("misreported", summary=health["summary"] or health["reason"] or health["state"])
    return ok() if said in ("available", "degraded") else unknown("nobody_confirms")


def _stopped(job: FailedJob | None, jobs: list[Job] | None) -> Judgement:
    """Azure backs up a stopped VM: only where nothing else is said of the failure is the stop to be thought of."""
    if backup_failed(job, jobs) is False:
        return ok("stopped_nothing_failed")
    said = [sign for sign in signs_of_failure(job, None, None) if sign.strength is not Strength.WRAPPER]
    return problem("shut_down_inside") if job is not None and not said else unknown("stopped_and_failed")


@check("backup.neighbours", optional=("backup.failed_job", "backup.jobs"), knows=("vms_of_one_policy",))
def backups_of_one_policy_are_spread(
    neighbours: Neighbours | None, job: FailedJob | None, jobs: list[Job] | None
) -> Judgement:
    """The policy does not start more backups at the same time than Azure Backup allows.

    Why: the service spreads the starts of one policy over two hours. The planning guide of 2017 advised fewer.
    """
    if neighbours is None:
        return unknown()
    rule, count, policy = knowledge()["vms_of_one_policy"], len(neighbours["same_time"]) + 1, neighbours["policy"]
    exceeded = rule.exceeded_by(count)
    if exceeded is False:
        return ok(count=count, policy=policy)
    if backup_failed(job, jobs) is False:
        return ok("crowded_nothing_failed", count=count, policy=policy)
    if exceeded is None and rule.disputed:
        return unknown("disputed", count=count, policy=policy, limit=rule.value, other=rule.disputed.value)
    return problem(count=count, policy=policy, limit=rule.value)


@check("vm.metrics", optional=("backup.failed_job", "backup.jobs"), knows=("cpu_busy_pct",))
def cpu_leaves_room_during_snapshot(
    metrics: Metrics | None, job: FailedJob | None, jobs: list[Job] | None
) -> Judgement:
    """The VM's CPU is not busy beyond 90 % on average while the snapshot is taken."""
    values = _values(metrics, "Percentage CPU")
    if not values or metrics is None:
        return unknown("no_values")
    average, most, limit = sum(values) / len(values), max(values), number("cpu_busy_pct")
    judged = _by_window(metrics["window"], average > limit, most > limit, backup_failed(job, jobs))
    shown = {"average": round(average, 1), "worst": round(most, 1), "limit": limit}
    return Judgement(judged.verdict, judged.reason, shown)


@check("vm.metrics", optional=("backup.failed_job", "backup.jobs"), knows=("memory_left_pct",))
def memory_leaves_room_during_snapshot(
    metrics: Metrics | None, job: FailedJob | None, jobs: list[Job] | None
) -> Judgement:
    """At least 10 % of the VM's memory is free on average while the snapshot is taken."""
    values = _values(metrics, "Available Memory Percentage")
    if metrics is None or not values:
        free = _values(metrics, "Available Memory Bytes")
        return unknown("only_bytes", free_mb=round(min(free) / 1024**2)) if free else unknown("no_values")
    average, least, limit = sum(values) / len(values), min(values), number("memory_left_pct")
    judged = _by_window(metrics["window"], average < limit, least < limit, backup_failed(job, jobs))
    shown = {"average": round(average, 1), "worst": round(least, 1), "limit": limit}
    return Judgement(judged.verdict, judged.reason, shown)


def _values(metrics: Metrics | None, name: str) -> list[float]:
    series = metrics["series"].get(name) if metrics else None
    return [value for _, value in series["points"]] if series else []


def _by_window(window: str, over: bool, over_for_minutes: bool, failed: bool | None) -> Judgement:
    """A whole job is longer than its snapshot, and the last hour says nothing about an earlier failure."""
    if failed is False:
        return ok("nothing_failed")
    if window == "last_hour":
        return unknown("only_last_hour")
    if over:
        return problem()
    if over_for_minutes and window != "snapshot_task":
        return unknown("for_minutes")
    return ok()


@check("network.nics")
def addresses_fit_dhcp(nics: list[Nic] | None) -> Judgement:
    """Each interface has one address, given out by the platform, so that the guest can get it by DHCP.

    Why: whether dynamic or static on the platform, the guest takes its address by DHCP. With several addresses on one
    interface the guest must set them itself, and only the guest knows whether it did so rightly.
    """
    configs = [config for nic in nics or [] for config in nic["ip_configs"]]
    if not nics or not configs:
        return unknown("no_addresses")
    for nic in nics:
        if len(nic["ip_configs"]) > 1:
            return unknown("several_addresses", nic=nic["name"], count=len(nic["ip_configs"]))
    return ok(count=len(nics))


@check(optional=("guest.windows_dhcp", "guest.dhcp", "vm.power", "vm.agent", "guest.logs", "guest.network"))
def guest_gets_its_address_by_dhcp(
    windows: WindowsDhcp | None,
    linux: LinuxDhcp | None,
    power: VmPower | None,
    agent: VmAgent | None,
    logs: GuestLogs | None,
    network: GuestNetwork | None,
) -> Judgement:
    """The guest gets its address, and with it the platform's own, by DHCP; or it reaches the platform all the same.

    Why: the agent knows 168.63.129.16 without DHCP option 245 today, so a static address is a problem only where the
    agent is silent and the platform is not reached. The agent writes the address that it found down only once it has
    reached it: a wrong one is in its log, and a silent agent that wrote none down has not found any.
    """
    now = agent_state.reports_now(power, agent)
    reached = network["wireserver_http"] if network is not None else None
    if windows is not None:
        return _windows_dhcp(windows, now, reached)
    if linux is not None:
        return _linux_dhcp(linux, now, logs["patterns"] if logs is not None else None, reached)
    return ok("agent_reports") if now else guest_only()


def _windows_dhcp(windows: WindowsDhcp, now: bool, reached: str | None) -> Judgement:
    nics = windows["nics"] or []
    primary = next((nic for nic in nics if nic["primary"]), nics[0] if len(nics) == 1 else None)
    if primary is None or primary["dhcp"] is None:
        return ok("agent_reports") if now else unknown("not_told")
    if primary["dhcp"]:
        return ok(nic=primary["name"])
    if (primary["addresses"] or 1) > 1:
        return ok("several_static", nic=primary["name"])
    return ok("static_but_reports", nic=primary["name"]) if now else _static(reached, nic=primary["name"], file="-")


def _static(reached: str | None, **shown: str) -> Judgement:
    """An address set in the guest, under an agent that is silent."""
    if reached is None:
        return unknown("static_perhaps", **shown)
    return ok("static_but_reached", **shown) if reached == "ok" else problem("static", **shown)


def _linux_dhcp(linux: LinuxDhcp, now: bool, patterns: dict[str, LogPattern] | None, reached: str | None) -> Judgement:
    by_dhcp = [each for each in linux["interfaces"] or [] if each["dhcp"] or each["option_245"]]
    static = [each for each in linux["interfaces"] or [] if each["dhcp"] is False]
    if now:
        if by_dhcp or not static:
            return ok(nic=by_dhcp[0]["name"]) if by_dhcp else ok("agent_reports")
        return ok("static_but_reports", nic=static[0]["name"])
    if linux["endpoint"] and linux["endpoint"] != _WIRESERVER:
        return problem("wrong_endpoint", endpoint=linux["endpoint"])
    if patterns is not None and "wrong_endpoint" in patterns:
        return problem("wrong_endpoint_in_log", last=patterns["wrong_endpoint"]["last"] or "-")
    if linux["route"] is False:
        return problem("no_route")
    if not by_dhcp and static and (static[0]["addresses"] or 2) <= 1:
        return _static(reached, nic=static[0]["name"], file=static[0]["configured_by"] or "-")
    if linux["endpoint"] == "":
        return unknown("no_endpoint")
    if by_dhcp and linux["endpoint"] and linux["route"] and patterns is not None:
        return ok(nic=by_dhcp[0]["name"])
    return unknown("not_told")


@check(optional=("guest.sql", "backup.failed_job", "backup.jobs"), os="windows")
def sql_backup_uses_vss_copy(sql: Sql | None, job: FailedJob | None, jobs: list[Job] | None) -> Judgement:
    """No SQL Server runs in the VM, or VM backup takes a VSS copy of it (USEVSSCOPYBACKUP).

    Why: a full VSS backup of a VM whose SQL Server has backups of its own delays the snapshot. A later revision of
    Microsoft's page names another value, UseVssFullBackup, and readers disagree what it does: that is no verdict.
    """
    if sql is None:
        return guest_only()
    if sql["services"] is None:
        return unknown("not_told")
    running = [
        service["name"]
        for service in sql["services"]
        if _is_sql_engine(service["name"]) and service["state"] == "Running"
    ]
    if not running:
        known = not sql["services"] or whole(sql["cut"], "services")
        states = [service["state"] for service in sql["services"] if _is_sql_engine(service["name"])]
        return ok("no_sql") if known and None not in states else unknown("not_told")
    if sql["use_vss_copy_backup"]:
        return ok(service=running[0])
    if sql["use_vss_copy_backup"] is None:
        return unknown("not_told")
    if backup_failed(job, jobs) is False:
        return ok("full_nothing_failed", service=running[0])
    if any(name.lower() == "usevssfullbackup" for name in sql["bcdr_agent"] or {}):
        return unknown("other_key", service=running[0])
    return problem(service=running[0])


def _is_sql_engine(name: str) -> bool:
    return name.upper() == "MSSQLSERVER" or name.upper().startswith("MSSQL$")
