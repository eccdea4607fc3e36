"""Consequences: what an event (an action, a write, a script) changes in a world beyond itself."""

from __future__ import annotations

import re
from typing import Any

from azuresim.answer import Json
from azuresim.defaults import READY, SUCCEEDED, extension_failed
from azuresim.world import World


def apply(world: World, machine: Json, event: str, text: str = "") -> Json | None:
    """Carry out the world's effects of this event whose ``match`` is found in ``text``; the last of them or None."""
    last = None
    for effect in world.spec.get("effects", []):
        if effect["event"] == event and re.search(effect.get("match", ""), text, re.IGNORECASE):
            for path, value in effect.get("set", {}).items():
                assign(machine, path, value)
            last = effect
    return last


def assign(machine: Json, path: str, value: Any) -> None:
    """Set ``agent.state``, ``guest.x``, ``vm.power``, …; ``extension.<name>`` set to ``ok`` makes one healthy."""
    head, _, rest = path.partition(".")
    if head == "extension":
        for entry in machine["extensions"]:
            if entry["name"].lower() == rest.lower() and value == "ok":
                heal(entry)
        settle(machine)
        return
    node = machine[head]
    if head == "agent" and rest == "state":
        node["said"] = {}
    node[rest] = value


def heal(extension: Json) -> None:
    """Make an extension succeed."""
    extension |= {**SUCCEEDED, "message": "", "provisioning_state": "Succeeded"}
    extension["handler"] = {**READY, "message": "Plugin enabled"}


def settle(machine: Json) -> None:
    """A VM that was Failed only because of its extensions is Succeeded again when none is failed any more."""
    vm = machine["vm"]
    if vm["provisioning_state"] == "Failed" and not any(extension_failed(entry) for entry in machine["extensions"]):
        vm |= {"provisioning_state": "Succeeded", "provisioning_code": "", "provisioning_message": ""}
