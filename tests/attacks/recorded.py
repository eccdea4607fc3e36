"""One field of a recorded answer is gone, null or of another type: its readers give the promised shape or refuse it."""

from __future__ import annotations

from typing import Any

from attacks.attack import Attack, Case
from attacks.mutations import WAYS, fields, mutated
from readers import READERS, wires
from recordings import recording, recordings
from vmbackup.arm.errors import Unreadable
from vmbackup.facts import schema
from vmbackup.facts.azure import FACTS


def cases() -> list[Case]:
    """Every recorded answer that a reader is meant for, in every way of changing a field; none without recordings."""
    kinds = tuple({kind for kind, _ in READERS.values() if kind})
    names = [each.name for each in recordings()]
    return [(name, way) for name in names if name.startswith(kinds) for way in ("gone", *WAYS)]


def attempt(name: str, way: str) -> list[str]:
    """Change each field of this answer in turn."""
    return [
        f"{path}: {said}"
        for wire in wires(recording(name))
        for path in fields(wire)
        for said in _misread(name, mutated(wire, path, way))
    ]


def _misread(name: str, wire: Any) -> list[str]:
    found = []
    for reader, (kind, read) in READERS.items():
        if not kind or not name.startswith(kind):
            continue
        fact = reader.partition(",")[0]
        try:
            data = read(wire)
        except Unreadable:
            continue
        except Exception as error:
            found.append(f"{reader}: {type(error).__name__}: {error}")
            continue
        if data is not None and (fault := schema.error(data, FACTS[fact], fact)):
            found.append(f"{reader}: {fault}")
    return found


ATTACK = Attack("no mutation of a recorded answer is misread or ends a reader", cases, attempt)
