"""Whether data has the shape a TypedDict promises: saved evidence is checked before anything judges it."""

from __future__ import annotations

import math
import types
from typing import Any, Union, get_args, get_origin, get_type_hints, is_typeddict


def mismatch(data: object, shape: Any, where: str = "data") -> str | None:
    """The first place where ``data`` is not of this shape, in words, or None when all of it fits.

    >>> mismatch(["443", 80], list[str])
    'data[1]: expected str, found int'
    """
    if shape is Any:
        return None
    if is_typeddict(shape):
        return _record(data, shape, where)
    origin, arguments = get_origin(shape), get_args(shape)
    if origin in (Union, types.UnionType):
        faults = [mismatch(data, choice, where) for choice in arguments]
        return None if None in faults else faults[0]
    if origin in (list, tuple):
        return _sequence(data, arguments, where)
    if origin is dict:
        return _mapping(data, arguments[1], where)
    return _scalar(data, shape, where)


def _record(data: object, shape: Any, where: str) -> str | None:
    if not isinstance(data, dict):
        return _expected("an object", data, where)
    for key, kind in get_type_hints(shape).items():
        if key not in data:
            return f"{where}: {key} is missing"
        fault = mismatch(data[key], kind, f"{where}.{key}")
        if fault:
            return fault
    return None


def _sequence(data: object, arguments: tuple[Any, ...], where: str) -> str | None:
    if not isinstance(data, (list, tuple)):
        return _expected("a list", data, where)
    kinds = arguments if len(arguments) > 1 else arguments * len(data)
    if len(kinds) != len(data):
        return f"{where}: expected {len(kinds)} entries, found {len(data)}"
    faults = (mismatch(item, kind, f"{where}[{i}]") for i, (item, kind) in enumerate(zip(data, kinds, strict=True)))
    return next((fault for fault in faults if fault), None)


def _mapping(data: object, kind: Any, where: str) -> str | None:
    if not isinstance(data, dict):
        return _expected("an object", data, where)
    faults = (mismatch(item, kind, f"{where}.{key}") for key, item in data.items())
    return next((fault for fault in faults if fault), None)


def _scalar(data: object, kind: Any, where: str) -> str | None:
    if kind is float and type(data) is int:
        return None
    fits = data is None if kind is type(None) else type(data) is kind
    if isinstance(data, float) and not math.isfinite(data):
        return f"{where}: {data} is no number"
    return None if fits else _expected(getattr(kind, "__name__", str(kind)), data, where)


def _expected(what: str, data: object, where: str) -> str:
    return f"{where}: expected {what}, found {type(data).__name__}"
