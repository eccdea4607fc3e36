"""The metrics of many VMs in one request: what each would be told alone, or each asks itself."""

from __future__ import annotations

import json
from pathlib import Path

from azuresim.serve import Simulator
from each import for_each
from in_process import Near, Sent, near
from listed_worlds import saved
from vmbackup.arm.connection import Azure
from vmbackup.collectors import collect
from vmbackup.fleet.folder import FLEET, fleet_json
from vmbackup.fleet.inventory.build import build_inventory, facts_for_run
from vmbackup.fleet.inventory.model import Inventory, InventoryVm, Scope
from vmbackup.fleet.ledger import Ledger
from vmbackup.model import Fact
from vmbackup.runs.fleet import Gap


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
    found = build_inventory(there.azure, Scope(subscriptions=(there.world.subscription,)))
    assert [(each["what"], each["why"]) for each in found.coverage] == [gap]
    assert of_one(there.azure, found.vms[0]).data["series"]["Percentage CPU"]["points"]


def test_metrics_that_each_run_asks_for_leave_nothing_unknown(tmp_path: Path) -> None:
    for what, unknown in (("metrics", False), ("jobs", True)):
        gap = Gap(what=what, scope="/subscriptions/s", why="timeout", details={})
        (tmp_path / FLEET).write_text(json.dumps(fleet_json([], [gap])))
        assert Ledger(str(tmp_path)).has_gaps is unknown
