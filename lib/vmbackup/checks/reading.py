"""Which fields of its facts a check read: what decided its verdict, without the rest of Azure's answer."""

from __future__ import annotations

from collections.abc import Callable, ItemsView, Iterator, Mapping, ValuesView
from dataclasses import replace
from typing import Any

from vmbackup.checks.base import Check, run
from vmbackup.model import Evidence

_Note = Callable[[str, Any], None]


def fields_read(check: Check, evidence: Evidence, os: str | None) -> dict[str, dict[str, Any]]:
    """By fact, each field that the check reads in this evidence, such as ``disks.0.size_gb``, with its value."""
    read: dict[str, dict[str, Any]] = {}
    watched = {}
    for name in check.evidence:
        if name in evidence and evidence[name].answered:
            fields = read.setdefault(name, {})
            watched[name] = replace(evidence[name], data=_watched(evidence[name].data, "", fields.__setitem__))
    run(check, {**evidence, **watched}, os)
    return {name: fields for name, fields in read.items() if fields}


def _watched(value: Any, path: str, note: _Note) -> Any:
    if isinstance(value, Mapping):
        return _Mapping(value, path, note)
    if isinstance(value, list):
        return _List(value, path, note)
    if path:
        note(path, value)
    return value


class _Mapping(dict[str, Any]):
    def __init__(self, data: Mapping[str, Any], path: str, note: _Note) -> None:
        super().__init__(data)
        self._path, self._note = path, note

    def __getitem__(self, key: str) -> Any:
        return _watched(super().__getitem__(key), f"{self._path}.{key}".lstrip("."), self._note)

    def __iter__(self) -> Iterator[str]:
        # Its own, so that a copy of the mapping reads through __getitem__, too.
        return super().__iter__()

    def get(self, key: str, default: Any = None) -> Any:
        return self[key] if key in self else default  # noqa: SIM401 (that would be this method)

    def items(self) -> Any:
        return ItemsView(self)

    def values(self) -> Any:
        return ValuesView(self)


class _List(list[Any]):
    def __init__(self, data: list[Any], path: str, note: _Note) -> None:
        super().__init__(data)
        self._path, self._note = path, note

    def _at(self, index: int, value: Any) -> Any:
        return _watched(value, f"{self._path}.{index}".lstrip("."), self._note)

    def __iter__(self) -> Iterator[Any]:
        return (self._at(index, value) for index, value in enumerate(super().__iter__()))

    def __getitem__(self, index: Any) -> Any:
        found = super().__getitem__(index)
        if not isinstance(index, slice):
            return self._at(index % len(self), found)
        return [self._at(at, value) for at, value in zip(range(*index.indices(len(self))), found, strict=True)]
