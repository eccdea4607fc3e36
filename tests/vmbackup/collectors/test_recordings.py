"""Every recorded answer of real Azure goes through the readers: none crashes, and none is misread."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any

import pytest

from readers import NOW, READERS, listed, wires
from recordings import ARM, Recording, for_each_recording, recording, recordings
from vmbackup.arm.errors import Unreadable
from vmbackup.arm.wire import inside
from vmbackup.collectors.backup_policy import read_policy
from vmbackup.collectors.disks import read_disk
from vmbackup.collectors.failed_job import read_failed_job
from vmbackup.collectors.jobs import read_job
from vmbackup.collectors.metrics import read_series
from vmbackup.collectors.protected_item import read_item
from vmbackup.collectors.protection import read_backup_status
from vmbackup.collectors.recent_failures import read_failed_row
from vmbackup.collectors.recovery_points import read_recovery_point
from vmbackup.collectors.routes import read_effective_routes
from vmbackup.collectors.rules import read_effective_rules, read_nsg
from vmbackup.collectors.vm import read_agent, read_handlers, read_model, read_power
from vmbackup.facts import schema
from vmbackup.facts.azure import FACTS
from vmbackup.facts.backup import Job, Protection, RecoveryPoint
from vmbackup.facts.network import Route
from vmbackup.facts.vm import Handler


def test_no_answer_crashes_any_reader_and_every_reading_has_the_promised_shape() -> None:
    """Even the wrong answer to a question is read into the right shape or refused as unreadable, never into a crash.

    A reader that none of the answers meant for it feeds would prove nothing.
    """
    if not ARM.is_dir():
        pytest.skip(f"no recorded answers in {ARM} (VMBACKUP_RECORDINGS)")
    fed, broken = set(), []
    for recorded in recordings():
        for wire in wires(recorded):
            with suppress(Unreadable):
                read_failed_row(wire)
            for name, (kind, read) in READERS.items():
                try:
                    data = read(wire)
                except Unreadable:
                    continue
                if data is not None and recorded.name.startswith(kind):
                    fed.add(name)
                fact = name.partition(",")[0]
                if data is not None and schema.error(data, FACTS[fact], fact):
                    broken.append(f"{recorded.name}: {schema.error(data, FACTS[fact], fact)}")
    assert broken == []
    assert {name for name, (kind, _) in READERS.items() if kind} - fed == set()


# --- the virtual machine -------------------------------------------------------------------------------------------


def view_of(recorded: Recording) -> Any:
    wire = recorded.json
    return inside(wire, "properties", "instanceView") or (wire if "statuses" in wire else None)


def taken(recorded: Recording) -> datetime:
    said = {name.lower(): value for name, value in recorded.headers.items()}.get("date")
    return parsedate_to_datetime(said) if said else NOW


@for_each_recording("vm_get_instanceview", "instanceview_endpoint")
def test_a_vm_is_read_as_its_file_name_says(recorded: Recording) -> None:
    """Names are like ``linux-notready-running-ok``: system, agent, power."""
    words = recorded.name.split("__")[1].split("-")
    view = view_of(recorded)
    agent, power = read_agent(view, taken(recorded)), read_power(view)
    if words[0] in ("linux", "windows") and inside(recorded.json, "properties"):
        assert read_model(recorded.json)["os"] == words[0]
    if "noagent" in words:
        assert agent is None
    if "notready" in words:
        assert agent is not None
        assert agent["display_status"] == "Not Ready"
    elif "ready" in words:
        assert agent is not None
        assert agent["code"] == "ProvisioningState/succeeded"
        assert agent["display_status"] == "Ready"
    for state in ("running", "deallocated", "stopped"):
        if words[-1] == state or state in words[2:]:
            assert power["power"] in (state, None) or "deallocat" in str(power["power"])


@for_each_recording("vm_get_instanceview")
def test_a_heartbeat_is_as_old_as_azures_clock_says(recorded: Recording) -> None:
    agent = read_agent(view_of(recorded), taken(recorded))
    if agent and agent["age_s"] is not None and "Date" in {name.title() for name in recorded.headers}:
        assert agent["age_s"] > -600


@for_each_recording("vm_get_instanceview", "instanceview_endpoint")
def test_every_handler_has_a_type_and_keeps_its_version(recorded: Recording) -> None:
    handlers: list[Handler] = read_handlers(view_of(recorded))
    listed_handlers = inside(view_of(recorded), "vmAgent", "extensionHandlers") or []
    assert [handler["version"] for handler in handlers] == [each.get("typeHandlerVersion") for each in listed_handlers]


def test_an_agent_can_be_ready_by_code_and_wait_for_the_network() -> None:
    waiting = [
        each for each in recordings("vm_get_instanceview") if b"waiting for network issue to be resolved" in each.body
    ]
    if not waiting:
        pytest.skip("no recorded answers")
    for recorded in waiting:
        agent = read_agent(view_of(recorded), NOW)
        assert agent is not None
        assert agent["code"] == "ProvisioningState/succeeded"
        assert "network issue" in (agent["message"] or "")


@for_each_recording("disk_get")
def test_a_disk_keeps_its_size_and_kind(recorded: Recording) -> None:
    wire = recorded.json
    disk = read_disk("data", {"lun": 0, "managedDisk": {"id": wire.get("id")}}, wire)
    assert disk["size_gb"] == wire["properties"].get("diskSizeGB")
    assert disk["sku"] == (wire.get("sku") or {}).get("name")
    assert disk["shared"] is ((wire["properties"].get("maxShares") or 1) > 1)


# --- the network ---------------------------------------------------------------------------------------------------


@for_each_recording("effective_nsg")
def test_effective_rules_are_all_read(recorded: Recording) -> None:
    if recorded.status != 200 or recorded.body.strip() in (b"", b"null"):
        return
    rules = read_effective_rules("nic", recorded.json)["rules"]
    counted = sum(len(group.get("effectiveSecurityRules") or []) for group in recorded.json["value"])
    assert len(rules) == counted
    assert all(rule["destinations"] and rule["ports"] for rule in rules)
    assert {rule["layer"] for rule in rules} <= {"nic", "subnet"}


@for_each_recording("effective_routes")
def test_effective_routes_are_all_read(recorded: Recording) -> None:
    if recorded.status != 200 or recorded.name.endswith("null-body__2015-04-13"):
        return
    routes: list[Route] = read_effective_routes("nic", recorded.json)["routes"]
    assert len(routes) == len(recorded.json["value"])
    assert all(route["prefixes"] and route["next_hop"] for route in routes)


@for_each_recording("nsg_get")
def test_a_group_has_its_default_rules(recorded: Recording) -> None:
    names = {rule["name"] for rule in read_nsg(recorded.json, "subnet")}
    assert {"AllowInternetOutBound", "DenyAllOutBound"} <= names


# --- the backup ----------------------------------------------------------------------------------------------------


@for_each_recording("rs_backupstatus")
def test_backup_status_tells_protected_from_not_protected(recorded: Recording) -> None:
    protection: Protection | None = read_backup_status(recorded.json)
    assert (protection is None) == ("notprotected" in recorded.name)


@for_each_recording("rs_protecteditem")
def test_an_items_string_code_is_the_title_of_its_health(recorded: Recording) -> None:
    word = recorded.name.split("__")[1].split("-")[-2]
    items = [read_item(wire) for wire in listed(recorded)]
    titles = {(detail["title"] or "").lower() for item in items for detail in item["health_details"]}
    if word not in ("nohealth", "health"):
        assert word in titles
    if "nobackup" in recorded.name:
        assert any(item["last_backup_time"] is None for item in items)


def test_a_failed_backup_may_stand_beside_a_health_that_says_ok() -> None:
    found = [
        item
        for each in recordings("rs_protecteditem")
        if "list-failed-iaasvmhealthgreendefault" in each.name
        for item in map(read_item, listed(each))
    ]
    if not found:
        pytest.skip("no recorded answers")
    assert any(
        item["last_backup_status"] == "Failed" and item["health_details"][0]["code"] == 400239
        for item in found
        if item["health_details"]
    )


@for_each_recording("rs_job")
def test_a_job_of_either_type_is_read(recorded: Recording) -> None:
    if not recorded.body:
        return
    for wire in listed(recorded):
        if not isinstance(wire, dict) or "properties" not in wire:
            continue
        job: Job = read_job(wire)
        assert job["status"] == wire["properties"].get("status")
        full = read_failed_job(wire)
        assert len(full["tasks"]) == len((wire["properties"].get("extendedInfo") or {}).get("tasksList") or [])
        if full["duration_s"] is None:
            assert not wire["properties"].get("duration")


@for_each_recording("rs_policy")
def test_a_policy_keeps_its_times(recorded: Recording) -> None:
    for wire in listed(recorded):
        properties = wire.get("properties") or {}
        if properties.get("backupManagementType") != "AzureIaasVM":
            continue
        policy = read_policy(wire)
        assert policy["type"] in ("V1", "V2")
        assert policy["times"], "every VM policy starts at some time"


@for_each_recording("metrics")
def test_minutes_without_a_value_are_left_out_and_not_zero(recorded: Recording) -> None:
    if recorded.status != 200:
        return
    series = read_series(recorded.json)
    for metric in recorded.json["value"]:
        minutes = [each for line in metric.get("timeseries") or [] for each in line.get("data") or []]
        told = [each["average"] for each in minutes if each.get("average") is not None]
        assert sorted(value for _, value in series[metric["name"]["value"]]["points"]) == sorted(map(float, told))


def test_a_recovery_point_keeps_its_consistency() -> None:
    wire = {
        "name": "1",
        "properties": {"recoveryPointType": "CrashConsistent", "recoveryPointTime": "2026-11-22T01:00:00Z"},
    }
    point: RecoveryPoint = read_recovery_point(wire)
    assert (point["type"], point["time"]) == ("CrashConsistent", "2026-11-22T01:00:00Z")


def test_an_internal_error_carries_its_integer_without_a_title() -> None:
    name = "rs_job__detail-azurestoragejob-restore-failed-1073871825__2023-05-12"
    try:
        recorded = recording(name)
    except FileNotFoundError:
        pytest.skip("no recorded answers")
    if not recorded.body:
        pytest.skip("no recorded answers")
    [error] = read_failed_job(recorded.json)["errors"]
    assert (error["code"], error["title"]) == (1073871825, None)
