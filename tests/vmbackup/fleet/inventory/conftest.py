"""A fleet of some healthy VMs and some with something open, and what the lists say of it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from azuresim.fleet import fleet
from azuresim.serve import Simulator
from azuresim.world import World
from vmbackup.arm.connection import Azure
from vmbackup.fleet.inventory.build import build_inventory
from vmbackup.fleet.inventory.model import Inventory, Scope
from worlds import connected, serving

VMS = 40


@pytest.fixture(scope="module")
def worlds() -> list[World]:
    return list(fleet(VMS, vaults=2, seed=7, healthy=0.6))


@pytest.fixture(scope="module")
def simulator(worlds: list[World]) -> Iterator[Simulator]:
    with serving(*worlds) as simulator:
        yield simulator


@pytest.fixture(scope="module")
def azure(simulator: Simulator, worlds: list[World]) -> Azure:
    return connected(simulator, worlds[0])[0]


@pytest.fixture(scope="module")
def listed_fleet(azure: Azure, worlds: list[World]) -> Inventory:
    return build_inventory(azure, Scope(subscriptions=(worlds[0].subscription,)))
