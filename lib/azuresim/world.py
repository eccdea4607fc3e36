"""A world: one subscription's corner of Azure, changed by requests. Fixed clock, no chance."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from threading import RLock

from azuresim.answer import Json
from azuresim.ids import is_guid, number, short, subscription_id

LOOKS_AFTER_A_CHANGE = 6


@dataclass(slots=True)
class World:
    """The state. ``machines[0]`` is the VM the world is about; the others are neighbours under the same policy."""

    name: str
    seed: int
    spec: Json
    now: datetime
    machines: list[Json]
    policies: dict[str, Json]
    nsgs: dict[str, list[Json]]
    routes: list[Json]
    locks: list[Json]
    file: Path | None = None
    looks: int = 0
    lock: RLock = field(default_factory=RLock)

    @property
    def subscription(self) -> str:
        """The subscription id; the same for all worlds with this seed."""
        return subscription_id(self.seed)

    @property
    def resource_group(self) -> str:
        """The resource group of everything but the restore points, and of the network where the world names one."""
        return short(f"rg-{self.name.replace('_', '-')}", 90)

    @property
    def vault(self) -> str:
        """The name of the world's one vault; worlds that name the same one in the same group share it."""
        return str(self.spec.get("vault", {}).get("name") or short(f"vault-{self.name.replace('_', '-')}", 50))

    @property
    def vault_subscription(self) -> str:
        """The subscription of the vault; the VM's unless the world says otherwise."""
        named = str(self.spec.get("vault", {}).get("subscription", ""))
        return (named.lower() if is_guid(named) else subscription_id(named)) if named else self.subscription

    @property
    def subscriptions(self) -> tuple[str, ...]:
        """The subscription of the VM and that of its vault."""
        return (self.subscription, self.vault_subscription)

    @property
    def vault_group(self) -> str:
        """The resource group of the vault: the VM's where both are in one subscription."""
        own = self.resource_group if self.vault_subscription == self.subscription else short(f"{self.vault}-group", 90)
        return str(self.spec.get("vault", {}).get("resource_group", own))

    @property
    def network_group(self) -> str:
        """The resource group of the virtual network and what belongs to it; worlds that name the same one share it."""
        return str(self.spec.get("subnet", {}).get("resource_group") or self.resource_group)

    @property
    def groups(self) -> list[tuple[str, str]]:
        """Subscription and name of every resource group of the world, the VM's first."""
        others = [entry.get("resource_group") for machine in self.machines for entry in machine["other_collections"]]
        named = [self.resource_group, self.network_group, self.restore_point_group, *(name for name in others if name)]
        groups = [*((self.subscription, name) for name in named), (self.vault_subscription, self.vault_group)]
        return list(dict.fromkeys(groups))

    @property
    def location(self) -> str:
        """The region, ``westeurope`` unless the world says otherwise."""
        return str(self.spec.get("location", "westeurope"))

    @property
    def folder(self) -> Path | None:
        """Where the world's file stands, and guest outputs beside it."""
        return self.file.parent if self.file else None

    @property
    def pasted(self) -> Path | None:
        """The guest script's output that an operator pasted: ``<world>.guest.txt`` beside the world's file."""
        beside = self.file.with_suffix(".guest.txt") if self.file else None
        return beside if beside and beside.is_file() else None

    @property
    def restore_point_group(self) -> str:
        """The resource group in which the backup service keeps this world's restore points."""
        given = self.spec.get("restore_points", {}).get("resource_group")
        policy = next(iter(self.policies.values()))
        if given or policy["rg_prefix"]:
            return str(given or f"{policy['rg_prefix']}1{policy['rg_suffix']}")
        return f"AzureBackupRG_{self.location}_{1 + number(9999, self.name)}"

    @property
    def vms(self) -> list[dict[str, str]]:
        """The virtual machines of the world, its subject first."""
        return [
            {
                "subscription_id": self.subscription,
                "resource_group": self.resource_group,
                "vm_name": machine["name"],
                "vault_id": self.vault_id,
            }
            for machine in self.machines
        ]

    # --- resource ids ---

    @property
    def group_id(self) -> str:
        """The id of the resource group."""
        return f"/subscriptions/{self.subscription}/resourceGroups/{self.resource_group}"

    @property
    def vault_id(self) -> str:
        """The id of the vault."""
        group = f"/subscriptions/{self.vault_subscription}/resourceGroups/{self.vault_group}"
        return f"{group}/providers/Microsoft.RecoveryServices/vaults/{self.vault}"

    def compute_id(self, kind: str, name: str) -> str:
        """The id of a compute resource, ``kind`` such as ``virtualMachines``."""
        return f"{self.group_id}/providers/Microsoft.Compute/{kind}/{name}"

    def network_id(self, kind: str, name: str) -> str:
        """The id of a network resource, ``kind`` such as ``networkInterfaces``."""
        return f"{self.group_id}/providers/Microsoft.Network/{kind}/{name}"

    def of_network(self, kind: str, name: str) -> str:
        """The id of the virtual network or of what belongs to it, ``kind`` such as ``routeTables``."""
        group = f"/subscriptions/{self.subscription}/resourceGroups/{self.network_group}"
        return f"{group}/providers/Microsoft.Network/{kind}/{name}"

    def vm_id(self, machine: Json) -> str:
        """The id of a VM."""
        return self.compute_id("virtualMachines", machine["name"])

    def setting(self, name: str, default: int) -> int:
        """One of the world's dials: ``page_size``, ``retry_after``, ``operation_polls``, ``job_polls``."""
        return int(self.spec.get(name, default))

    @property
    def wait(self) -> dict[str, str]:
        """The header that says how long to wait before an operation is asked about again; by default not for long."""
        seconds = self.setting("retry_after", 0)
        return {"Retry-After": str(seconds)} if seconds else {"x-ms-retry-after-ms": "20"}

    def ago(self, hours: float) -> datetime:
        """A time before the world's now."""
        return self.now - timedelta(hours=hours)

    def advance(self, **length: float) -> None:
        """Let the world's clock go on; only explicit operations do."""
        with self.lock:
            self.now += timedelta(**length)

    def settle(self) -> None:
        """A change was made: it takes its minute, and the next looks at a VM's state let time pass as well."""
        self.advance(minutes=1)
        self.looks = LOOKS_AFTER_A_CHANGE

    def looked(self) -> None:
        """Somebody looks at a VM's state, perhaps waiting for a change to show: half a minute goes by."""
        with self.lock:
            if self.looks:
                self.looks -= 1
                self.now += timedelta(seconds=30)
