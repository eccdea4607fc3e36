"""Rules and routes of many VMs: asked once where they share them, written where Azure computes nothing."""

from __future__ import annotations

import pytest

from azuresim.fleet import fleet
from in_process import near
from listed_worlds import saved
from vmbackup.arm.connection import Azure
from vmbackup.collectors import collect
from vmbackup.fleet.inventory.build import build_inventory, facts_for_run
from vmbackup.fleet.inventory.model import Inventory, Scope
from vmbackup.model import Fact
from worlds import connected, serving


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
    [vm] = build_inventory(there.azure, Scope(subscriptions=(there.world.subscription,))).vms
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
    monkeypatch.setattr("vmbackup.fleet.inventory.effective._DEADLINE_OF_ALL_S", 0.5)
    worlds = list(fleet(3, seed=1, healthy=0, mix=("disk_too_large_linux",)))
    worlds[0].spec["faults"] = [{"match": "POST .*effective", "mode": "never_ending"}]
    with serving(*worlds) as simulator:
        azure = connected(simulator, worlds[0])[0]
        found = build_inventory(azure, Scope(vaults=(worlds[0].vault_id,)))
        assert found.coverage == ()
        assert not [vm for vm in found.vms if {"network.rules", "network.routes"} & vm.known.keys()]
        facts = collect(azure, found.vms[1].target, known=saved(found.vms[1].target, facts_for_run(found.vms[1])))
    assert facts["network.rules"].data["source"] == "effective"
