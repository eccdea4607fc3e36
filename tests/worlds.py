"""Examine a simulated world as a user would: the unmodified SDK over HTTPS, nothing patched."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from azure.identity import DefaultAzureCredential

from azuresim.loading import load_world
from azuresim.serve import Simulator
from azuresim.world import World
from vmbackup.arm.audit import changes
from vmbackup.arm.connection import Azure, Connection
from vmbackup.collectors import collect
from vmbackup.model import Fact, Target


@contextmanager
def serving(*worlds: World, **options: Any) -> Iterator[Simulator]:
    """A simulator with these worlds, found and trusted by everything that this process starts meanwhile."""
    before = dict(os.environ)
    with Simulator(worlds, **options) as simulator:
        os.environ.update(simulator.environment)
        try:
            yield simulator
        finally:
            os.environ.clear()
            os.environ.update(before)


def connected(simulator: Simulator, world: World, **options: Any) -> tuple[Azure, Target]:
    """A connection of its own, and the VM that the world is about; retries do not wait long."""
    vm = world.vms[0]
    target = Target(vm["subscription_id"], vm["resource_group"], vm["vm_name"])
    where = {"endpoint": simulator.endpoint, "metrics": simulator.metrics_endpoint}
    connection = Connection(**where, polling_interval_s=0.02, retry_backoff_s=0.01, **options)
    return Azure(DefaultAzureCredential(), target.subscription_id, connection), target


@contextmanager
def world(scenario: str, **options: Any) -> Iterator[tuple[Simulator, Azure, Target]]:
    """A running simulator with this world, the connection to it, and the world's VM."""
    loaded = load_world(scenario)
    with serving(loaded, **options) as simulator:
        yield simulator, *connected(simulator, loaded)


def examined(simulator: Simulator, loaded: World, deadline_s: float = 20) -> dict[str, Fact]:
    """All facts about the VM of one of the simulator's worlds. To look changes nothing."""
    azure, target = connected(simulator, loaded)
    facts = collect(azure, target, deadline_s=deadline_s)
    assert [pair for pair in simulator.requests if changes(pair[0], f"https://x{pair[1]}")] == []
    return facts


def examine(scenario: str, deadline_s: float = 20) -> dict[str, Fact]:
    """All facts about the world's VM."""
    loaded = load_world(scenario)
    with serving(loaded) as simulator:
        return examined(simulator, loaded, deadline_s)
