"""The agent installed in the VM is out of date (Linux VMs)."""

from __future__ import annotations

from typing import Any

import pytest

from judging import agent, model, outcome, power, serial, silent_agent

ALIVE = {"vm__power": power(), "vm__agent": agent()}
DEAD = {"vm__power": power(), "vm__agent": silent_agent()}


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        (ALIVE, ("ok", "ok")),
        (DEAD, ("problem", "problem")),
        (DEAD | {"vm__power": power("deallocated")}, ("unknown", "vm_not_running")),
        (ALIVE | {"vm__agent": None}, ("unknown", "no_agent_listed")),
        (
            ALIVE | {"vm__agent": agent(message="GuestAgent is running and waiting for network issue to be resolved.")},
            ("problem", "network_issue"),
        ),
    ],
)
def test_ready_is_what_azure_and_the_agent_itself_say(facts: dict[str, Any], expected: tuple[str, str]) -> None:
    assert outcome("linux_agent_reports_ready", **facts) == expected


def test_an_old_report_is_no_life() -> None:
    assert outcome("linux_agent_heartbeat_is_fresh", **ALIVE) == ("ok", "ok")
    old = ALIVE | {"vm__agent": agent(age_s=86400.0)}
    assert outcome("linux_agent_heartbeat_is_fresh", **old) == ("problem", "stale")
    assert outcome("linux_agent_heartbeat_is_fresh", **DEAD) == ("unknown", "not_ready")


def guest(**changes: Any) -> dict[str, Any]:
    return {
        "path": "/usr/sbin/waagent",
        "unit": "walinuxagent",
        "active": "active",
        "sub": "running",
        "enabled": "enabled",
        "restart": "always",
        "result": "success",
        "exit_status": 0,
        "restarts": 0,
        "job": "",
        "job_waits_for": [],
        "daemon": True,
        "exthandlers": True,
        "packaged_version": "2.2.46",
        "running_version": None,
        "goal_state_version": "2.15.0.1",
        "package": "walinuxagent",
        "package_version": "2.2.46-0ubuntu5",
        "package_candidate": "2.2.46-0ubuntu5",
        "source": "distro",
        "python_version": "3.8.10",
        "starts": True,
        "start_error": None,
    } | changes


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        ("2.15.0.1", ("ok", "ok")),
        ("2.2.53.1", ("ok", "ok")),
        ("2.2.53", ("problem", "problem")),
        ("2.2.18", ("problem", "problem")),
        ("WALinuxAgent-2.2.18", ("problem", "problem")),
        ("2.10.0.8", ("ok", "ok")),
        ("2.0.13", ("problem", "cannot_update_itself")),
        ("Unknown", ("unknown", "unknown")),
        (None, ("unknown", "unknown")),
    ],
)
def test_versions_are_compared_number_by_number(version: str | None, expected: tuple[str, str]) -> None:
    assert outcome("linux_agent_version_is_supported", vm__agent=agent(version=version)) == expected


def test_the_guest_knows_the_version_that_azure_does_not() -> None:
    facts = {"vm__agent": silent_agent(), "guest__agent": guest()}
    assert outcome("linux_agent_version_is_supported", **facts) == ("ok", "ok")
    assert outcome("linux_agent_version_is_supported", vm__agent=None) == ("unknown", "unknown")


def test_an_old_agent_that_may_not_update_itself_is_told_apart() -> None:
    facts = {"vm__agent": agent(version="2.2.18")}
    for allowed, reason in ((False, "may_not_update_itself"), (True, "problem"), (None, "problem")):
        config = {"auto_update_enabled": allowed}
        assert outcome("linux_agent_version_is_supported", guest__agent_config=config, **facts) == ("problem", reason)


def test_the_model_says_whether_there_is_an_agent() -> None:
    check = "linux_vm_model_provisions_the_agent"
    assert outcome(check, vm__model=model(), vm__agent=agent()) == ("ok", "ok")
    without = model(provision_vm_agent=False)
    assert outcome(check, vm__model=without, vm__agent=silent_agent()) == ("problem", "problem")
    assert outcome(check, vm__model=model(provision_vm_agent=None)) == ("unknown", "unknown")


FAILED = serial(agent="failed")


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({"guest__agent": guest()} | DEAD, ("ok", "ok")),
        ({"guest__agent": guest(daemon=False, exthandlers=False)} | DEAD, ("problem", "no_daemon")),
        (
            {"guest__agent": guest(daemon=False, job="start waiting", job_waits_for=["wait-online.service"])} | DEAD,
            ("problem", "start_waits"),
        ),
        ({"guest__agent": guest(daemon=False, job="start running")} | DEAD, ("problem", "start_hangs")),
        ({"guest__agent": guest(daemon=False, job=None, job_waits_for=None)} | DEAD, ("problem", "no_daemon")),
        ({"guest__agent": guest(exthandlers=False)} | DEAD, ("problem", "no_extension_handler")),
        (
            {"guest__agent": guest(starts=False, start_error="ImportError", daemon=False)} | DEAD,
            ("problem", "does_not_start"),
        ),
        # It runs, and only `waagent --version` failed.
        ({"guest__agent": guest(starts=False, start_error="ImportError")} | DEAD, ("ok", "ok")),
        ({"guest__agent": guest(daemon=None, exthandlers=None)} | DEAD, ("unknown", "not_told")),
        (ALIVE, ("ok", "agent_reports")),
        (DEAD, ("unknown", "guest_only")),
        ({"guest__serial_log": FAILED} | DEAD, ("problem", "serial_log")),
        ({"guest__serial_log": FAILED} | ALIVE, ("ok", "agent_reports")),
        ({"guest__serial_log": serial(agent="started")} | DEAD, ("unknown", "guest_only")),
        ({"guest__serial_log": serial(kernel_panic=True)} | DEAD, ("problem", "kernel_panic")),
        ({"guest__serial_log": serial(emergency_mode=True)} | DEAD, ("problem", "emergency_mode")),
        (
            {"guest__serial_log": serial(agent="started", emergency_mode=True)} | DEAD,
            ("unknown", "guest_only"),
        ),
        ({}, ("unknown", "guest_only")),
    ],
)
def test_the_processes_run(facts: dict[str, Any], expected: tuple[str, str]) -> None:
    assert outcome("linux_agent_process_runs", **facts) == expected


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({"guest__agent": guest()} | DEAD, ("ok", "ok")),
        ({"guest__agent": guest(restart="no")} | DEAD, ("problem", "problem")),
        ({"guest__agent": guest(restart="no")} | ALIVE, ("ok", "does_not_restart_but_runs")),
        ({"guest__agent": guest(enabled="masked")} | DEAD, ("problem", "not_enabled")),
        ({"guest__agent": guest(enabled="disabled")} | ALIVE, ("ok", "not_enabled_but_runs")),
        ({"guest__agent": guest(restart=None)} | DEAD, ("unknown", "not_told")),
        ({"guest__agent": guest(enabled=None)} | DEAD, ("unknown", "not_told")),
        ({"guest__agent": guest(enabled=None)} | ALIVE, ("ok", "runs_now")),
        (ALIVE, ("ok", "runs_now")),
        (DEAD, ("unknown", "guest_only")),
    ],
)
def test_a_missing_restart_matters_under_a_silent_agent(facts: dict[str, Any], expected: tuple[str, str]) -> None:
    assert outcome("linux_agent_restarts_by_itself", **facts) == expected


OLD = agent(version="2.2.18")


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({"guest__agent": guest()} | DEAD, ("ok", "ok")),
        ({"guest__agent": guest(restarts=12)} | DEAD, ("unknown", "restarted_often")),
        ({"guest__agent": guest(restarts=12)} | ALIVE, ("ok", "agent_reports")),
        ({"guest__agent": guest(active="failed", result="exit-code", exit_status=1)} | DEAD, ("problem", "failed")),
        ({"guest__agent": guest(active="failed", result=None, restarts=None)} | DEAD, ("problem", "failed")),
        ({"guest__agent": guest(active="activating", sub="auto-restart")} | DEAD, ("problem", "restarting")),
        ({"guest__agent": guest(active="inactive", sub="dead")} | DEAD, ("unknown", "does_not_run")),
        ({"guest__agent": guest(restarts=None)} | DEAD, ("unknown", "not_told")),
        ({"guest__agent": guest(active="läuft")} | DEAD, ("unknown", "not_told")),
        (DEAD, ("unknown", "guest_only")),
    ],
)
def test_an_agent_that_keeps_ending_is_found(facts: dict[str, Any], expected: tuple[str, str]) -> None:
    assert outcome("linux_agent_does_not_crash", **facts) == expected


OLD_GUEST = {"packaged_version": "2.2.18", "goal_state_version": "2.2.18", "package_version": "2.2.18-1"}


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({"guest__agent": guest(), "vm__agent": agent()}, ("ok", "ok")),
        ({"guest__agent": guest(package_candidate="2.11.1-0"), "vm__agent": agent()}, ("ok", "older_but_supported")),
        ({"guest__agent": guest(package_candidate=None), "vm__agent": agent()}, ("ok", "supported")),
        ({"guest__agent": guest(running_version="2.2.40"), "vm__agent": agent()}, ("ok", "runs_older_than_package")),
        ({"guest__agent": guest(source="github"), "vm__agent": agent()}, ("ok", "not_from_distribution")),
        ({"guest__agent": guest(**OLD_GUEST, package_candidate="2.11.1-0"), "vm__agent": OLD}, ("problem", "problem")),
        (
            {"guest__agent": guest(**OLD_GUEST, package_candidate="2.2.18-1"), "vm__agent": OLD},
            ("problem", "distribution_has_none"),
        ),
        (
            {"guest__agent": guest(**OLD_GUEST, source="github", package_candidate=None), "vm__agent": OLD},
            ("problem", "not_from_distribution"),
        ),
        ({"guest__agent": guest(**OLD_GUEST, package_candidate=None), "vm__agent": OLD}, ("unknown", "not_told")),
        (
            {
                "guest__agent": guest(packaged_version=None, goal_state_version=None),
                "vm__agent": silent_agent(),
            },
            ("unknown", "not_told"),
        ),
        ({"vm__agent": agent()}, ("ok", "goal_state_is_supported")),
        ({"vm__agent": OLD}, ("unknown", "guest_only")),
        ({}, ("unknown", "not_collected")),
    ],
)
def test_an_old_package_matters_under_an_old_agent(facts: dict[str, Any], expected: tuple[str, str]) -> None:
    assert outcome("linux_agent_package_is_current", **facts) == expected


def config(**changes: Any) -> dict[str, Any]:
    return {
        "via": "waagent",
        "assumed": [],
        "extensions_enabled": True,
        "auto_update_enabled": True,
        "auto_update_to_latest": True,
        "logs_verbose": False,
        "proxy_host": None,
        "proxy_port": None,
        "provisioning_agent": "auto",
        "enable_firewall": True,
        "enable_fips": False,
        "endpoint_discovery": "dhcp",
        "goal_state_period_s": 6,
    } | changes


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({"guest__agent_config": config()}, ("ok", "ok")),
        ({"guest__agent_config": config(extensions_enabled=False)}, ("problem", "problem")),
        ({"guest__agent_config": config(extensions_enabled=None)}, ("unknown", "not_told")),
        ({}, ("unknown", "guest_only")),
    ],
)
def test_the_configuration_allows_extensions(facts: dict[str, Any], expected: tuple[str, str]) -> None:
    assert outcome("linux_agent_allows_extensions", **facts) == expected


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({"guest__agent_config": config(logs_verbose=True)}, ("ok", "verbose")),
        ({"guest__agent_config": config()}, ("ok", "not_verbose")),
        ({}, ("not_applicable", "informational")),
    ],
)
def test_verbose_logging_is_information_and_never_a_cause(facts: dict[str, Any], expected: tuple[str, str]) -> None:
    assert outcome("linux_logs_are_verbose_when_needed", **facts) == expected


def test_windows_is_not_concerned() -> None:
    assert outcome("linux_agent_reports_ready", "windows", **DEAD) == ("not_applicable", "other_os")
