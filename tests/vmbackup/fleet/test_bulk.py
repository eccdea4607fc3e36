"""The lists of a fleet: which VMs stand open, the same verdicts with their evidence as without, and few requests."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from azuresim.fleet import HEALTHY, fleet
from azuresim.serve import Simulator
from azuresim.world import World
from bulk_worlds import compare, listed, saved
from each import for_each
from in_process import Near, Sent, near
from vmbackup import catalog, clock
from vmbackup.arm.connection import Azure
from vmbackup.collectors import collect
from vmbackup.collectors.collection import KNOWN_FOR
from vmbackup.failures.jobs import last_good_start
from vmbackup.fleet.bulk import facts_for_run, inventory
from vmbackup.fleet.folder import FLEET, fleet_json
from vmbackup.fleet.inventory import Inventory, InventoryVm, Scope
from vmbackup.fleet.ledger import Ledger
from vmbackup.fleet.signs import signs_of_lists, signs_of_points
from vmbackup.model import Fact, FactStatus
from vmbackup.parameters import Parameters
from vmbackup.runs.fleet_row import Gap
from vmbackup.runs.folder import RunFolder
from vmbackup.runs.run import Run
from worlds import connected, serving

VMS = 40
NOW = "2026-11-23T03:00:00Z"


@for_each(("agent_stopped_linux", "disk_too_large_linux", "restore_points_lock_windows", "error_403_nics"))
def test_the_verdicts_are_the_same_with_the_evidence_of_lists(world: str) -> None:
    compared = compare(world)
    assert compared.differs == {}
    assert compared.vm is not None
    assert compared.vm.needs_examining
    assert compared.with_lists < compared.alone


@pytest.fixture(scope="module")
def worlds() -> list[World]:
    return list(fleet(VMS, vaults=2, seed=7, healthy=0.6))


@pytest.fixture(scope="module")
def simulator(worlds: list[World]) -> Iterator[Simulator]:
    with serving(*worlds) as simulator:
        yield simulator


@pytest.fixture(scope="module")
def azure(simulator: Simulator, worlds: list[World]) -> Azure:
    return connected(simulator, worlds[0])[0]


@pytest.fixture(scope="module")
def listed_fleet(azure: Azure, worlds: list[World]) -> Inventory:
    return inventory(azure, Scope(subscriptions=(worlds[0].subscription,)))


def test_vms_with_nothing_open_and_no_others_need_no_examination(listed_fleet: Inventory, worlds: list[World]) -> None:
    kinds = {world.machines[0]["name"]: world.name[6:] for world in worlds}
    found = {vm.target.vm_name: vm.needs_examining for vm in listed_fleet.vms}
    assert found == {name: kind not in HEALTHY for name, kind in kinds.items()}
    assert listed_fleet.coverage == ()


def test_every_reason_has_its_words(listed_fleet: Inventory) -> None:
    signs = [sign for vm in listed_fleet.vms for sign in vm.signs]
    assert signs
    for language in catalog.LANGUAGES:
        assert all(catalog.text(f"open_sign.{sign.reason}", language, **sign.values) for sign in signs)


def test_a_vault_names_its_vms(azure: Azure, listed_fleet: Inventory, worlds: list[World]) -> None:
    by_id = {vm.target.vm_id.lower(): vm for vm in listed_fleet.vms}
    found = inventory(azure, Scope(vaults=(worlds[0].vault_id,)), points=False)
    assert len(found.vms) == VMS / 2
    assert [(gap["what"], gap["why"]) for gap in found.coverage] == [("points", "points_not_asked")]
    assert all(vm.needs_examining == by_id[vm.target.vm_id.lower()].needs_examining for vm in found.vms)
    assert all(
        by_id[vm.target.vm_id.lower()].known["backup.jobs"].data == vm.known["backup.jobs"].data for vm in found.vms
    )


def test_a_vm_that_nobody_lists_is_open(azure: Azure, worlds: list[World]) -> None:
    vm_id = worlds[0].vm_id(worlds[0].machines[0])
    found = inventory(azure, Scope(vms=(vm_id, f"{vm_id}-gone", "no id")))
    assert [vm.needs_examining for vm in found.vms] == [worlds[0].name[6:] not in HEALTHY, True]
    assert [gap["scope"] for gap in found.coverage] == ["no id"]


def test_the_lists_take_few_requests_per_vm(simulator: Simulator, azure: Azure, worlds: list[World]) -> None:
    before = len(simulator.requests)
    found = inventory(azure, Scope(subscriptions=(worlds[0].subscription,)), points=False)
    assert len(found.calls) == len(simulator.requests) - before
    assert len([line for line in found.calls if "/operations/" not in line]) <= 30


def test_a_denied_list_is_a_gap_and_its_vms_are_open() -> None:
    world = next(iter(fleet(1, seed=1, healthy=1)))
    world.spec["permissions"] = {"deny": ["Microsoft.RecoveryServices/Vaults/backupJobs/read"]}
    with serving(world) as simulator:
        azure, target = connected(simulator, world)
        found = inventory(azure, Scope(subscriptions=(world.subscription,)))
    gaps = [(gap["what"], gap["why"], gap["scope"]) for gap in found.coverage]
    assert gaps == [("jobs", "missing_action", world.vault_id.lower())]
    assert found.coverage[0]["details"]["action"].endswith("backupJobs/read")
    assert [sign.values for sign in found.vms[0].signs] == [{"facts": "backup.jobs"}]


# --- signs ---------------------------------------------------------------------------------------------------------


def known(listed_fleet: Inventory, **changed: Fact | None) -> dict[str, Fact]:
    """What is known of a healthy VM, with other facts in place of some; None for one that is not known."""
    healthy = next(vm for vm in listed_fleet.vms if not vm.signs and "linux" in vm.target.vm_name)
    facts = {**healthy.known, **{name.replace("__", "."): fact for name, fact in changed.items()}}
    return {name: fact for name, fact in facts.items() if fact is not None}


def test_whatever_is_unknown_is_open(listed_fleet: Inventory) -> None:
    assert signs_of_lists(known(listed_fleet), NOW) == []
    for name in ("vm__model", "backup__item", "backup__jobs", "backup__policy"):
        fact = known(listed_fleet)[name.replace("__", ".")]
        cut = replace(fact, details={"cut": "20"})
        for other in (None, cut, Fact(FactStatus.FAILED, why="timeout"), Fact(FactStatus.ABSENT)):
            facts = known(listed_fleet, **{name: other})
            assert signs_of_lists(facts, NOW) or signs_of_points(facts), name
    assert signs_of_points(known(listed_fleet, backup__recovery_points=None))


def test_what_the_item_says_is_open(listed_fleet: Inventory) -> None:
    item = known(listed_fleet)["backup.item"]
    changes = [
        {"protection_state": "ProtectionStopped"},
        {"protection_status": None},
        {"health_status": "ActionSuggested"},
        {"last_backup_status": "Failed"},
        {"soft_deleted": True},
        {"last_backup_time": "2026-11-23T02:59:00Z"},
    ]
    for change in changes:
        fact = replace(item, data={**item.data, **change})
        assert signs_of_lists(known(listed_fleet, backup__item=fact), NOW), change


@pytest.mark.parametrize(
    ("policy", "hours"),
    [
        ({"frequency": "Daily", "times": ["23:00"]}, 24 + 2),
        ({"frequency": "Weekly", "times": ["23:00"], "days": ["Sunday", "Wednesday"]}, 96 + 2),
        ({"frequency": "Hourly", "times": ["08:00", "12:00", "16:00", "20:00"]}, 12 + 2),
    ],
)
def test_a_backup_is_overdue_after_the_longest_pause_of_its_policy(
    listed_fleet: Inventory, policy: dict[str, object], hours: float
) -> None:
    fact = known(listed_fleet)["backup.policy"]
    facts = known(listed_fleet, backup__policy=replace(fact, data={**fact.data, **policy}))
    started = clock.parse(last_good_start(facts["backup.jobs"].data))
    assert started is not None
    for late_h, reasons in ((hours - 0.1, []), (hours + 0.1, ["overdue"])):
        now = clock.stamp(started + timedelta(hours=late_h))
        assert [sign.reason for sign in signs_of_lists(facts, now)] == reasons


def test_a_less_consistent_point_is_open_unless_the_vm_is_off(listed_fleet: Inventory) -> None:
    fact = known(listed_fleet)["backup.recovery_points"]
    crash = replace(fact, data=[{**fact.data[0], "type": "CrashConsistent"}])
    assert [sign.reason for sign in signs_of_points(known(listed_fleet, backup__recovery_points=crash))] == [
        "consistency"
    ]
    off = Fact(FactStatus.OK, {"power": "deallocated", "provisioning": None, "provisioning_message": None})
    assert not signs_of_points(known(listed_fleet, backup__recovery_points=crash, vm__power=off))
    assert signs_of_points(known(listed_fleet, backup__recovery_points=crash, vm__power=None))


# --- what a run takes over -----------------------------------------------------------------------------------------


def test_a_run_takes_over_what_is_known_once_and_only_of_its_vm(
    simulator: Simulator, worlds: list[World], tmp_path: Path
) -> None:
    world = next(each for each in worlds if each.name[6:] not in HEALTHY)
    azure, target = connected(simulator, world)
    vm = listed(azure, world, target)
    assert vm is not None
    files = RunFolder(tmp_path)
    files.save_known(target, facts_for_run(vm))
    assert files.known(target) == saved(target, facts_for_run(vm))
    assert files.known(replace(target, vm_name="other")) == {}
    files.log("operations.jsonl").append({"event": "begun"})
    assert files.known(target) == {}


def test_a_run_asks_less_the_first_time_and_everything_the_second(
    simulator: Simulator, worlds: list[World], tmp_path: Path
) -> None:
    world = next(each for each in worlds if each.name[6:] == "disk_too_large_linux")
    azure, target = connected(simulator, world)
    vm = listed(azure, world, target)
    assert vm is not None
    run = Run(Parameters(azure="live", run_folder=str(tmp_path), probe="never"), vm.section, target, azure=azure)
    run.files.save_known(target, facts_for_run(vm))
    asked = []
    for _ in range(2):
        before = len(simulator.requests)
        run.collect()
        asked.append([path for _, path in simulator.requests[before:]])
    assert [any("/disks/" in path for path in paths) for paths in asked] == [False, True]
    assert len(asked[0]) < len(asked[1])


def test_a_stopped_protection_gives_nothing_of_its_vault(listed_fleet: Inventory) -> None:
    vm = next(vm for vm in listed_fleet.vms if "protection-stopped" in vm.target.vm_name)
    assert not [name for name in facts_for_run(vm) if name.startswith("backup.")]


def test_what_is_too_old_is_asked_again(simulator: Simulator, worlds: list[World]) -> None:
    world = worlds[0]
    azure, target = connected(simulator, world)
    vm = listed(azure, world, target)
    assert vm is not None
    wrong = replace(vm.known["vm.disks"], data=[])
    facts = saved(target, {**facts_for_run(vm), "vm.disks": wrong})
    assert collect(azure, target, known=facts)["vm.disks"].data == []
    world.advance(seconds=KNOWN_FOR.total_seconds() + 60)
    assert collect(azure, target, known=facts)["vm.disks"].data != []


# --- metrics of many ------------------------------------------------------------------------------------------------


def of_one(azure: Azure, vm: InventoryVm) -> Fact:
    return collect(azure, vm.target, only=["vm.metrics"], known=saved(vm.target, facts_for_run(vm)))["vm.metrics"]


def test_the_metrics_of_all_open_vms_take_one_request_and_are_what_each_would_be_told(
    simulator: Simulator, azure: Azure, listed_fleet: Inventory
) -> None:
    assert len([line for line in listed_fleet.calls if "metrics:getBatch" in line]) == 1
    vms = [vm for vm in listed_fleet.vms if vm.signs][:4]
    with_lists = [of_one(azure, vm).data for vm in vms]
    alone = [collect(azure, vm.target, only=["vm.metrics"])["vm.metrics"].data for vm in vms]
    assert with_lists == alone
    assert all("_metrics" not in vm.known for vm in listed_fleet.vms if not vm.signs)


@for_each((403, 404, 429, 503))
def test_metrics_that_azure_refuses_for_many_are_asked_for_each_and_said(status: int) -> None:
    there = near("disk_too_large_linux")
    there.loopback.damage = lambda line, sent: Sent(status, {}, b"{}") if "getBatch" in line else sent
    whys = {403: "refused", 404: "refused", 429: "throttled", 503: "server_error"}
    assert_asked_alone(there, ("metrics", whys[status]))


def test_metrics_without_a_sign_in_of_their_own_are_asked_for_each_and_said() -> None:
    there = near("disk_too_large_linux")
    there.loopback.damage = lambda line, sent: Sent(401, {}, b"{}") if "getBatch" in line else sent
    assert_asked_alone(there, ("metrics", "no_metrics_sign_in"))


def assert_asked_alone(there: Near, gap: tuple[str, str]) -> None:
    found = inventory(there.azure, Scope(subscriptions=(there.world.subscription,)))
    assert [(each["what"], each["why"]) for each in found.coverage] == [gap]
    assert of_one(there.azure, found.vms[0]).data["series"]["Percentage CPU"]["points"]


def test_metrics_that_each_run_asks_for_leave_nothing_unknown(tmp_path: Path) -> None:
    for what, unknown in (("metrics", False), ("jobs", True)):
        gap = Gap(what=what, scope="/subscriptions/s", why="timeout", details={})
        (tmp_path / FLEET).write_text(json.dumps(fleet_json([], [gap])))
        assert Ledger(str(tmp_path)).has_gaps is unknown


# --- networks -------------------------------------------------------------------------------------------------------


def test_what_azure_computes_is_asked_once_where_several_vms_share_it(azure: Azure, listed_fleet: Inventory) -> None:
    names = ["network.rules", "network.routes"]
    vms = [
        vm for vm in listed_fleet.vms if "network.rules" in vm.known and vm.known["vm.power"].data["power"] == "running"
    ]
    assert len(vms) > len([line for line in listed_fleet.calls if "/effectiveRouteTable" in line])
    for vm in vms[:6]:
        alone = collect(azure, vm.target, only=names)
        assert vm.known["network.routes"].data == alone["network.routes"].data
        assert meant(vm.known["network.rules"]) == meant(alone["network.rules"])
    assert {bool(vm.known["network.nics"].data[0]["nsg_id"]) for vm in vms[:6]} == {True, False}


def meant(fact: Fact) -> set[tuple[str, ...]]:
    """What rules say, in whatever form: in a group's own ``*`` is what Azure computes as ``0.0.0.0/0``."""
    found = [rule for nic in fact.data["nics"] for rule in nic["rules"]]
    return {(rule["layer"], rule["name"], rule["nsg"], rule["access"], rule["direction"]) for rule in found}


def test_a_vm_that_is_off_has_the_rules_that_are_written() -> None:
    there = near("vm_deallocated_windows")
    [vm] = inventory(there.azure, Scope(subscriptions=(there.world.subscription,))).vms
    for name in ("network.rules", "network.routes"):
        alone = collect(there.azure, vm.target, only=[name])[name]
        assert vm.known[name].data == alone.data
        assert alone.data["source"] == "objects"
        assert vm.known[name].why == "vm_not_running"


def test_a_network_of_its_own_is_left_to_the_vms_run(listed_fleet: Inventory) -> None:
    for vm in listed_fleet.vms:
        if "no-internet" in vm.target.vm_name:
            assert not {"network.rules", "network.routes"} & vm.known.keys()


def test_an_answer_for_many_that_never_comes_is_left_to_each_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vmbackup.fleet.networks._DEADLINE_OF_ALL_S", 0.5)
    worlds = list(fleet(3, seed=1, healthy=0, mix=("disk_too_large_linux",)))
    worlds[0].spec["faults"] = [{"match": "POST .*effective", "mode": "never_ending"}]
    with serving(*worlds) as simulator:
        azure = connected(simulator, worlds[0])[0]
        found = inventory(azure, Scope(vaults=(worlds[0].vault_id,)))
        assert found.coverage == ()
        assert not [vm for vm in found.vms if {"network.rules", "network.routes"} & vm.known.keys()]
        facts = collect(azure, found.vms[1].target, known=saved(found.vms[1].target, facts_for_run(found.vms[1])))
    assert facts["network.rules"].data["source"] == "effective"
