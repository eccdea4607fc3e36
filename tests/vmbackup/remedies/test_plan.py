"""A plan says what, on which resource, at what risk, with which rights, how to undo it; or why not."""

from __future__ import annotations

import pytest

from remedy_cases import NSG, TARGET, evidence, fact, rule, step
from vmbackup.catalog import remedies as catalogue
from vmbackup.model import Fact, FactStatus, Step
from vmbackup.pages import remedies as pages
from vmbackup.remedies.plan import plan
from vmbackup.remedies.values import free_priorities, values

BLOCKED = {"network_rules": {"source": "effective", "nics": [{"nic": "n", "rules": [rule("deny-all", 200)]}]}}
NET = step("no_internet", "outbound_rules_let_storage_through", by="deny-all", of="nsg-nic", source="effective")
EXTENSION = step("extension", "vmsnapshot_extension_is_healthy", name="VMSnapshotLinux")


def one(remedy: str, judged: Step, facts=None, language: str = "en"):
    return next(each for each in plan(judged, facts or evidence(), TARGET, language) if each.remedy == remedy)


def keys(each):
    return [refusal.key for refusal in each.refusals]


def test_the_rule_goes_ahead_of_the_blocking_one_with_service_tags():
    each = one("allow_storage_in_nsg", NET, evidence(**BLOCKED))
    assert each.resource == NSG
    assert each.applicable
    assert "--priority 197" in each.commands[0].text
    assert "Storage.westeurope" in each.commands[0].text


@pytest.mark.parametrize(
    ("blocking", "taken", "free"),
    [(200, set(), [197, 198, 199]), (102, set(), [100, 101]), (100, set(), []), (103, {101}, [100, 102])],
)
def test_free_priorities_are_the_nearest_ahead(blocking, taken, free):
    assert free_priorities(blocking, taken) == free


def test_without_room_ahead_of_the_rule_nothing_is_applied():
    rules = {"network_rules": {"source": "effective", "nics": [{"nic": "n", "rules": [rule("deny-all", 101)]}]}}
    assert keys(one("allow_storage_in_nsg", NET, evidence(**rules))) == ["no_free_priority"]


def test_offered_ones_come_first_and_what_the_article_said_stays_visible():
    found = plan(NET, evidence(**BLOCKED), TARGET, "en")
    assert [each.remedy for each in found] == [
        "allow_storage_in_nsg", "route_through_proxy", "allow_datacenter_ip_ranges", "open_port_8443",
    ]  # fmt: skip
    assert [each.offered for each in found] == [True, True, False, False]
    text = pages.plans(found, "en").text()
    assert "no longer applies" in text
    assert "Service tags replace the list" in text


def test_a_healthy_step_has_no_plan_and_says_so():
    assert plan(Step(1, "disks", False, ()), evidence(), TARGET, "en") == []
    assert "No remedy in the catalogue" in pages.plans([], "en").text()


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({}, None),
        ({"vm_agent": {"code": "ProvisioningState/Unavailable", "display_status": "Not Ready", "age_s": None}},
         "agent_not_ready"),
        ({"vm_agent": {"code": "ProvisioningState/succeeded", "display_status": "Ready", "age_s": 4000.0}},
         "agent_silent"),
        ({"vm_agent": Fact(FactStatus.DENIED)}, "agent_unknown"),
        ({"vm_agent": Fact(FactStatus.ABSENT)}, "agent_not_ready"),
        ({"vm_power": {"power": "stopped", "provisioning": None, "provisioning_message": None}}, "vm_not_running"),
        ({"vm_power": Fact(FactStatus.FAILED)}, "power_unknown"),
        ({"vm_model": {"os": "linux", "location": "x", "os_name": "u", "provisioning_state": "Succeeded",
                       "allow_extension_operations": False}}, "extensions_disallowed"),
        ({"vm_model": {"os": "linux", "location": "x", "os_name": "u", "provisioning_state": "Updating",
                       "allow_extension_operations": True}}, "vm_changing"),
        ({"vm_locks": [{"name": "keep", "level": "CanNotDelete", "scope": "/subscriptions/00000000"}]}, "locked"),
        ({"vm_locks": [{"name": "ro", "level": "ReadOnly", "scope": TARGET.vm_id}]}, "locked"),
        ({"vm_locks": [{"name": "other", "level": "ReadOnly", "scope": TARGET.vm_id + "2"}]}, None),
    ],
)  # fmt: skip
def test_deleting_the_extension_is_refused_when_it_must_fail(changes, key):
    each = one("remove_backup_extension", EXTENSION, evidence(**changes))
    assert (key in keys(each)) if key else each.applicable


def test_a_guest_script_is_refused_on_a_stopped_vm_and_its_text_is_shown_for_pasting():
    judged = step("agent_linux", "linux_agent_version_is_supported", version="2.2.18")
    stopped = evidence(vm_power={"power": "deallocated", "provisioning": None, "provisioning_message": None})
    each = one("update_guest_agent_linux", judged, stopped)
    assert "vm_not_running" in keys(each)
    assert "apt-get" in pages.plan(each).text()


def test_only_the_vms_own_distribution_is_shown_when_it_is_known():
    judged = step("agent_linux", "linux_agent_version_is_supported", version="2.2.18")
    where = [command.where for command in one("update_guest_agent_linux", judged).commands]
    assert where == ["az", "shell:debian"]


def test_the_stop_gap_comes_after_the_cures_and_has_a_date_to_undo_it():
    judged = step("agent_linux", "linux_agent_reports_ready", status="Not Ready", message="")
    found = plan(judged, evidence(), TARGET, "de")
    assert found[-1].remedy == "use_crash_consistent_policy_for_now"
    assert "2026-12-07" in found[-1].words["undo"]
    assert "Stromausfall" in found[-1].words["risk_note"]


@pytest.mark.parametrize("name", ["azurelinux", "mariner", "AlmaLinux", "redhat"])
def test_commands_for_the_red_hat_family_fit_the_manager_that_is_there(name):
    model = {**evidence()["vm.model"].data, "os_name": name}
    judged = step("agent_linux", "linux_agent_version_is_supported", version="2.2.18", minimum="2.2.53.1")
    commands = {
        each.where: each.text for each in one("update_guest_agent_linux", judged, evidence(vm_model=model)).commands
    }
    assert set(commands) == {"az", "shell:redhat"}
    assert all(manager in commands["shell:redhat"] for manager in ("dnf", "yum", "tdnf"))


def test_disks_left_out_already_stay_left_out():
    sizes = (("a", 0, 64), ("b", 1, 70000), ("c", 2, 64))
    disks = [
        {"name": name, "lun": lun, "role": "data", "size_gb": size, "excluded_by": None} for name, lun, size in sizes
    ]
    item = {"policy_name": "Daily", "policy_id": "p", "disk_luns": [0], "disk_luns_included": False}
    judged = step("disks", "disks_are_small_enough", disk="b", size_gb=70000, limit_gb=65536)
    each = one("exclude_disks", judged, evidence(vm_disks=disks, backup_item=item))
    assert each.values["disk_luns_list"] == [0, 1]


def test_the_system_disk_cannot_be_left_out():
    judged = step("disks", "disks_are_small_enough", disk="os", size_gb=70000, limit_gb=65536)
    facts = evidence(vm_disks=[{"name": "os", "lun": None, "role": "os", "size_gb": 70000, "excluded_by": None}])
    assert keys(one("exclude_disks", judged, facts)) == ["values_missing"]


def test_names_from_azure_cannot_break_out_of_a_command():
    evil = "no-delete'; az group delete -n x #"
    scope = "/subscriptions/s/resourceGroups/AzureBackupRG_x_1"
    judged = step("restore_points", "no_lock_blocks_restore_points", lock=evil, level="CanNotDelete", scope=scope)
    text = one("remove_restore_point_lock", judged).commands[0].text
    assert "'\"'\"'; az group delete" in text
    judged = step(
        "restore_points", "no_lock_blocks_restore_points", lock="a\nrm -rf /", level="CanNotDelete", scope=scope
    )
    each = one("remove_restore_point_lock", judged)
    assert "rm -rf" not in each.commands[0].text
    assert not each.applicable


@pytest.mark.parametrize("language", ["en", "de"])
@pytest.mark.parametrize("remedy", catalogue.remedies())
def test_every_remedy_can_be_planned_in_both_languages_with_next_to_nothing_known(remedy, language):
    entry = catalogue.remedies()[remedy]
    check, _, reason = entry["checks"][0].partition(":")
    bare = {"vm.model": fact({"os": entry["os"] or "linux", "location": "x", "os_name": None,
                              "provisioning_state": None, "allow_extension_operations": None})}  # fmt: skip
    each = one(remedy, step("x", check, reason or "problem"), bare, language)
    page = pages.plan(each)
    assert each.words["title"] in page.text()
    assert page.html()
    assert page.markdown()


def test_without_any_evidence_the_vm_is_all_that_is_known():
    assert set(values(TARGET, {}, ())) == {"vm_name", "vm_id", "resource_group", "subscription_id"}


def job(status: str, operation: str = "Backup"):
    return {"name": "job-1", "operation": operation, "status": status, "start": None}


@pytest.mark.parametrize(
    ("listed", "refused"),
    [
        ([job("InProgress")], ["backup_would_break"]),
        ([job("Cancelling")], ["backup_would_break"]),
        ([job("InProgress", "Restore"), job("Failed")], []),
        ([], []),
    ],
)
def test_what_would_break_a_running_backup_waits_for_its_end(listed, refused):
    assert keys(one("remove_backup_extension", EXTENSION, evidence(backup_jobs=listed))) == refused
