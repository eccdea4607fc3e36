"""What one endpoint knows: its worlds, the operations under way, and whom it lets in."""

from __future__ import annotations

from dataclasses import dataclass, field
from threading import Lock
from typing import Any

from azuresim.ids import Occurrences, client_id
from azuresim.operations import Operations
from azuresim.storm import Storm
from azuresim.tokens import Tokens
from azuresim.world import World


@dataclass(slots=True)
class Azure:
    """All worlds behind one endpoint. Worlds share a subscription when they share a seed, never a resource group."""

    worlds: list[World]
    tokens: Tokens = field(default_factory=Tokens)
    operations: Operations = field(default_factory=Operations)
    occurrences: Occurrences = field(default_factory=Occurrences)
    lock: Lock = field(default_factory=Lock)
    storm: Storm | None = None
    queries: dict[tuple[str, ...], list[Any]] = field(default_factory=dict)
    subscriptions: set[str] = field(default_factory=set, init=False)
    _by_group: dict[str, list[tuple[str, World]]] = field(default_factory=dict, init=False)

    _by_job: dict[str, World] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        groups = [(world.subscription, world.resource_group.lower()) for world in self.worlds]
        if len(set(groups)) < len(groups):
            raise ValueError("two worlds have the same name and seed")
        for world in self.worlds:
            self.subscriptions.update(world.subscriptions)
            for owner, name in world.groups:
                self._by_group.setdefault(name.lower(), []).append((owner, world))

    def of_group(self, subscription: str | None, group: str) -> list[World]:
        """The worlds with this resource group, in this subscription or in any: found without a look at all others."""
        found = (world for owner, world in self._by_group.get(group.lower(), ()) if subscription in (None, owner))
        return list({id(world): world for world in found}.values())

    def of_job(self, job: str) -> list[World]:
        """The world with this job. Jobs are added to worlds and never removed."""
        if job not in self._by_job:
            machines = ((world, machine) for world in self.worlds for machine in world.machines)
            self._by_job = {each["name"]: world for world, machine in machines for each in machine["jobs"]}
        found = self._by_job.get(job)
        return [found] if found else []

    @property
    def seed(self) -> int:
        """The seed of the first world: whose tenant and caller the endpoint is."""
        return self.worlds[0].seed

    def caller(self) -> str:
        """The object id of whoever calls."""
        return client_id(self.seed)

    def unique(self, method: str, path: str, what: str) -> str:
        """A key for the next request of this kind: the same in every run with the same requests."""
        key = f"{what} {method} {path.lower()}"
        return f"{key}#{self.occurrences.next(key)}"
