"""The answers of the providers: what a VM's state does to them, and what their filters mean."""

from __future__ import annotations

from typing import Any

import pytest

from azuresim.ids import subscription_id
from simulated import Caller

TABLE = "RecoveryServicesResources"
SUB = f"/subscriptions/{subscription_id(0)}"
GRAPH = "/providers/Microsoft.ResourceGraph/resources"


def powers(caller: Caller) -> str:
    return str(caller.get(caller.vm + "/instanceView")["statuses"][1]["code"])


def test_power_goes_through_its_states() -> None:
    caller = Caller("healthy_linux")
    seen = [powers(caller)]
    for action in ("powerOff", "start", "deallocate"):
        follow = caller.ask("POST", f"{caller.vm}/{action}").headers["Azure-AsyncOperation"]
        seen.append(powers(caller))
        while caller.get(follow)["status"] == "InProgress":
            pass
        seen.append(powers(caller))
    states = ["running", "stopping", "stopped", "starting", "running", "deallocating", "deallocated"]
    assert seen == [f"PowerState/{state}" for state in states]
    assert "vmAgent" not in caller.get(caller.vm + "/instanceView")


@pytest.mark.parametrize(
    ("what", "code"), [("effectiveNetworkSecurityGroups", "SecurityGroups"), ("effectiveRouteTable", "Routes")]
)
def test_effective_rules_and_routes_need_a_running_vm(what: str, code: str) -> None:
    for scenario, status in (("healthy_linux", 202), ("snapshot_shutdown_linux", 400), ("vm_deallocated_windows", 400)):
        caller = Caller(scenario)
        nic = caller.subject["nics"][0]["name"]
        answer = caller.ask(
            "POST", f"{caller.world.group_id}/providers/Microsoft.Network/networkInterfaces/{nic}/{what}"
        )
        assert answer.status == status
        if status == 400:
            assert answer.body["error"]["code"] == f"NicMustBeAttachedToRunningVmToGetEffective{code}"


@pytest.mark.parametrize(
    ("world", "status", "code"),
    [
        ({"vm": {"power": "stopped"}}, 409, "OperationNotAllowed"),
        ({"vm": {"allow_extension_operations": False}}, 409, "OperationNotAllowed"),
        ({"run_command": {"state": "busy"}}, 409, "Conflict"),
    ],
)
def test_run_command_is_refused_at_once(world: dict[str, Any], status: int, code: str) -> None:
    caller = Caller(world)
    answer = caller.ask("POST", caller.vm + "/runCommand", {"commandId": "RunShellScript", "script": ["id"]})
    assert (answer.status, answer.body["error"]["code"]) == (status, code)


def test_run_command_with_a_dead_agent_is_accepted_and_fails() -> None:
    caller = Caller("agent_stopped_linux")
    ended = caller.do("POST", caller.vm + "/runCommand", {"commandId": "RunShellScript", "script": ["id"]})
    assert ended["error"]["code"] == "VMAgentStatusCommunicationError"


@pytest.mark.parametrize(("os", "command"), [("linux", "RunShellScript"), ("windows", "RunPowerShellScript")])
def test_run_command_keeps_the_end_of_the_output_only(os: str, command: str) -> None:
    caller = Caller({"os": os, "run_command": {"output": "x" * 5000 + "end"}})
    answer = caller.ask("POST", caller.vm + "/runCommand", {"commandId": command, "script": ["type big.txt"]})
    while (ended := caller.ask("GET", answer.headers["Location"])).status == 202:
        pass
    message = ended.body["value"][0]["message"]
    assert "x" * 4093 + "end" in message
    assert "x" * 4094 not in message


def metrics(caller: Caller, **query: str) -> Any:
    asked = {"metricnames": "Percentage CPU", "timespan": "2026-11-22T23:00:00Z/2026-11-22T23:30:00Z"} | query
    path = caller.vm + "/providers/Microsoft.Insights/metrics?" + "&".join(f"{k}={v}" for k, v in asked.items())
    return caller.ask("GET", path.replace(" ", "%20"))


def test_metrics_are_high_only_while_the_failed_snapshot_was_taken() -> None:
    caller = Caller("snapshot_high_cpu_linux")
    busy = metrics(caller).body["value"][0]["timeseries"][0]["data"]
    idle = metrics(caller, timespan="2026-11-22T20:00:00Z/2026-11-22T20:30:00Z").body["value"][0]["timeseries"][0][
        "data"
    ]
    assert len(busy) == len(idle) == 30
    assert max(point["average"] for point in idle) < 25
    assert min(point["average"] for point in busy[1:27]) > 90


def test_an_unknown_metric_is_a_bad_request_that_lists_the_known_ones() -> None:
    answer = metrics(Caller("healthy_linux"), metricnames="Percentage CPU,Nonsense")
    assert (answer.status, answer.body["code"]) == (400, "BadRequest")
    assert "metric: Nonsense, Valid metrics: Percentage CPU," in answer.body["message"]


def test_a_vm_that_is_off_has_minutes_without_values() -> None:
    data = metrics(Caller("vm_deallocated_windows")).body["value"][0]["timeseries"][0]["data"]
    assert len(data) == 30
    assert all(set(point) == {"timeStamp"} for point in data)


@pytest.mark.parametrize(
    ("clause", "count"),
    [
        ("status eq 'Failed'", 2),
        ("status eq 'Completed' and operation eq 'Backup'", 4),
        ("operation eq 'Restore'", 0),
        ("backupManagementType eq 'AzureStorage'", 0),
        ("startTime eq '2026-11-21 11:00:00 PM' and endTime eq '2026-11-23 12:00:00 AM'", 2),
        ("startTime eq '2026-11-22 00:00:00 AM'", 1),
        ("endTime eq '2026-11-20 01:00:00 AM'", 3),
    ],
)
def test_jobs_are_filtered_as_the_backup_service_does(clause: str, count: int) -> None:
    caller = Caller("agent_stopped_linux")
    assert len(caller.all(f"{caller.world.vault_id}/backupJobs?$filter={clause.replace(' ', '%20')}")) == count


@pytest.mark.parametrize(
    "clause", ["startTime ge '2026-11-22 11:00:00 PM'", "startTime eq '22.11.2026 23:00'", "color eq 'red'"]
)
def test_a_filter_that_the_backup_service_refuses_is_refused(clause: str) -> None:
    caller = Caller("agent_stopped_linux")
    answer = caller.ask("GET", f"{caller.world.vault_id}/backupJobs?$filter={clause.replace(' ', '%20')}")
    assert (answer.status, answer.body["error"]["code"]) == (400, "BMSUserErrorInvalidFilter")


def test_the_activity_log_needs_a_start_time_and_filters_by_resource() -> None:
    caller = Caller("no_internet_linux", "vm_updating_linux")
    path = f"{SUB}/providers/microsoft.insights/eventtypes/management/values?$filter="
    since = "eventTimestamp%20ge%20'2026-11-01T00:00:00Z'"
    assert caller.ask("GET", path + f"resourceUri%20eq%20'{caller.vm}'").status == 400
    assert len(caller.all(path + since)) == 2
    assert len(caller.all(path + since + f"%20and%20resourceUri%20eq%20'{caller.vm}'")) == 1
    assert (
        caller.all(
            path
            + "eventTimestamp%20ge%20'2026-11-22T00:00:00Z'%20and%20resourceGroupName%20eq%20'RG-NO-INTERNET-LINUX'"
        )
        == []
    )


def test_locks_are_inherited_and_seen_from_above() -> None:
    locks = [{"name": name, "scope": name} for name in ("vm", "resource_group", "restore_points", "subscription")]
    caller = Caller({"locks": locks})
    tail = "/providers/Microsoft.Authorization/locks"
    sub = f"/subscriptions/{caller.world.subscription}"
    points = f"{sub}/resourceGroups/{caller.world.restore_point_group}"
    seen = {
        place: sorted(lock["name"] for lock in caller.all(path + tail))
        for place, path in {"sub": sub, "group": caller.world.group_id, "vm": caller.vm, "points": points}.items()
    }
    assert seen == {
        "sub": ["resource_group", "restore_points", "subscription", "vm"],
        "group": ["resource_group", "subscription", "vm"],
        "vm": ["resource_group", "subscription", "vm"],
        "points": ["restore_points", "subscription"],
    }


@pytest.mark.parametrize(
    ("query", "count"),
    [
        (TABLE + " | where type =~ 'x/protecteditems'", 2),
        (
            TABLE + " | where type =~ 'x/protecteditems' | where properties.dataSourceInfo.resourceID =~ '{vm}'",
            1,
        ),
        (TABLE + " | where type =~ 'x/backupjobs' and properties.status =~ 'Failed'", 2),
        (TABLE + " | where type =~ 'x/backupjobs' and properties.operation =~ 'Restore'", 0),
        (
            TABLE + " | where type =~ 'x/backupjobs' and properties.status in~ ('Failed', 'Completed')",
            12,
        ),
        (
            TABLE + " | where type =~ 'x/backupjobs' | where todatetime(properties.startTime) > ago(1d)",
            2,
        ),
    ],
)
def test_the_graph_answers_for_items_and_jobs(query: str, count: int) -> None:
    caller = Caller("agent_stopped_linux", "healthy_linux")
    body = caller.ask("POST", GRAPH, {"query": query.format(vm=caller.vm.upper())}).body
    assert (body["totalRecords"], body["resultTruncated"]) == (count, "false")


def test_the_graph_projects_and_pages() -> None:
    caller = Caller("snapshot_same_schedule_linux")
    asked = {"query": TABLE + " | where type =~ 'x/protecteditems' | project vm = tostring(properties.friendlyName)"}
    names: list[str] = []
    token = None
    while True:
        body = caller.ask("POST", GRAPH, asked | {"options": {"$skipToken": token}}).body
        names += [row["vm"] for row in body["data"]]
        token = body.get("$skipToken")
        if not token:
            break
    assert len(set(names)) == 101


def test_a_question_the_graph_cannot_answer_is_refused() -> None:
    assert Caller("healthy_linux").ask("POST", GRAPH, {"query": "SecurityResources | take 1"}).status == 400


def test_backup_status_tells_who_is_protected() -> None:
    for scenario, status in (("healthy_linux", "Protected"), ("not_protected_linux", "NotProtected")):
        caller = Caller(scenario)
        path = f"{SUB}/providers/Microsoft.RecoveryServices/locations/westeurope/backupStatus"
        body = caller.ask("POST", path, {"resourceType": "VM", "resourceId": caller.vm.upper()}).body
        assert body["protectionStatus"] == status
        assert ("vaultId" in body) == (status == "Protected")


def test_versions_are_a_bare_list() -> None:
    caller = Caller("healthy_linux")
    root = f"/subscriptions/{caller.world.subscription}/providers/Microsoft.Compute/locations/westeurope/publishers"
    kind = f"{root}/Microsoft.Azure.RecoveryServices/artifacttypes/vmextension/types/VMSnapshotLinux/versions"
    assert "1.0.9220.0" in [entry["name"] for entry in caller.get(kind)]
    assert caller.ask("GET", f"{root}/Nobody/artifacttypes/vmextension/types/x/versions").status == 404


def test_rules_that_azure_would_refuse_are_refused() -> None:
    caller = Caller("no_internet_linux")
    rules = f"{caller.world.group_id}/providers/Microsoft.Network/networkSecurityGroups/nsg-nic/securityRules"
    taken = {"properties": {"priority": 200, "direction": "Outbound", "access": "Allow", "protocol": "*"}}
    assert caller.ask("PUT", rules + "/new", taken).body["error"]["code"] == "SecurityRuleConflict"
    wrong = {"properties": {"priority": 5000, "direction": "Outbound"}}
    assert caller.ask("PUT", rules + "/new", wrong).body["error"]["code"] == "SecurityRuleInvalidPriority"


def test_time_passes_only_when_something_is_done() -> None:
    caller = Caller("healthy_linux")
    dates = [caller.ask("GET", caller.vm + "/instanceView").headers["Date"] for _ in range(3)]
    assert len(set(dates)) == 1
    caller.do("POST", caller.vm + "/restart")
    assert caller.ask("GET", caller.vm).headers["Date"] > dates[0]
