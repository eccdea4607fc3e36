"""The metrics of the VMs to be examined, up to fifty per request, each for the time of its newest failed backup.

A request for many VMs needs a right on the whole subscription. Where Azure Monitor refuses it, a gap says so, and each
VM's own run asks.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from itertools import groupby

from vmbackup import clock
from vmbackup.arm.paging import Listing
from vmbackup.collectors.failed_job import since_last_good
from vmbackup.collectors.metrics import MOST_AT_ONCE, metrics_of_many, names_for, within
from vmbackup.fleet.inventory.lists import Lists, Rows
from vmbackup.fleet.inventory.model import InventoryVm
from vmbackup.model import SetupError, data_of

METRICS = "metrics"
_LONGEST = timedelta(hours=4)
"""The longest time one request covers: the snapshot comes first in a job, and answers must not grow too large."""
_MINUTE = timedelta(minutes=1)
_DEADLINE_S = 60.0


@dataclass(frozen=True, slots=True)
class _Request:
    """One VM: where its metrics are, which it has, and the time (UTC) for which they matter."""

    subscription: str
    region: str
    names: tuple[str, ...]
    start: datetime
    end: datetime
    vm_id: str

    @property
    def together(self) -> tuple[str, str, tuple[str, ...]]:
        """What VMs have in common whose metrics one request can ask for."""
        return self.subscription, self.region, self.names


def list_metrics(lists: Lists, vms: Iterable[InventoryVm]) -> None:
    """Ask for the metrics of these VMs; each VM's are kept under its id."""
    wanted = sorted(filter(None, (_request(vm, lists.now) for vm in vms)), key=lambda vm: (vm.together, vm.start))
    for (subscription, region, _), several in groupby(wanted, key=lambda vm: vm.together):
        for batch in _batches(list(several)):
            if not _list_batch(lists, f"{subscription} {region}", batch):
                break


def _request(vm: InventoryVm, now: datetime) -> _Request | None:
    model = data_of(vm.known, "vm.model")
    if model is None or not model["location"]:
        return None
    start, end = _window(vm, now)
    return _Request(vm.target.subscription_id, model["location"], names_for(model), start, end, vm.target.vm_id)


def _window(vm: InventoryVm, now: datetime) -> tuple[datetime, datetime]:
    """The newest failed job as the list tells it, which its snapshot is a part of; else the last hour."""
    bad = since_last_good(data_of(vm.known, "backup.jobs") or [])
    begun = clock.parse(bad[0]["start"]) if bad else None
    if begun is None:
        return (now - timedelta(hours=1)).replace(second=0, microsecond=0), now
    start = begun.replace(second=0, microsecond=0)
    end = (clock.parse(bad[0]["end"]) or begun + timedelta(hours=1)) + _MINUTE
    return start, min(max(end, start + 2 * _MINUTE), start + _LONGEST)


def _batches(wanted: Sequence[_Request]) -> Iterator[list[_Request]]:
    """As many at once as one request may ask for, in the order of their times and over no more than _LONGEST."""
    batch: list[_Request] = []
    for vm in wanted:
        if batch and (len(batch) == MOST_AT_ONCE or vm.end - batch[0].start > _LONGEST):
            yield batch
            batch = []
        batch.append(vm)
    if batch:
        yield batch


def _list_batch(lists: Lists, scope: str, batch: list[_Request]) -> bool:
    """Whether Azure answered."""
    try:
        rows = lists.ask(METRICS, scope, partial(_answer, lists, batch), "vm.metrics", _DEADLINE_S)
    except SetupError as error:
        # Signed in to Azure Resource Manager is not signed in to Azure Monitor.
        lists.gap(METRICS, scope, "no_metrics_sign_in", {"reason": str(error.values.get("reason"))})
        return False
    if rows is None:
        return False
    found = {row["vm_id"].lower(): row for row in rows.entries}
    for vm in batch:
        row = found.get(vm.vm_id.lower())
        series = within(row, vm.names, vm.start, vm.end) if row else None
        if series is not None:
            own = {"start": clock.stamp(vm.start), "end": clock.stamp(vm.end), "series": series}
            lists.rows[METRICS, vm.vm_id.lower()] = Rows([own], rows.how, taken_at=rows.taken_at)
    return True


def _answer(lists: Lists, batch: list[_Request]) -> Listing:
    first = batch[0]
    azure, ids = lists.azure.beside(first.subscription), [vm.vm_id for vm in batch]
    return metrics_of_many(azure, first.region, ids, first.names, first.start, max(vm.end for vm in batch))
