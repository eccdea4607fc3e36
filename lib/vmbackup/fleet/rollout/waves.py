"""In which order VMs are changed: one, then a few, then the rest in waves of limited width. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from vmbackup.runs.rollout import Planned

FEW = 5
"""How many VMs the wave after the first changed VM has."""


def next_wave(waiting: Sequence[Planned], changed: int, width: int) -> list[Planned]:
    """The next VMs in their order. ``changed`` is how many were changed already: while it is 0, the wave is one VM;
    after the first, FEW; then ``width`` at most. A VM that was left out does not count, as it shows nothing of what the
    remedy does.

    The VMs of a wave are changed at the same time, so no two of them share a resource.
    """
    size = {0: 1, 1: min(FEW, width)}.get(changed, width)
    by_resource: dict[str, Planned] = {}
    for vm in waiting:
        if len(by_resource) < size:
            by_resource.setdefault(vm["resource"].lower(), vm)
    return list(by_resource.values())


def waves(vms: Sequence[Planned], width: int) -> list[list[Planned]]:
    """All waves, if no VM is left out."""
    waiting, found, changed = list(vms), list[list[Planned]](), 0
    while waiting:
        found.append(next_wave(waiting, changed, width))
        changed += len(found[-1])
        taken = {vm["name"] for vm in found[-1]}
        waiting = [vm for vm in waiting if vm["name"] not in taken]
    return found
