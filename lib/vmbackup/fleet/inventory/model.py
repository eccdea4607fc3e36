"""What the lists say of many VMs, as plain data: facts with their age, signs of a problem, and what was not listed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from vmbackup.model import Fact, Target
from vmbackup.runs.fleet import Gap


@dataclass(frozen=True, slots=True)
class Scope:
    """Which VMs an inventory is about: all that these vaults or subscriptions hold, and these VMs by id. A management
    group is the list of its subscriptions."""

    vaults: tuple[str, ...] = ()
    subscriptions: tuple[str, ...] = ()
    vms: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class OpenSign:
    """A reason to examine a VM, by its name, such as ``job_failed``; ``values`` are what was read of it."""

    reason: str
    values: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class InventoryVm:
    """One VM. ``known`` are its facts out of the lists, by name; ``section`` is where its last failure belongs, None
    where there was none or it is not clear; without ``signs`` it need not be examined, which is not a verdict."""

    target: Target
    known: Mapping[str, Fact] = field(default_factory=dict)
    section: str | None = None
    signs: tuple[OpenSign, ...] = ()

    @property
    def needs_examining(self) -> bool:
        """Whether there is a sign of a problem, or something is not known."""
        return bool(self.signs)


@dataclass(frozen=True, slots=True)
class Inventory:
    """All VMs of a scope, and what of it could not be listed. ``calls`` are the requests that the lists took."""

    vms: tuple[InventoryVm, ...] = ()
    coverage: tuple[Gap, ...] = ()
    calls: tuple[str, ...] = ()
