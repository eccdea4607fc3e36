"""One VM whose facts are read out of the lists, and what each reader of facts gives."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from vmbackup.fleet.inventory.index import ListIndex, own_id
from vmbackup.fleet.inventory.lists import Rows
from vmbackup.model import Fact, FactStatus, Target
from vmbackup.resource_ids import part_after


@dataclass(slots=True)
class ListedVm:
    """A VM, and the facts of it that are known so far."""

    target: Target
    index: ListIndex
    facts: dict[str, Fact]

    @property
    def subscription(self) -> str:
        """Where the VM is."""
        return self.target.subscription_id

    @property
    def vault(self) -> str:
        """The vault that protects it. Raises KeyError where none is known to."""
        if self.target.vault_id is None:
            raise KeyError("vault")
        return self.target.vault_id

    def data(self, name: str) -> Any:
        """The data of a fact. Raises KeyError where it is not known."""
        return self.facts[name].data

    def get(self, name: str) -> Any:
        """The data of a fact, None where it is not known."""
        return self.facts[name].data if name in self.facts else None

    def reader(self, what: str) -> tuple[Callable[[str], Any], list[Rows]]:
        """A function that gets a resource from the lists of this kind by its id, and the lists that it has used so far.
        Both raise KeyError where the list or the resource is missing."""
        used = [self.index.listed(what, self.subscription)]

        def read(resource_id: str) -> Any:
            row, rows = self.index.row(what, part_after(resource_id, "subscriptions"), resource_id, own_id)
            used.append(rows)
            return row

        return read, used

    def not_computed(self, nics: Sequence[Any]) -> Fact:
        """The configured rules or routes of a VM that is off: Azure computes effective ones only while it runs."""
        data = {"source": "objects", "nics": nics}
        return Fact(FactStatus.OK, data, "vm_not_running", {"power": self.data("vm.power")["power"]})


ReadFacts = Iterator[tuple[str, Any, Sequence[Rows]]]
"""Names of facts, each with its data, or the fact itself, and with the lists that it rests on."""
