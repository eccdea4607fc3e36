"""Which VMs a scope holds (vaults, subscriptions, a management group), and what lists say of each before it runs.

The same lists are asked for the VMs of a table: their runs need not ask again, and know their runbook.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from azure.core.exceptions import AzureError

from vmbackup import clock
from vmbackup.arm.client import Arm
from vmbackup.arm.connection import Azure
from vmbackup.arm.errors import RequestRefused, ResponseLost, Unreadable, cut
from vmbackup.arm.paging import read_list
from vmbackup.arm.wire import text
from vmbackup.failures.jobs import went_wrong
from vmbackup.failures.triage import GENERAL_SECTION
from vmbackup.fleet.execute import RunSpec
from vmbackup.fleet.inventory.build import build_inventory, facts_for_run
from vmbackup.fleet.inventory.model import Inventory, InventoryVm, OpenSign, Scope
from vmbackup.fleet.orders import SECTION, Orders, notebook_of, orders
from vmbackup.model import AzureSource, SetupError, data_of
from vmbackup.parameters import read, target
from vmbackup.resource_ids import part_after
from vmbackup.runs.fleet import Gap
from vmbackup.runs.open import connect_azure

_DESCENDANTS = "/providers/Microsoft.Management/managementGroups/{}/descendants"
_MOST_SUBSCRIPTIONS = 10_000


@dataclass(frozen=True, slots=True)
class NotExamined:
    """A VM that is not examined, and the key of the reason."""

    name: str
    vm_id: str
    why: str


@dataclass(frozen=True, slots=True)
class FleetPlan:
    """What a fleet's run is about: the runs, the VMs that are not examined, what could not be listed, and everything
    that the lists say. ``unsorted`` are the names of runs whose runbook was chosen by the lists, not by the operator.
    """

    specs: Sequence[RunSpec] = ()
    not_examined: Sequence[NotExamined] = ()
    gaps: Sequence[Gap] = ()
    listed: Inventory = Inventory()
    unsorted: frozenset[str] = frozenset()


def of_scope(
    scope: Scope,
    management_group: str,
    since: str | timedelta,
    common: Mapping[str, Any],
    *,
    every: bool = False,
    points: bool = True,
) -> FleetPlan:
    """The VMs of a scope. Without ``every`` those without a sign of a problem are not examined, and with ``since``
    (UTC, ISO 8601, or so long before Azure's time: this machine's clock may be wrong) only those where something went
    wrong since then are. Without ``points`` silent downgrades are not
    looked for. Raises SetupError when nobody is signed in, or nothing is there."""
    azure = connect_azure(_subscription(scope))
    if management_group:
        scope = replace(scope, subscriptions=(*scope.subscriptions, *_subscriptions(azure, management_group)))
    found = build_inventory(azure, scope, points=points)
    if isinstance(since, timedelta):
        since = clock.stamp(azure.now() - since) or ""
    specs = orders([_row(vm) for vm in found.vms], common).specs
    not_examined, wanted = [], []
    for spec, vm in zip(specs, found.vms, strict=True):
        why = None if every else _why_not_examined(vm, since)
        if why is None:
            wanted.append(replace(spec, known=facts_for_run(vm, vault_named=bool(vm.target.vault_id))))
        else:
            not_examined.append(NotExamined(spec.name, vm.target.vm_id, why))
    return FleetPlan(wanted, not_examined, found.coverage, found, frozenset(spec.name for spec in wanted))


def of_table(table: Orders) -> FleetPlan:
    """The VMs of a table: each is examined, and the lists say what they can of those in Azure."""
    ids = {spec.name: target(read(spec.parameters)).vm_id for spec in table.specs if _is_live(spec)}
    if not ids:
        return FleetPlan(table.specs)
    scope = Scope(vms=tuple(ids.values()))
    found = build_inventory(connect_azure(_subscription(scope)), scope, points=False)
    listed = {vm.target.vm_id.lower(): vm for vm in found.vms}
    specs = [_with_lists(spec, listed.get(ids.get(spec.name, "").lower()), table.unsorted) for spec in table.specs]
    # The points are left to each VM's own run, so that they are no gap.
    return FleetPlan(specs, (), [gap for gap in found.coverage if gap["what"] != "points"], found, table.unsorted)


def _with_lists(spec: RunSpec, vm: InventoryVm | None, unsorted: Iterable[str]) -> RunSpec:
    if vm is None:
        return spec
    notebook = notebook_of(vm.section) if vm.section and spec.name in unsorted else spec.notebook
    return replace(spec, known=facts_for_run(vm), notebook=notebook)


def _is_live(spec: RunSpec) -> bool:
    return spec.parameters.get("azure") == AzureSource.LIVE


def _row(vm: InventoryVm) -> dict[str, Any]:
    vault = {"vault_id": vm.target.vault_id} if vm.target.vault_id else {}
    return {"azure": "live", "vm_id": vm.target.vm_id, **vault, SECTION: vm.section or GENERAL_SECTION}


def _why_not_examined(vm: InventoryVm, since: str) -> str | None:
    """The key of the reason why a VM is not examined; None for one that is."""
    if not vm.needs_examining:
        return "nothing_open"
    return "nothing_since" if since and not _went_wrong_since(vm, since) else None


def _went_wrong_since(vm: InventoryVm, since: str) -> bool:
    """Whether a backup failed or was downgraded since then; also where that is not known."""
    jobs = data_of(vm.known, "backup.jobs")
    failed = any(went_wrong(job) and (clock.stamp(job["start"]) or since) >= since for job in jobs or ())
    return jobs is None or failed or any(_is_since(sign, since) for sign in vm.signs)


def _is_since(sign: OpenSign, since: str) -> bool:
    recent = (clock.stamp(sign.values.get("time")) or since) >= since
    return sign.reason == "not_known" or (sign.reason == "consistency" and recent)


def _subscription(scope: Scope) -> str:
    """The subscription to sign in for."""
    ids = (*scope.subscriptions, *(part_after(name, "subscriptions") for name in (*scope.vaults, *scope.vms)))
    return next(iter(ids), "")


def _subscriptions(azure: Azure, management_group: str) -> tuple[str, ...]:
    path = _DESCENDANTS.format(management_group)
    try:
        listing = read_list(Arm.on(azure), path, _MOST_SUBSCRIPTIONS)
    except (AzureError, RequestRefused, ResponseLost, Unreadable) as error:
        message = cut(str(error))
        raise SetupError("error.management_group_unread", name=management_group, message=message) from None
    ids = [(text(entry, "id") or "").lower() for entry in listing.entries]
    found = tuple(part_after(name, "subscriptions") for name in ids if name.startswith("/subscriptions/"))
    if not found:
        raise SetupError("error.empty_management_group", name=management_group)
    return found
