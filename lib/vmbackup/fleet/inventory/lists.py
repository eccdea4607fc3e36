"""Lists everything once: per vault, per subscription, and by Resource Graph. What cannot be listed becomes a gap."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from vmbackup import clock
from vmbackup.arm import graph
from vmbackup.arm.call import Call, calling, gather
from vmbackup.arm.client import Arm
from vmbackup.arm.connection import Azure
from vmbackup.arm.errors import as_fact
from vmbackup.arm.paging import Listing, read_list, read_pages
from vmbackup.arm.wire import whole_pages
from vmbackup.collectors import actions
from vmbackup.collectors.jobs import job_filter
from vmbackup.fleet.inventory.shelf import Shelf, ShelvedRows
from vmbackup.resource_ids import part_after, resource_group, resource_name
from vmbackup.runs.fleet import Gap

ACTIVITY_BACK = timedelta(days=4)
"""How far back the activity log of a subscription is listed; for an earlier failure the VM's own run asks."""
_MOST_EVENTS = 20_000
_MOST_ROWS = 100_000
_ITEMS = "microsoft.recoveryservices/vaults/backupfabrics/protectioncontainers/protecteditems"
_OF_VMS = "backupManagementType eq 'AzureIaasVM'"
_FEW = 50
"""Up to this many rows a list is held in memory; a longer one goes to the shelf."""
_AT_ONCE = 4
"""How many requests one vault or subscription gets at the same time."""


@dataclass(frozen=True, slots=True)
class Rows:
    """What one list gave: its entries as Azure sends them, how they were asked for, and when that began."""

    entries: Sequence[Any]
    how: tuple[str, ...]
    is_cut: bool = False
    taken_at: str | None = None


@dataclass(slots=True)
class Lists:
    """Everything that was listed, by kind and scope (a vault's or subscription's id in small letters)."""

    azure: Azure
    now: datetime
    deadline_s: float
    rows: dict[tuple[str, str], Rows] = field(default_factory=dict)
    gaps: list[Gap] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    shelf: Shelf = field(default_factory=Shelf)

    def count(self, call: Call) -> None:
        """Note the requests of a call; the pages of a list look alike, and so do the polls of an operation."""
        self.calls += [*call.requests, *call.requests[-1:] * (call.sent - len(call.requests))]

    def gap(self, what: str, scope: str, why: str, details: Mapping[str, str]) -> None:
        """Note what could not be listed."""
        self.gaps.append(Gap(what=what, scope=scope, why=why, details=dict(details)))

    def of(self, what: str, scope: str) -> Rows | None:
        """The rows of this kind; None where they could not be listed."""
        return self.rows.get((what, scope.lower()))

    def ask(
        self, what: str, scope: str, work: Callable[[], Listing], fact: str, deadline_s: float | None = None
    ) -> Rows | None:
        """List once, and keep the rows or the gap, which names the rights that ``fact`` takes. None where it could not
        be listed."""
        begun = self.azure.heard()
        with calling(deadline_s=deadline_s or self.deadline_s) as call:
            try:
                listing = work()
            except Exception as error:
                failed = as_fact(error, actions().get(fact, ()))
                self.gap(what, scope, failed.why or "unexpected", failed.details)
                listing = None
        self.count(call)
        if listing is None:
            return None
        entries = self._shelve(listing.entries)
        rows = Rows(entries, tuple(sorted(call.requests)), listing.is_cut, clock.stamp(begun))
        if listing.is_cut:
            self.gap(what, scope, "list_cut", {"cut": str(len(listing.entries))})
        self.rows[what, scope.lower()] = rows
        return rows

    def _shelve(self, entries: Sequence[Any]) -> Sequence[Any]:
        many = isinstance(entries, list) and len(entries) > _FEW
        return ShelvedRows(self.shelf, entries) if many else entries


def list_vaults(lists: Lists, vault_ids: Iterable[str]) -> None:
    """Items, jobs, policies and the storage of each vault, four requests at a time."""
    items = f"{_OF_VMS} and itemType eq 'VM'"
    for vault_id in vault_ids:
        read = partial(_below, lists, lists.azure, vault_id)
        works: dict[str, tuple[Callable[[], Listing], str]] = {
            "items": (partial(read, "backupProtectedItems", filter=items), "backup.neighbours"),
            "jobs": (partial(read, "backupJobs", filter=job_filter(lists.now, operation=None)), "backup.jobs"),
            "policies": (partial(read, "backupPolicies", filter=_OF_VMS), "backup.policy"),
            "storage": (partial(_storage, lists.azure, vault_id), "backup.vault"),
        }
        gather([partial(lists.ask, what, vault_id, *work) for what, work in works.items()], _AT_ONCE)


def list_subscriptions(lists: Lists, subscriptions: Iterable[str]) -> None:
    """VMs and all that belongs to them, networks, locks, collections of restore points, and the activity log."""
    for subscription in subscriptions:
        azure = lists.azure.beside(subscription)
        read = partial(_below, lists, azure, f"/subscriptions/{subscription}/providers")
        works: dict[str, tuple[Callable[[], Listing], str]] = {
            "vms": (partial(read, "Microsoft.Compute/virtualMachines"), "vm.model"),
            "power": (partial(read, "Microsoft.Compute/virtualMachines", statusOnly="true"), "vm.power"),
            "disks": (partial(read, "Microsoft.Compute/disks"), "vm.disks"),
            "nics": (partial(read, "Microsoft.Network/networkInterfaces"), "network.nics"),
            "networks": (partial(read, "Microsoft.Network/virtualNetworks"), "network.subnets"),
            "security groups": (partial(read, "Microsoft.Network/networkSecurityGroups"), "network.rules"),
            "route tables": (partial(read, "Microsoft.Network/routeTables"), "network.routes"),
            "locks": (partial(_pages, azure.locks.management_locks.list_at_subscription_level), "vm.locks"),
            "collections": (partial(read, "Microsoft.Compute/restorePointCollections"), "vm.restore_points"),
            "events": (partial(_events, lists, azure), "vm.activity"),
            "health": (partial(_health, azure, subscription), "vm.health"),
            "extensions": (partial(_extensions, azure, subscription), "vm.extensions"),
        }
        gather([partial(lists.ask, what, subscription, *work) for what, work in works.items()], _AT_ONCE)


def list_extension_versions(lists: Lists, wanted: Iterable[tuple[str, str, str, str]]) -> None:
    """The versions of a publisher's extension, by subscription, region, publisher and type."""
    for subscription, location, publisher, kind in wanted:
        images = lists.azure.beside(subscription).compute.virtual_machine_extension_images
        work = partial(_plain, images.list_versions, location, publisher, kind)
        lists.ask(f"versions {kind}", f"{subscription} {location}", work, "vm.extension_versions")


def protected_items(lists: Lists) -> Rows | None:
    """Every protected VM that may be read, wherever its vault is."""
    words = (
        f"RecoveryServicesResources | where type =~ '{_ITEMS}' | where properties.backupManagementType =~ 'AzureIaasVM'"
    )
    return lists.ask("protected", "", lambda: graph.query(lists.azure, words), "backup.protection")


def _pages(listed: Callable[..., Any], *arguments: Any, **options: Any) -> Listing:
    return read_pages(listed(*arguments, raw_response_hook=whole_pages, **options)).as_wires()


def _plain(listed: Callable[..., Any], *arguments: Any) -> Listing:
    return Listing(listed(*arguments), False).as_wires()


def _storage(azure: Azure, vault_id: str) -> Listing:
    subscription, group, name = part_after(vault_id, "subscriptions"), resource_group(vault_id), resource_name(vault_id)
    configs = azure.backup(subscription).backup_resource_storage_configs_non_crr
    return Listing([configs.get(name, group)], False).as_wires()


def _below(lists: Lists, azure: Azure, scope: str, kind: str, filter: str = "", **query: str) -> Listing:
    """A list below a vault or subscription, without the SDK's models: a fleet's lists are long."""
    asked = {**query, **({"$filter": filter} if filter else {})}
    return read_list(Arm.on(azure), f"{scope}/{kind}", _MOST_ROWS, ShelvedRows(lists.shelf), **asked)


def _events(lists: Lists, azure: Azure) -> Listing:
    start, end = clock.stamp(lists.now - ACTIVITY_BACK), clock.stamp(lists.now)
    span = f"eventTimestamp ge '{start}' and eventTimestamp le '{end}'"
    path = f"/subscriptions/{azure.subscription_id}/providers/Microsoft.Insights/eventtypes/management/values"
    return read_list(Arm.on(azure), path, _MOST_EVENTS, ShelvedRows(lists.shelf), **{"$filter": span})


def _health(azure: Azure, subscription: str) -> Listing:
    words = "HealthResources | where type =~ 'microsoft.resourcehealth/availabilitystatuses'"
    return graph.query(azure, words, [subscription])


def _extensions(azure: Azure, subscription: str) -> Listing:
    words = "Resources | where type =~ 'microsoft.compute/virtualmachines/extensions'"
    return graph.query(azure, words, [subscription])
