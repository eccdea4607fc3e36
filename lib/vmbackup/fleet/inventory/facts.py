"""One VM's facts out of the lists, made by the readers that the collectors use themselves.

A fact that the lists cannot give for certain is left out, and the VM's own run asks for it. That includes any fact that
might depend on the missing rest of a list that was cut.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from vmbackup.arm.errors import Unreadable
from vmbackup.fleet.inventory import backup_facts, network_facts, vm_facts
from vmbackup.fleet.inventory.index import ListIndex
from vmbackup.fleet.inventory.listed_vm import ListedVm, ReadFacts
from vmbackup.model import Fact, FactStatus, Target

_UNREADABLE = (Unreadable, KeyError, TypeError, ValueError, AttributeError, StopIteration)
_Reader = Callable[[ListedVm], ReadFacts]

_READERS: tuple[_Reader, ...] = (*backup_facts.READERS, *network_facts.READERS, *vm_facts.READERS)
_TO_EXAMINE: tuple[_Reader, ...] = (*backup_facts.TO_EXAMINE, *network_facts.TO_EXAMINE, *vm_facts.TO_EXAMINE)


def facts_of(target: Target, index: ListIndex) -> dict[str, Fact]:
    """What the lists say of one VM, by name; names that begin with an underscore are rows for the collectors."""
    return _read(ListedVm(target, index, {}), _READERS)


def facts_of_vault(target: Target, index: ListIndex) -> dict[str, Fact]:
    """What the lists of its vault say of one VM."""
    return _read(ListedVm(target, index, {}), backup_facts.SIGNIFICANT)


def facts_to_examine(target: Target, index: ListIndex, facts: Mapping[str, Fact]) -> dict[str, Fact]:
    """These facts, and what is worth finding out only of a VM that is examined."""
    return _read(ListedVm(target, index, dict(facts)), _TO_EXAMINE)


def _read(vm: ListedVm, readers: Sequence[_Reader]) -> dict[str, Fact]:
    for read in readers:
        try:
            for name, data, listed in read(vm):
                taken_at = min(filter(None, (rows.taken_at for rows in listed)), default=None)
                how = tuple(sorted({line for rows in listed for line in rows.how}))
                fact = data if isinstance(data, Fact) else Fact(FactStatus.OK, data)
                vm.facts[name] = replace(fact, how=how, taken_at=taken_at)
        except _UNREADABLE:
            continue
    return vm.facts
