"""Brings the sections of a guest document into the shape of their facts: one bad section spoils no other. Pure."""

from __future__ import annotations

import types
from collections.abc import Mapping
from typing import Any, Union, get_args, get_origin, get_type_hints, is_typeddict

from vmbackup.facts.guest import GUEST_FACTS
from vmbackup.facts.linux import FACTS_LINUX
from vmbackup.facts.schema import mismatch
from vmbackup.facts.windows import FACTS_WINDOWS

_NOT_OF_THE_SCRIPT = frozenset({"guest.probe", "guest.boot_report", "guest.serial_log"})


def shapes(os: str) -> dict[str, object]:
    """The shape of every section that the script of this system may print, by its key (``clock``, ``services``)."""
    own = FACTS_WINDOWS if os == "windows" else FACTS_LINUX
    both = {name: shape for name, shape in GUEST_FACTS.items() if name not in _NOT_OF_THE_SCRIPT}
    return {name.removeprefix("guest."): shape for name, shape in {**both, **own}.items()}


def complete(os: str, sections: Mapping[str, object]) -> tuple[dict[str, Any], dict[str, str]]:
    """The sections in their exact shapes, and for each one that does not fit the place where it does not.

    A missing key becomes None, an unknown key or section is left out.
    """
    facts: dict[str, Any] = {}
    unreadable: dict[str, str] = {}
    for key, shape in shapes(os).items():
        if key not in sections:
            continue
        data = _filled(sections[key], shape)
        fault = mismatch(data, shape, key)
        if fault is None:
            facts[key] = data
        else:
            unreadable[key] = fault[:200]
    return facts, unreadable


def _filled(data: object, shape: Any) -> object:
    if isinstance(data, str):
        return data.encode("utf-8", "replace").decode("utf-8")
    if get_origin(shape) in (Union, types.UnionType):
        kinds = [kind for kind in get_args(shape) if kind is not type(None)]
        return _filled(data, kinds[0]) if data is not None and len(kinds) == 1 else data
    if is_typeddict(shape) and isinstance(data, dict):
        return {key: _filled(data.get(key), kind) for key, kind in get_type_hints(shape).items()}
    if get_origin(shape) is list and isinstance(data, list):
        return [_filled(item, get_args(shape)[0]) for item in data]
    if get_origin(shape) is dict and isinstance(data, dict):
        return {str(_filled(key, str)): _filled(item, get_args(shape)[1]) for key, item in data.items()}
    return data
