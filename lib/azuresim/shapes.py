"""Shapes that YAML must have, as plain data, and what is wrong with what was given."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class OneOf(tuple[str, ...]):
    """One of these words."""


class Maps:
    """A mapping with free keys whose values have one shape."""

    def __init__(self, shape: Any) -> None:
        self.shape = shape


class Either(tuple[Any, ...]):
    """Any one of these shapes."""


def fault(given: Any, shape: Any, path: str = "") -> str | None:
    """The first thing in ``given`` that does not have this shape, in words that name its place; else None."""
    if isinstance(shape, Either):
        found = [fault(given, choice, path) for choice in shape]
        return None if None in found else max((words or "" for words in found), key=len)
    if shape is None:
        return None if given is None else f"{path} must be empty, not {given!r}"
    if isinstance(shape, OneOf):
        return None if given in shape else f"{path} is {given!r}, must be one of {', '.join(shape)}"
    if isinstance(shape, Maps):
        return _mapping_fault(given, dict.fromkeys(given, shape.shape) if isinstance(given, dict) else {}, path)
    if isinstance(shape, Mapping):
        return _mapping_fault(given, shape, path)
    if isinstance(shape, list):
        return _list_fault(given, shape[0], path)
    if shape is object:
        return None
    good = isinstance(given, shape) and (shape is bool or not isinstance(given, bool))
    return None if good else f"{path} has the wrong type: {given!r}"


def _mapping_fault(given: Any, shape: Mapping[str, Any], path: str) -> str | None:
    if not isinstance(given, dict):
        return f"{path or 'the world'} must be a mapping, not {given!r}"
    for key, value in given.items():
        where = f"{path}.{key}" if path else str(key)
        if key not in shape:
            return f"unknown key {where!r}; there are: {', '.join(sorted(shape))}"
        if found := fault(value, shape[key], where):
            return found
    return None


def _list_fault(given: Any, shape: Any, path: str) -> str | None:
    if not isinstance(given, list):
        return f"{path} must be a list, not {given!r}"
    for index, value in enumerate(given):
        if found := fault(value, shape, f"{path}[{index}]"):
            return found
    return None
