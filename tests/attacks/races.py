"""Two processes change one VM at the same moment, over one run folder or two: it is changed once, the other is told."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from attacks.attack import Attack, Case
from attacks.children import BACK_UP, CONTEXT, Child
from cures import ALONE
from remedy_worlds import opened

ROUNDS = 20
_TOLD = ("Another run is changing", "has changed this VM since")


def cases() -> list[Case]:
    """Every command that changes something, twenty times over, half of them over one run folder."""
    worlds = {**ALONE, BACK_UP: "healthy_linux"}
    return [(remedy, world, 1 + number % 2, number) for remedy, world in worlds.items() for number in range(ROUNDS)]


def attempt(remedy: str, world: str, folders: int, number: int) -> list[str]:
    """Let two operators look, and then change at once."""
    with TemporaryDirectory() as folder, opened(world, Path(folder), operation_polls=15) as case:
        barrier = CONTEXT.Barrier(2)
        children = [Child(case, Path(folder, name), remedy, barrier) for name in ("a", "ab"[folders - 1])]
        told = [child.told() for child in children]
        sent = case.changing()
    refused = [each for each in told if any(words in each.words for words in _TOLD)]
    found = [f"sent twice: {each}" for each in set(sent) if sent.count(each) > 1]
    if len(refused) != 1 or not sent:
        found.append(f"{[each.words for each in told]}, {len(sent)} requests")
    return found


ATTACK = Attack("two processes change a VM once, and the second is told who is at it", cases, attempt)
