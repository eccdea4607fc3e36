"""Whether data has the shape a TypedDict promises, and what of a guest document can be read in that shape. Pure."""

from __future__ import annotations

import math
import types
from functools import cache
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints, is_typeddict


def error(data: object, shape: Any, where: str = "data") -> str | None:
    """The first place where ``data`` is not of this shape, in words, or None when all of it fits.

    >>> error(["443", 80], list[str])
    'data[1]: expected str, found int'
    """
    if shape is Any:
        return None
    if type(shape) is type:  # most of what there is to look at
        return _scalar(data, shape, where)
    if is_typeddict(shape):
        return _record(data, shape, where)
    origin, arguments = get_origin(shape), get_args(shape)
    if origin in (Union, types.UnionType):
        if data is None and type(None) in arguments:
            return None
        faults = []
        for choice in arguments:
            faults.append(error(data, choice, where))
            if faults[-1] is None:
                return None
        return faults[0]
    if origin is Literal:
        return None if data in arguments else _expected(f"one of {', '.join(arguments)}", data, where)
    if origin in (list, tuple):
        return _sequence(data, arguments, where)
    if origin is dict:
        return _mapping(data, arguments[1], where)
    return _scalar(data, shape, where)


def coerce(data: object, shape: Any) -> object:
    """The data with everything unread that this version cannot read.

    A key that is missing, or a word that its vocabulary does not have, becomes None; an unknown key is left out. What
    then does not have the shape is of a wrong type, and :func:`error` names the place.

    >>> coerce("Läuft", Literal["Running", "Stopped"] | None)
    """
    if data is None or isinstance(data, (bool, int, float)):
        return data
    origin, arguments = get_origin(shape), get_args(shape)
    if origin in (Union, types.UnionType):
        kinds = [kind for kind in arguments if kind is not type(None)]
        return coerce(data, kinds[0]) if data is not None and len(kinds) == 1 else data
    if isinstance(data, str):
        unknown = origin is Literal and data not in arguments
        return None if unknown else data.encode("utf-8", "replace").decode("utf-8")
    if is_typeddict(shape) and isinstance(data, dict):
        return {key: coerce(data.get(key), kind) for key, kind in _fields(shape).items()}
    if origin is list and isinstance(data, list):
        return [coerce(item, arguments[0]) for item in data]
    if origin is dict and isinstance(data, dict):
        return {str(coerce(key, str)): coerce(item, arguments[1]) for key, item in data.items()}
    return data


def learn(shape: Any) -> None:
    """Work out the types of all fields in a shape before there is any data."""
    for kind in _fields(shape).values() if is_typeddict(shape) else get_args(shape):
        learn(kind)


@cache
def _fields(shape: Any) -> dict[str, Any]:
    """The fields of a record; to work out their types takes longer than to look at the data."""
    return get_type_hints(shape)


def _record(data: object, shape: Any, where: str) -> str | None:
    if not isinstance(data, dict):
        return _expected("an object", data, where)
    for key, kind in _fields(shape).items():
        if key not in data:
            return f"{where}: {key} is missing"
        fault = error(data[key], kind, f"{where}.{key}")
        if fault:
            return fault
    return None


def _sequence(data: object, arguments: tuple[Any, ...], where: str) -> str | None:
    if not isinstance(data, (list, tuple)):
        return _expected("a list", data, where)
    kinds = arguments if len(arguments) > 1 else arguments * len(data)
    if len(kinds) != len(data):
        return f"{where}: expected {len(kinds)} entries, found {len(data)}"
    faults = (error(item, kind, f"{where}[{i}]") for i, (item, kind) in enumerate(zip(data, kinds, strict=True)))
    return next((fault for fault in faults if fault), None)


def _mapping(data: object, kind: Any, where: str) -> str | None:
    if not isinstance(data, dict):
        return _expected("an object", data, where)
    faults = (error(item, kind, f"{where}.{key}") for key, item in data.items())
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
