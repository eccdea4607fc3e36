"""The snapshot status cannot be retrieved, or a snapshot cannot be taken."""

from __future__ import annotations

from typing import Any

import pytest

from judging import DENIED, agent, failed_job, job, judge, outcome, power, silent_agent

FAILED = {"backup__failed_job": failed_job()}
UNNAMED = {"backup__failed_job": failed_job(None, "GuestAgentSnapshotTaskStatusError")}
GOOD = {"backup__failed_job": None, "backup__jobs": [job()]}
ALIVE = {"vm__power": power(), "vm__agent": agent()}
DEAD = {"vm__power": power(), "vm__agent": silent_agent()}


def health(state: str = "Available", summary: str | None = None) -> dict[str, Any]:
    return {"state": state, "reason": None, "summary": summary, "since": None}


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({"vm__power": power(), "vm__health": health()}, ("ok", "ok")),
        ({"vm__power": power(), "vm__health": DENIED, "vm__agent": agent()}, ("ok", "ok")),
        (DEAD | {"vm__health": health("Unavailable", "gone")} | FAILED, ("problem", "misreported")),
        ({"vm__power": power(), "vm__health": health("Unavailable", "gone")} | FAILED, ("unknown", "nobody_confirms")),
        ({"vm__power": power(), "vm__health": health("Unavailable"), "vm__agent": agent()} | FAILED, ("ok", "ok")),
        ({"vm__power": power(), "vm__health": health("Unknown")}, ("unknown", "nobody_confirms")),
        ({"vm__power": power()}, ("unknown", "nobody_confirms")),
        ({"vm__power": power("stopped")} | FAILED, ("unknown", "stopped_and_failed")),
        ({"vm__power": power("stopped")} | UNNAMED, ("problem", "shut_down_inside")),
        ({"vm__power": power("stopped")}, ("unknown", "stopped_and_failed")),
        ({"vm__power": power("stopped")} | GOOD, ("ok", "stopped_nothing_failed")),
        ({"vm__power": power("deallocated")} | FAILED, ("ok", "deallocated")),
        ({"vm__power": power("stopping")} | FAILED, ("unknown", "in_transition")),
        ({"vm__power": power(None)}, ("unknown", "power_unknown")),
        ({"vm__power": DENIED}, ("unknown", "unanswered")),
    ],
)
def test_the_state_is_the_real_one(facts: dict[str, Any], expected: tuple[str, str]) -> None:
    assert outcome("vm_state_is_reported_truly", **facts) == expected


def neighbours(count: int) -> dict[str, Any]:
    each = {"last_backup_status": "Completed", "last_backup_time": None}
    return {"policy": "nightly", "same_time": [{"name": f"vm{number}", **each} for number in range(count)]}


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({"backup__neighbours": neighbours(0)} | FAILED, ("ok", "ok")),
        ({"backup__neighbours": neighbours(39)} | FAILED, ("ok", "ok")),
        ({"backup__neighbours": neighbours(40)} | FAILED, ("unknown", "disputed")),
        ({"backup__neighbours": neighbours(60)}, ("unknown", "disputed")),
        ({"backup__neighbours": neighbours(99)} | FAILED, ("unknown", "disputed")),
        ({"backup__neighbours": neighbours(100)} | FAILED, ("problem", "problem")),
        ({"backup__neighbours": neighbours(60)} | GOOD, ("ok", "crowded_nothing_failed")),
        ({"backup__neighbours": None}, ("unknown", "unknown")),
        ({"backup__neighbours": DENIED}, ("unknown", "unanswered")),
    ],
)
def test_the_vm_itself_counts_and_above_forty_two_pages_disagree(
    facts: dict[str, Any], expected: tuple[str, str]
) -> None:
    assert outcome("backups_of_one_policy_are_spread", **facts) == expected


def metrics(name: str, *values: float, window: str = "snapshot_task") -> dict[str, Any]:
    points = [(f"2026-11-22T22:{minute:02}:00Z", value) for minute, value in enumerate(values)]
    series = {name: {"unit": "Percent", "aggregation": "Average", "points": points}}
    return {"start": "2026-11-22T22:00:00Z", "end": "2026-11-22T23:00:00Z", "window": window, "series": series}


CPU = "Percentage CPU"
MEMORY = "Available Memory Percentage"


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({"vm__metrics": metrics(CPU, 20, 30)} | FAILED, ("ok", "ok")),
        ({"vm__metrics": metrics(CPU, 90, 90)} | FAILED, ("ok", "ok")),
        ({"vm__metrics": metrics(CPU, 97, 99, 80)} | FAILED, ("problem", "problem")),
        ({"vm__metrics": metrics(CPU, 97, 99, window="job")} | FAILED, ("problem", "problem")),
        ({"vm__metrics": metrics(CPU, 5, 99)} | FAILED, ("ok", "ok")),
        ({"vm__metrics": metrics(CPU, 5, 99, window="job")} | FAILED, ("unknown", "for_minutes")),
        ({"vm__metrics": metrics(CPU, 97, window="last_hour")}, ("unknown", "only_last_hour")),
        ({"vm__metrics": metrics(CPU, 97, window="last_hour")} | GOOD, ("ok", "nothing_failed")),
        ({"vm__metrics": metrics(CPU)} | FAILED, ("unknown", "no_values")),
        ({"vm__metrics": metrics("Other", 1)} | FAILED, ("unknown", "no_values")),
        ({"vm__metrics": None} | FAILED, ("unknown", "no_values")),
        ({"vm__metrics": DENIED} | FAILED, ("unknown", "unanswered")),
    ],
)
def test_cpu_above_ninety_percent_in_the_snapshots_time(facts: dict[str, Any], expected: tuple[str, str]) -> None:
    assert outcome("cpu_leaves_room_during_snapshot", **facts) == expected


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({"vm__metrics": metrics(MEMORY, 40, 30)} | FAILED, ("ok", "ok")),
        ({"vm__metrics": metrics(MEMORY, 10, 10)} | FAILED, ("ok", "ok")),
        ({"vm__metrics": metrics(MEMORY, 3, 5)} | FAILED, ("problem", "problem")),
        ({"vm__metrics": metrics(MEMORY, 40, 3, window="job")} | FAILED, ("unknown", "for_minutes")),
        ({"vm__metrics": metrics(MEMORY, 3, window="last_hour")}, ("unknown", "only_last_hour")),
        ({"vm__metrics": metrics(MEMORY, 3)} | GOOD, ("ok", "nothing_failed")),
        ({"vm__metrics": metrics("Available Memory Bytes", 2e8)} | FAILED, ("unknown", "only_bytes")),
        ({"vm__metrics": metrics(MEMORY)} | FAILED, ("unknown", "no_values")),
    ],
)
def test_less_than_ten_percent_of_memory_in_the_snapshots_time(
    facts: dict[str, Any], expected: tuple[str, str]
) -> None:
    assert outcome("memory_leaves_room_during_snapshot", **facts) == expected


def nic(*allocations: str) -> dict[str, Any]:
    configs = [
        {"name": f"c{n}", "primary": n == 0, "private_ip": f"10.0.0.{n + 4}", "allocation": each, "subnet_id": None}
        for n, each in enumerate(allocations)
    ]
    return {"id": "/nic", "name": "nic", "primary": True, "nsg_id": None, "ip_configs": configs}


@pytest.mark.parametrize(
    ("nics", "expected"),
    [
        ([nic("Dynamic")], ("ok", "ok")),
        ([nic("Static")], ("ok", "ok")),
        ([nic("Dynamic"), nic("Static")], ("ok", "ok")),
        ([nic("Static", "Static")], ("unknown", "several_addresses")),
        ([nic()], ("unknown", "no_addresses")),
        ([], ("unknown", "no_addresses")),
        (DENIED, ("unknown", "unanswered")),
    ],
)
def test_the_platform_gives_one_address(nics: Any, expected: tuple[str, str]) -> None:
    assert outcome("addresses_fit_dhcp", network__nics=nics) == expected


def windows(dhcp: bool | None, addresses: int = 1) -> dict[str, Any]:
    return {"nics": [{"name": "Ethernet", "primary": True, "dhcp": dhcp, "addresses": addresses}]}


def linux(dhcp: bool | None = True, addresses: int = 1, **changes: Any) -> dict[str, Any]:
    interface = {"name": "eth0", "dhcp": dhcp, "option_245": None, "lease": None, "addresses": addresses}
    return {"interfaces": [interface], "endpoint": "168.63.129.16", "route": True} | changes


REACHED, UNREACHED = ({"guest__network": {"wireserver_http": word}} for word in ("ok", "timeout"))
QUIET = {"guest__logs": {"patterns": {}}}
WRONG = {"guest__logs": {"patterns": {"wrong_endpoint": {"count": 2, "last": "2026-11-22T23:51:48Z"}}}}


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({"guest__windows_dhcp": windows(True)} | DEAD, ("ok", "ok")),
        ({"guest__windows_dhcp": windows(False)} | UNREACHED | DEAD, ("problem", "static")),
        ({"guest__windows_dhcp": windows(False)} | REACHED | DEAD, ("ok", "static_but_reached")),
        ({"guest__windows_dhcp": windows(False)} | DEAD, ("unknown", "static_perhaps")),
        ({"guest__windows_dhcp": windows(False)} | ALIVE, ("ok", "static_but_reports")),
        ({"guest__windows_dhcp": windows(False, 2)} | DEAD, ("ok", "several_static")),
        ({"guest__windows_dhcp": windows(None)} | DEAD, ("unknown", "not_told")),
        ({"guest__windows_dhcp": {"nics": None}} | DEAD, ("unknown", "not_told")),
        ({"guest__dhcp": linux()} | QUIET | DEAD, ("ok", "ok")),
        ({"guest__dhcp": linux()} | DEAD, ("unknown", "not_told")),
        ({"guest__dhcp": linux(endpoint=None)} | QUIET | DEAD, ("unknown", "not_told")),
        ({"guest__dhcp": linux(endpoint="")} | QUIET | DEAD, ("unknown", "no_endpoint")),
        # WALinuxAgent #1205: two name servers, taken for the platform.
        ({"guest__dhcp": linux(endpoint=None)} | WRONG | DEAD, ("problem", "wrong_endpoint_in_log")),
        ({"guest__dhcp": linux()} | WRONG | ALIVE, ("ok", "ok")),
        ({"guest__dhcp": linux(False)} | UNREACHED | DEAD, ("problem", "static")),
        ({"guest__dhcp": linux(False)} | REACHED | DEAD, ("ok", "static_but_reached")),
        ({"guest__dhcp": linux(False)} | ALIVE, ("ok", "static_but_reports")),
        ({"guest__dhcp": linux(False, 2)} | DEAD, ("unknown", "not_told")),
        ({"guest__dhcp": linux(endpoint="10.0.0.5")} | DEAD, ("problem", "wrong_endpoint")),
        ({"guest__dhcp": linux(route=False)} | DEAD, ("problem", "no_route")),
        ({"guest__dhcp": linux(None)} | ALIVE, ("ok", "agent_reports")),
        (ALIVE, ("ok", "agent_reports")),
        (DEAD, ("unknown", "guest_only")),
        ({}, ("unknown", "guest_only")),
    ],
)
def test_a_static_address_matters_under_a_silent_agent(facts: dict[str, Any], expected: tuple[str, str]) -> None:
    assert outcome("guest_gets_its_address_by_dhcp", **facts) == expected


def sql(*services: str, copy: bool | None = False, keys: dict[str, str] | None = None) -> dict[str, Any]:
    return {
        "services": [{"name": name, "state": "Running"} for name in services],
        "use_vss_copy_backup": copy,
        "bcdr_agent": keys or {},
        "bcdr_agent_persistent": {},
        "cut": [],
    }


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({"guest__sql": sql()} | FAILED, ("ok", "no_sql")),
        ({"guest__sql": sql("SQLWriter")} | FAILED, ("ok", "no_sql")),
        ({"guest__sql": sql("MSSQLSERVER", copy=True)} | FAILED, ("ok", "ok")),
        ({"guest__sql": sql("MSSQLSERVER")} | FAILED, ("problem", "problem")),
        ({"guest__sql": sql("MSSQL$SALES")}, ("problem", "problem")),
        ({"guest__sql": sql("MSSQLSERVER")} | GOOD, ("ok", "full_nothing_failed")),
        ({"guest__sql": sql("MSSQLSERVER", keys={"UseVssFullBackup": "True"})} | FAILED, ("unknown", "other_key")),
        ({"guest__sql": sql("MSSQLSERVER", copy=None)} | FAILED, ("unknown", "not_told")),
        ({"guest__sql": sql("SQLWriter") | {"cut": ["services"]}} | FAILED, ("unknown", "not_told")),
        ({"guest__sql": sql() | {"services": None}} | FAILED, ("unknown", "not_told")),
        (FAILED, ("unknown", "guest_only")),
    ],
)
def test_sql_servers_own_backups_want_a_vss_copy(facts: dict[str, Any], expected: tuple[str, str]) -> None:
    assert outcome("sql_backup_uses_vss_copy", "windows", **facts) == expected


def test_fractions_are_written_in_the_readers_language() -> None:
    from vmbackup import catalog

    finding = judge("cpu_leaves_room_during_snapshot", vm__metrics=metrics(CPU, 97.25, 99), **FAILED)
    assert "98.1 %" in catalog.sentence(finding, "en")
    assert "98,1 %" in catalog.sentence(finding, "de")
