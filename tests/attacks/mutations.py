"""One field of an answer is gone, null or of another type: no collector fails, and no verdict gets better by it."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from attacks.attack import Attack, Case
from attacks.faults import ANSWERS
from attacks.near_worlds import WORLDS, behind, better, examined
from in_process import Sent
from vmbackup.facts import schema
from vmbackup.facts.azure import FACTS
from vmbackup.model import FactStatus

Path = tuple[str | int, ...]
WAYS: dict[str, Callable[[Any], Any]] = {
    "null": lambda _: None,
    "a number": lambda value: 7 if isinstance(value, (list, dict, str)) else [7],
    "a list": lambda value: ["strange"],
    "an object": lambda value: {"strange": value},
}


def fields(wire: Any, path: Path = ()) -> Iterator[Path]:
    """The place of every value inside a JSON document."""
    inner = wire.items() if isinstance(wire, dict) else enumerate(wire) if isinstance(wire, list) else ()
    for key, value in inner:
        yield (*path, key)
        yield from fields(value, (*path, key))


def mutated(wire: Any, path: Path, way: str) -> Any:
    """The document with one value changed; as it was where it has no such place."""
    changed = copy.deepcopy(wire)
    holder = changed
    try:
        for key in path[:-1]:
            holder = holder[key]
        if way == "gone":
            del holder[path[-1]]
        else:
            holder[path[-1]] = WAYS[way](holder[path[-1]])
    except (KeyError, IndexError, TypeError):
        return wire
    return changed


def cases() -> list[Case]:
    """Every field of every answer in every world, in every way."""
    return [
        (world, line, path, way)
        for world in WORLDS
        for line, sent in examined(world).answers.items()
        if _facts_of(line)
        for path in fields(_json(sent))
        for way in ("gone", *WAYS)
        # An entry of a list that is gone makes another list, which is as good.
        if way != "gone" or isinstance(path[-1], str)
    ]


def attempt(world: str, line: str, path: Path, way: str) -> list[str]:
    """Change this field whenever this request is answered."""
    known = examined(world)
    after = known.worsened(
        behind(_facts_of(line)), lambda asked, sent: _damaged(sent, path, way) if asked == line else sent
    )
    if after is None:
        return []
    misshapen = [
        f"{name}: {fault}"
        for name, fact in after.items()
        if name in FACTS and fact.status is FactStatus.OK and (fault := schema.error(fact.data, FACTS[name], name))
    ]
    fallen = [f"{name}: {fact.details}" for name, fact in after.items() if fact.why == "unexpected"]
    return misshapen + fallen + better(known.evidence, after)


def _damaged(sent: Sent, path: Path, way: str) -> Sent:
    return replace(sent, data=json.dumps(mutated(_json(sent), path, way)).encode(), promised=None)


def _json(sent: Sent) -> Any:
    try:
        return json.loads(sent.data)
    except ValueError:
        return None


def _facts_of(line: str) -> set[str]:
    found = {fact for fact, pattern in ANSWERS.items() if re.search(pattern, line, re.IGNORECASE)}
    if "operations" in found:
        found |= {"network.rules", "network.routes"}
    return found - {"operations"}


ATTACK = Attack("no mutation of one field makes a verdict better", cases, attempt)
