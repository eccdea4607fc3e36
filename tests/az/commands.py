"""The real az, signed in at a simulator: how it is told about it, and the reads that one VM takes."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from azuresim.serve import Simulator

Run = Callable[..., Any]


class AzFailed(Exception):
    """az ended with an error; the message is what it printed."""


@contextmanager
def signed_in(az: str, simulator: Simulator, folder: str) -> Iterator[Run]:
    """``run("vm", "list")`` gives az's JSON. ``folder`` holds its configuration, nobody's own is touched."""
    for world in simulator.azure.worlds:
        # Without a wish of the server az waits 30 seconds between two looks at an operation.
        world.spec["retry_after"] = 1
    environment = {
        **os.environ,
        **simulator.environment,
        "AZURE_CONFIG_DIR": folder,
        "AZURE_CORE_COLLECT_TELEMETRY": "0",
        "AZURE_CORE_NO_COLOR": "1",
        "AZURE_EXTENSION_USE_DYNAMIC_INSTALL": "no",
    }

    def run(*words: str) -> Any:
        command = [az, *words, "--output", "json"]
        ended = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)
        if ended.returncode:
            raise AzFailed(f"{' '.join(words)}: {ended.stderr.strip()[-2000:]}")
        return json.loads(ended.stdout) if ended.stdout.strip() else None

    run("cloud", "register", "--name", "AzureSimulator", "--endpoint-resource-manager", simulator.endpoint)
    run("cloud", "set", "--name", "AzureSimulator")
    run("login", "--identity", "--allow-no-subscriptions")
    yield run


def reads(target: Any) -> list[tuple[str, ...]]:
    """What somebody types to see about one VM what ``vmbackup diagnose`` collects."""
    group, vm = target.resource_group, target.vm_name
    name = target.vault_id.rsplit("/", 1)[-1] if target.vault_id else f"vault-{group.removeprefix('rg-')}"
    vault = ("--resource-group", group, "--vault-name", name)
    vm_id = f"/subscriptions/{target.subscription_id}/resourceGroups/{group}"
    vm_id += f"/providers/Microsoft.Compute/virtualMachines/{vm}"
    return [
        ("vm", "show", "-g", group, "-n", vm),
        ("vm", "get-instance-view", "-g", group, "-n", vm),
        ("vm", "extension", "list", "-g", group, "--vm-name", vm),
        ("disk", "list", "-g", group),
        ("network", "nic", "list", "-g", group),
        ("network", "nic", "list-effective-nsg", "-g", group, "-n", f"{vm}-nic0"),
        ("network", "nic", "show-effective-route-table", "-g", group, "-n", f"{vm}-nic0"),
        ("network", "vnet", "subnet", "show", "-g", group, "--vnet-name", "vnet", "-n", "default"),
        ("backup", "protection", "check-vm", "--vm-id", vm_id),
        ("backup", "item", "list", *vault, "--backup-management-type", "AzureIaasVM", "--workload-type", "VM"),
        ("backup", "policy", "list", *vault),
        ("backup", "job", "list", *vault),
        ("lock", "list", "-g", group),
        ("monitor", "metrics", "list", "--resource", vm_id, "--metric", "Percentage CPU", "--interval", "PT1M"),
        ("monitor", "activity-log", "list", "--resource-id", vm_id, "--start-time", "2026-11-20T00:00:00Z"),
    ]
