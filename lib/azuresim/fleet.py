"""A fleet: many worlds that share vaults, policies and subnets, made from a mix of scenarios; a seed fixes it all.

    python -m azuresim --fleet 1000 --vaults 5 --seed 1                    nine of ten VMs healthy, the others of MIX
    python -m azuresim --fleet 1000 agent_stopped_linux vss_writer_windows these scenarios for those that are not

In a process: ``Simulator(fleet(1000, vaults=5, seed=1))``. Ten thousand VMs are made in a few seconds.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from azuresim.ids import number
from azuresim.loading import make_world, read_spec
from azuresim.world import World

HEALTHY = ("healthy_linux", "healthy_linux", "healthy_windows")
MIX = (
    "agent_stopped_linux",
    "agent_old_windows",
    "no_internet_linux",
    "extension_failed_windows",
    "vss_writer_windows",
    "guest_disk_full_linux",
    "snapshot_high_cpu_linux",
    "restore_points_lock_windows",
    "disk_too_large_linux",
    "crash_consistent_downgrade_linux",
    "vm_deallocated_windows",
    "protection_stopped_linux",
)
"""What is wrong with the VMs that are not healthy, unless other scenarios are named."""
_PAGE = 1000
_VMS_OF_ONE_POLICY = 20
_VMS_OF_ONE_SUBNET = 40
_OF_A_NETWORK = ("nsg", "subnet_nsg", "routes", "subnet", "nics")
_Spec = tuple[Path, dict[str, Any]]


def fleet(
    count: int,
    *,
    vaults: int = 1,
    subscriptions: int = 1,
    seed: int = 0,
    healthy: float = 0.9,
    mix: Sequence[str] = MIX,
) -> Iterator[World]:
    """``count`` worlds of one VM each, in turn in so many subscriptions, each with so many vaults; ``healthy`` is the
    share of them, 0 to 1. Raises :class:`~azuresim.schema.WorldError` for a scenario that there is not."""
    specs: dict[str, _Spec] = {name: read_spec(name) for name in dict.fromkeys((*HEALTHY, *mix))}
    for index in range(count):
        is_healthy = number(1000, seed, "healthy", index) < 1000 * healthy or not mix
        names = HEALTHY if is_healthy else mix
        name = names[number(len(names), seed, "scenario", index)]
        path, given = specs[name]
        place, subscription = divmod(index, max(1, subscriptions))
        placed = _placed(given, name, place, max(1, vaults))
        yield make_world(f"{index:05}_{name}", placed, seed + subscription, path)


def _placed(given: dict[str, Any], scenario: str, index: int, vaults: int) -> dict[str, Any]:
    """The scenario in its place in a subscription: one of the vaults, under a policy that a few VMs of the same kind
    share, and in a subnet with others, unless it is about its own network."""
    vault, turn = index % vaults, index // vaults
    own = given.get("policy", {})
    policy = f"{scenario}-policy" if own else f"DailyPolicy-{turn // _VMS_OF_ONE_POLICY:03}"
    points = {"resource_group": f"AzureBackupRG_westeurope_{index + 1}", **given.get("restore_points", {})}
    shared: dict[str, Any] = {}
    if not given.keys() & set(_OF_A_NETWORK):
        group = f"rg-network-{index // _VMS_OF_ONE_SUBNET:03}"
        # Every other interface has a security group of its own besides, as the portal makes it.
        shared = {"subnet": {"resource_group": group}, "subnet_nsg": [], "nsg": [] if index % 2 else None}
    return {
        **given,
        **shared,
        "page_size": _PAGE,
        "vault": {**given.get("vault", {}), "name": f"vault-{vault:03}", "resource_group": f"rg-vault-{vault:03}"},
        "policy": {**own, "name": policy},
        "restore_points": points,
    }
