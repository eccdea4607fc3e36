"""The lists of a fleet: the same verdicts with their evidence as without, and few requests."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from azuresim.fleet import HEALTHY, fleet
from azuresim.serve import Simulator
from azuresim.world import World
from each import for_each
from listed_worlds import compare, listed, saved
from vmbackup.arm.connection import Azure
from vmbackup.collectors import collect
from vmbackup.collectors.collection import KNOWN_FOR, SETTLED_FOR
from vmbackup.fleet import rows
from vmbackup.fleet.folder import inventory_line
from vmbackup.fleet.inventory.build import build_inventory, facts_for_run
from vmbackup.fleet.inventory.model import Inventory, Scope
from vmbackup.parameters import Parameters
from vmbackup.runs.evidence import parse_evidence
from vmbackup.runs.folder import RunFolder
from vmbackup.runs.run import Run
from worlds import connected, serving


@for_each(("agent_stopped_linux", "disk_too_large_linux", "restore_points_lock_windows", "error_403_nics"))
def test_the_verdicts_are_the_same_with_the_evidence_of_lists(world: str) -> None:
    compared = compare(world)
    assert compared.differs == {}
    assert compared.vm is not None
    assert compared.vm.needs_examining
    assert compared.with_lists < compared.alone


def test_vms_with_nothing_open_and_no_others_need_no_examination(listed_fleet: Inventory, worlds: list[World]) -> None:
    kinds = {world.machines[0]["name"]: world.name[6:] for world in worlds}
    found = {vm.target.vm_name: vm.needs_examining for vm in listed_fleet.vms}
    assert found == {name: kind not in HEALTHY for name, kind in kinds.items()}
    assert listed_fleet.coverage == ()


def test_an_inventorys_line_holds_all_that_a_row_is_made_from_and_no_more(listed_fleet: Inventory) -> None:
    for vm in listed_fleet.vms:
        target, kept = parse_evidence(inventory_line(vm.target, vm.known))
        assert rows.listed_row(target, kept) == rows.listed_row(vm.target, saved(vm.target, vm.known))
        assert set(kept) == set(vm.known) & rows.FACTS


def test_a_vault_names_its_vms(azure: Azure, listed_fleet: Inventory, worlds: list[World]) -> None:
    by_id = {vm.target.vm_id.lower(): vm for vm in listed_fleet.vms}
    found = build_inventory(azure, Scope(vaults=(worlds[0].vault_id,)), points=False)
    assert len(found.vms) == len(worlds) / 2
    assert [(gap["what"], gap["why"]) for gap in found.coverage] == [("points", "points_not_asked")]
    assert all(vm.needs_examining == by_id[vm.target.vm_id.lower()].needs_examining for vm in found.vms)
    assert all(
        by_id[vm.target.vm_id.lower()].known["backup.jobs"].data == vm.known["backup.jobs"].data for vm in found.vms
    )


def test_a_vm_that_nobody_lists_is_open(azure: Azure, worlds: list[World]) -> None:
    vm_id = worlds[0].vm_id(worlds[0].machines[0])
    found = build_inventory(azure, Scope(vms=(vm_id, f"{vm_id}-gone", "no id")))
    assert [vm.needs_examining for vm in found.vms] == [worlds[0].name[6:] not in HEALTHY, True]
    assert [gap["scope"] for gap in found.coverage] == ["no id"]


def test_the_lists_take_few_requests_per_vm(simulator: Simulator, azure: Azure, worlds: list[World]) -> None:
    before = len(simulator.requests)
    found = build_inventory(azure, Scope(subscriptions=(worlds[0].subscription,)), points=False)
    assert len(found.calls) == len(simulator.requests) - before
    assert len([line for line in found.calls if "/operations/" not in line]) <= 30


def test_a_denied_list_is_a_gap_and_its_vms_are_open() -> None:
    world = next(iter(fleet(1, seed=1, healthy=1)))
    world.spec["permissions"] = {"deny": ["Microsoft.RecoveryServices/Vaults/backupJobs/read"]}
    with serving(world) as simulator:
        azure, target = connected(simulator, world)
        found = build_inventory(azure, Scope(subscriptions=(world.subscription,)))
    gaps = [(gap["what"], gap["why"], gap["scope"]) for gap in found.coverage]
    assert gaps == [("jobs", "missing_action", world.vault_id.lower())]
    assert found.coverage[0]["details"]["action"].endswith("backupJobs/read")
    assert [sign.values for sign in found.vms[0].signs] == [{"facts": "backup.jobs"}]


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


def test_a_stopped_protection_gives_nothing_of_its_vault_unless_the_run_asks_no_other(listed_fleet: Inventory) -> None:
    vm = next(vm for vm in listed_fleet.vms if "protection-stopped" in vm.target.vm_name)
    assert not [name for name in facts_for_run(vm) if name.startswith("backup.")]
    assert {"backup.item", "backup.jobs"} <= set(facts_for_run(vm, vault_named=True))


def test_what_is_too_old_is_asked_again_what_is_configured_later(simulator: Simulator, worlds: list[World]) -> None:
    world = worlds[0]
    azure, target = connected(simulator, world)
    vm = listed(azure, world, target)
    assert vm is not None
    wrong = {name: replace(vm.known[name], data=[]) for name in ("vm.disks", "backup.jobs")}
    facts = saved(target, {**facts_for_run(vm), **wrong})

    def taken_over() -> set[str]:
        found = collect(azure, target, known=facts)
        return {name for name in wrong if found[name].data == []}

    assert taken_over() == {"vm.disks", "backup.jobs"}
    world.advance(seconds=KNOWN_FOR.total_seconds() + 60)
    assert taken_over() == {"vm.disks"}
    world.advance(seconds=SETTLED_FOR.total_seconds())
    assert taken_over() == set()
