"""Examine a simulated world as a user would: the unmodified SDK over HTTPS, nothing patched."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from azure.identity import DefaultAzureCredential

from azuresim.loading import load_world
from azuresim.serve import Simulator
from vmbackup.arm.connection import Azure, Connection
from vmbackup.collectors import collect
from vmbackup.model import Fact, Target


@contextmanager
def world(scenario: str, **options: Any) -> Iterator[tuple[Simulator, Azure, Target]]:
    """A running simulator with this world, the connection to it, and the world's VM."""
    loaded = load_world(scenario)
    subject = loaded.vms[0]
    target = Target(subject["subscription_id"], subject["resource_group"], subject["vm_name"])
    before = dict(os.environ)
    with Simulator([loaded], **options) as simulator:
        os.environ.update(simulator.environment)
        try:
            connection = Connection(simulator.endpoint, polling_interval_s=0.02)
            yield simulator, Azure(DefaultAzureCredential(), target.subscription_id, connection), target
        finally:
            os.environ.clear()
            os.environ.update(before)


def examine(scenario: str, deadline_s: float = 20) -> dict[str, Fact]:
    """All facts about the world's VM."""
    with world(scenario) as (_, azure, target):
        return collect(azure, target, deadline_s=deadline_s)
