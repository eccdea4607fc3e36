"""The facts of a VM's backup, out of the lists of its vault."""

from __future__ import annotations

from typing import Any

from vmbackup.collectors.backup_policy import read_policy
from vmbackup.collectors.jobs import read_job
from vmbackup.collectors.neighbours import read_neighbours
from vmbackup.collectors.protected_item import read_item
from vmbackup.collectors.vault import read_vault
from vmbackup.fleet.inventory.index import job_vm, own_id, source_id
from vmbackup.fleet.inventory.listed_vm import ListedVm, ReadFacts


def _item(vm: ListedVm) -> ReadFacts:
    found, listed = vm.index.rows("items", vm.vault, vm.target.vm_id, source_id)
    if len(found) == 1:
        yield "backup.item", read_item(found[0]), [listed]


def _jobs(vm: ListedVm) -> ReadFacts:
    vm.index.whole("jobs", vm.vault)
    name = vm.target.vm_name
    ours, listed = vm.index.rows("jobs", vm.vault, f"{vm.target.resource_group};{name}", job_vm)
    nameless, _ = vm.index.rows("jobs", vm.vault, f"*;{name}", job_vm)
    jobs = [read_job(row) for row in (*ours, *nameless)]
    yield "backup.jobs", sorted(jobs, key=lambda job: job["start"] or "", reverse=True), [listed]


def _policy(vm: ListedVm) -> ReadFacts:
    policy_id = vm.data("backup.item")["policy_id"]
    row, listed = vm.index.row("policies", vm.vault, policy_id, own_id)
    yield "backup.policy", read_policy(row), [listed]


def _vault(vm: ListedVm) -> ReadFacts:
    listed = vm.index.whole("storage", vm.vault)
    yield "backup.vault", read_vault(listed.entries[0], vm.vault, vm.target.vm_id), [listed]


def _neighbours(vm: ListedVm) -> ReadFacts:
    vm.index.whole("items", vm.vault)
    item = vm.data("backup.item")
    if item["policy_name"]:
        same, listed = vm.index.rows("items", vm.vault, item["policy_name"], _policy_name)
        yield "backup.neighbours", read_neighbours(same, item["id"], item["policy_name"]), [listed]


def _policy_name(row: Any) -> str:
    return read_item(row)["policy_name"] or ""


SIGNIFICANT = (_item, _jobs, _policy)
"""What tells whether something is open. In this order: later ones use what earlier ones found."""
READERS = (*SIGNIFICANT, _vault)
TO_EXAMINE = (_neighbours,)
