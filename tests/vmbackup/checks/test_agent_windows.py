"""The agent is installed in the VM but unresponsive (Windows VMs)."""

from __future__ import annotations

from typing import Any

import pytest

from judging import DENIED, agent, judge, model, outcome, power, silent_agent

VERSION = "2.7.41491.1243"
ALIVE = {"vm__power": power(), "vm__agent": agent(version=VERSION)}
DEAD = {"vm__power": power(), "vm__agent": silent_agent()}
NETWORK = "GuestAgent is running and waiting for network issue to be resolved."


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        (ALIVE, ("ok", "ok")),
        (ALIVE | {"vm__agent": agent(message="GuestAgent is running and processing the extensions.")}, ("ok", "ok")),
        (ALIVE | {"vm__agent": agent(message=NETWORK)}, ("problem", "network_issue")),
        (DEAD, ("problem", "problem")),
        (
            DEAD | {"vm__agent": silent_agent("VM status blob is found but not yet populated.")},
            ("problem", "never_reported"),
        ),
        (DEAD | {"vm__power": power("deallocated")}, ("unknown", "vm_not_running")),
        (DEAD | {"vm__power": power("stopped")}, ("unknown", "vm_not_running")),
        (ALIVE | {"vm__power": power(None)}, ("unknown", "power_unknown")),
        (ALIVE | {"vm__agent": None}, ("unknown", "no_agent_listed")),
        (ALIVE | {"vm__agent": agent(code=None, display_status=None, message=None)}, ("unknown", "no_status")),
        (ALIVE | {"vm__agent": agent(code=None)}, ("ok", "ok")),
        (ALIVE | {"vm__agent": agent(message=None)}, ("unknown", "no_message")),
        (ALIVE | {"vm__agent": agent(code="ProvisioningState/updating")}, ("unknown", "other_status")),
        (
            ALIVE | {"vm__agent": agent(code="ProvisioningState/updating", display_status=None)},
            ("unknown", "other_status"),
        ),
        (ALIVE | {"vm__agent": agent(display_status="Not Ready")}, ("problem", "problem")),
        (ALIVE | {"vm__agent": DENIED}, ("unknown", "unanswered")),
        ({}, ("unknown", "not_collected")),
    ],
)
def test_ready_is_what_azure_and_the_agent_itself_say(facts: dict[str, Any], expected: tuple[str, str]) -> None:
    assert outcome("windows_agent_reports_ready", "windows", **facts) == expected


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        (ALIVE, ("ok", "ok")),
        (ALIVE | {"vm__agent": agent(age_s=15 * 60.0)}, ("ok", "ok")),
        (ALIVE | {"vm__agent": agent(age_s=16 * 60.0)}, ("problem", "stale")),
        (ALIVE | {"vm__agent": agent(age_s=-30.0)}, ("ok", "ok")),
        (ALIVE | {"vm__agent": agent(age_s=-3600.0)}, ("unknown", "in_the_future")),
        (ALIVE | {"vm__agent": agent(age_s=None)}, ("unknown", "no_time")),
        (DEAD, ("unknown", "not_ready")),
        (ALIVE | {"vm__agent": None}, ("unknown", "no_agent_listed")),
        (ALIVE | {"vm__power": power("deallocated")}, ("unknown", "vm_not_running")),
        (ALIVE | {"vm__power": power(None)}, ("unknown", "power_unknown")),
    ],
)
def test_an_old_report_is_no_life(facts: dict[str, Any], expected: tuple[str, str]) -> None:
    assert outcome("windows_agent_heartbeat_is_fresh", "windows", **facts) == expected


def guest(**changes: Any) -> dict[str, Any]:
    return {
        "msi_installed": False,
        "msi_version": None,
        "version": VERSION,
        "status": None,
        "wireserver_status": None,
        "dhcp_status": None,
        "fabric_address_time": None,
        "dotnet_present": None,
        "started_at": None,
        "heartbeat_at": None,
        "heartbeat_age_s": None,
        "processes": [],
        "wcf_debugging": False,
    } | changes


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        (VERSION, "ok"),
        ("2.7.41491.1010", "ok"),
        ("2.7.41491.1009", "problem"),
        ("2.7.41491.999", "problem"),
        ("2.10.0.0", "ok"),
        ("Unknown", "unknown"),
        ("", "unknown"),
        (None, "unknown"),
    ],
)
def test_versions_are_compared_number_by_number(version: str | None, expected: str) -> None:
    finding = judge("windows_agent_version_is_supported", "windows", vm__agent=agent(version=version))
    assert finding.verdict == expected


def test_the_guest_knows_the_version_that_azure_does_not() -> None:
    facts = {"vm__agent": silent_agent(), "guest__windows_agent": guest(version="2.7.1")}
    assert outcome("windows_agent_version_is_supported", "windows", **facts) == ("problem", "problem")
    assert outcome("windows_agent_version_is_supported", "windows", vm__agent=None) == ("unknown", "unknown")


@pytest.mark.parametrize(
    ("changes", "listed", "expected"),
    [
        ({}, agent(), ("ok", "ok")),
        ({"provision_vm_agent": False}, silent_agent(), ("problem", "problem")),
        ({"provision_vm_agent": False}, DENIED, ("problem", "problem")),
        ({"provision_vm_agent": False}, agent(), ("ok", "installed_anyway")),
        ({"provision_vm_agent": None}, agent(), ("unknown", "unknown")),
        ({"provision_vm_agent": None, "has_os_profile": False}, agent(), ("ok", "no_os_profile")),
    ],
)
def test_the_model_says_whether_there_is_an_agent(
    changes: dict[str, Any], listed: Any, expected: tuple[str, str]
) -> None:
    assert outcome("vm_model_provisions_the_agent", "windows", vm__model=model(**changes), vm__agent=listed) == expected


def service(**changes: Any) -> dict[str, Any]:
    return {"exists": True, "state": "Running", "start": "Automatic", "path_ok": True, "account": None} | changes


def services(**changes: Any) -> dict[str, Any]:
    return {"RdAgent": service(), "WindowsAzureGuestAgent": service(**changes)}


GONE = {"exists": False, "state": None, "start": None, "path_ok": None}


def needed(name: str, start: str) -> dict[str, Any]:
    return {name: {"exists": True, "state": "Stopped", "start": start, "path_ok": True, "account": None}}


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({"guest__services": services()}, ("ok", "ok")),
        ({"guest__services": services(state="Stopped")}, ("problem", "problem")),
        ({"guest__services": services(**GONE)}, ("problem", "missing")),
        ({"guest__services": services(path_ok=False)}, ("problem", "broken_path")),
        ({"guest__services": services(start="Disabled")}, ("ok", "runs_but_start_type")),
        ({"guest__services": services(exists=None, state=None, start=None, path_ok=None)}, ("unknown", "not_told")),
        ({"guest__services": {}}, ("unknown", "not_told")),
        (DEAD | {"guest__services": services() | needed("KeyIso", "Disabled")}, ("problem", "needed_disabled")),
        ({"guest__services": services() | needed("KeyIso", "Disabled")}, ("unknown", "not_told")),
        ({"guest__services": services() | needed("KeyIso", "Manual")}, ("ok", "ok")),
        ({"guest__services": services() | needed("Winmgmt", "Disabled")} | ALIVE, ("ok", "ok")),
        (ALIVE, ("ok", "agent_reports")),
        (DEAD, ("unknown", "guest_only")),
        ({}, ("unknown", "guest_only")),
    ],
)
def test_the_services_run(facts: dict[str, Any], expected: tuple[str, str]) -> None:
    assert outcome("windows_agent_services_run", "windows", **facts) == expected


def test_a_boot_report_shows_a_stopped_service() -> None:
    report = {
        "reported_at": None,
        "agent_version": None,
        "os_version": None,
        "adapters": [],
        "services": [{"name": "WindowsAzureGuestAgent", "state": "Stopped", "start": "Auto"}],
        "firewall": {},
    }
    expected = ("problem", "stopped_in_boot_report")
    assert outcome("windows_agent_services_run", "windows", guest__boot_report=report, **DEAD) == expected


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        (ALIVE, ("ok", "agent_reports")),
        ({"guest__services": services()} | DEAD, ("ok", "ok")),
        ({"guest__windows_agent": guest(msi_installed=True)} | DEAD, ("ok", "ok")),
        (
            {
                "guest__services": {"RdAgent": service(**GONE), "WindowsAzureGuestAgent": service(**GONE)},
                "guest__windows_agent": guest(),
            }
            | DEAD,
            ("problem", "problem"),
        ),
        ({"guest__services": {}, "guest__windows_agent": guest()} | DEAD, ("unknown", "guest_only")),
        (DEAD, ("unknown", "guest_only")),
    ],
)
def test_the_agent_is_installed(facts: dict[str, Any], expected: tuple[str, str]) -> None:
    assert outcome("windows_agent_is_installed", "windows", **facts) == expected


def crashes(*names: str) -> dict[str, Any]:
    events = [{"kind": "program", "name": name, "count": 3, "last": None, "detail": "0xe0434352"} for name in names]
    return {"days": 1, "events": events, "cut": []}


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({"guest__windows_agent": guest(), "guest__crashes": crashes()} | DEAD, ("ok", "ok")),
        (
            {"guest__windows_agent": guest(), "guest__crashes": crashes("WindowsAzureGuestAgent.exe")} | DEAD,
            ("problem", "problem"),
        ),
        ({"guest__windows_agent": guest(wcf_debugging=True)} | DEAD, ("problem", "wcf_debugging")),
        ({"guest__windows_agent": guest(), "guest__crashes": crashes("notepad.exe")} | DEAD, ("ok", "ok")),
        (
            {"guest__windows_agent": guest(), "guest__crashes": crashes() | {"cut": ["events"]}} | DEAD,
            ("unknown", "not_all_seen"),
        ),
        ({"guest__crashes": crashes("WaAppAgent.exe")} | ALIVE, ("ok", "agent_reports")),
        (
            {"guest__windows_agent": guest(), "guest__crashes": {"days": None, "events": None}},
            ("unknown", "guest_only"),
        ),
        ({}, ("unknown", "guest_only")),
    ],
)
def test_the_agent_does_not_crash(facts: dict[str, Any], expected: tuple[str, str]) -> None:
    assert outcome("windows_agent_does_not_crash", "windows", **facts) == expected


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({"guest__dotnet": {"release": 378389}}, ("ok", "ok")),
        ({"guest__dotnet": {"release": 378388}}, ("problem", "problem")),
        ({"guest__dotnet": {"release": 0}}, ("problem", "missing")),
        ({"guest__dotnet": {"release": None}}, ("unknown", "not_told")),
        (ALIVE, ("ok", "agent_reports")),
        (DEAD, ("unknown", "guest_only")),
    ],
)
def test_dotnet_4_5_is_there(facts: dict[str, Any], expected: tuple[str, str]) -> None:
    assert outcome("dotnet_is_new_enough", "windows", **facts) == expected


def test_linux_is_not_concerned() -> None:
    assert outcome("windows_agent_reports_ready", "linux", **DEAD) == ("not_applicable", "other_os")
    assert outcome("windows_agent_reports_ready", None, **DEAD) == ("unknown", "os_unknown")
