"""What Azure computes for the interfaces of the VMs to be examined, asked once for all of them that share it.

Routes hold for a whole subnet, and so do security rules except those of an interface's own group. So the answer for one
interface holds for all others in the subnet; Azure computes it only while the VM runs. What is not shared is left to
each VM's own run.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

from vmbackup import clock
from vmbackup.arm.call import calling, gather
from vmbackup.arm.errors import as_fact
from vmbackup.collectors import routes, rules
from vmbackup.collectors.base import Ask
from vmbackup.collectors.effective import computed
from vmbackup.facts.network import Nic
from vmbackup.fleet.inventory.lists import Lists, Rows
from vmbackup.fleet.inventory.model import InventoryVm
from vmbackup.model import Target, data_of

_AT_ONCE = 8
_DEADLINE_S, _DEADLINE_OF_ALL_S = 60.0, 180.0


def routes_of(nic: Nic) -> str:
    """What interfaces have in common that have the same routes."""
    return " ".join(sorted({(config["subnet_id"] or "").lower() for config in nic["ip_configs"]}))


def rules_of(nic: Nic, groups: Mapping[str, Sequence[str]]) -> str:
    """What interfaces have in common for which the same security rules hold, but for those of their own groups;
    ``groups`` are the application security groups of each, by which a rule may name them."""
    return " ".join([routes_of(nic), *sorted(groups[nic["id"].lower()])])


@dataclass(frozen=True, slots=True)
class _Query:
    """An interface, its VM, what is computed for it, and for which others it holds too."""

    target: Target
    nic: Nic
    what: str
    name: str


def list_effective(lists: Lists, vms: Iterable[InventoryVm]) -> None:
    """Ask for what several of these VMs share; each answer is kept under what they have in common. What does not come
    in time is left to each VM's own run."""
    sharing: dict[tuple[str, str], list[_Query]] = defaultdict(list)
    for vm in vms:
        power, groups = data_of(vm.known, "vm.power"), data_of(vm.known, "_groups")
        if power is None or power["power"] != "running" or groups is None:
            continue
        for nic in data_of(vm.known, "network.nics") or []:
            for what, name in ((routes.EFFECTIVE, routes_of(nic)), (rules.EFFECTIVE, rules_of(nic, groups))):
                sharing[what, name].append(_Query(vm.target, nic, what, name))
    works = [partial(_ask, lists, several[0]) for several in sharing.values() if len(several) > 1]
    with calling(deadline_s=_DEADLINE_OF_ALL_S), suppress(TimeoutError):
        gather(works, _AT_ONCE)


def _ask(lists: Lists, query: _Query) -> None:
    """What is refused for one VM may be granted for another: each run then asks and says so itself."""
    begun = lists.azure.heard()
    with calling(query.target.vm_id, _DEADLINE_S) as call:
        try:
            azure = lists.azure.beside(query.target.subscription_id)
            wire = computed(Ask(azure, query.target), query.nic, query.what)
        except Exception as error:
            as_fact(error)
            wire = None
    lists.count(call)
    if wire is not None:
        how, taken_at = tuple(sorted(call.requests)), clock.stamp(begun)
        lists.rows[query.what, query.name] = Rows([wire], how, taken_at=taken_at)
