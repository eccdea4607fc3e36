"""Looks up one VM's rows in the lists, by keys such as the resource id."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from vmbackup.arm.errors import Unreadable
from vmbackup.arm.wire import text
from vmbackup.collectors.jobs import vm_of
from vmbackup.fleet.inventory.lists import Lists, Rows

_Row = TypeVar("_Row")


class ListIndex:
    """The lists, indexed by the keys under which a VM is looked up. An index is made when it is first needed."""

    def __init__(self, lists: Lists) -> None:
        self.lists = lists
        self._indexes: dict[tuple[str, str, Callable[[Any], str]], dict[str, list[int]]] = {}
        self._read: dict[tuple[str, str], list[Any]] = {}

    def rows(self, what: str, scope: str, name: str, key: Callable[[Any], str]) -> tuple[list[Any], Rows]:
        """The rows whose key is this name, with their list. Raises KeyError where there is no such list."""
        listed = self.listed(what, scope)
        index = self._indexes.get((what, scope.lower(), key))
        if index is None:
            index = {}
            for number, row in enumerate(listed.entries):
                index.setdefault(key(row).lower().rstrip("/"), []).append(number)
            self._indexes[what, scope.lower(), key] = index
        return [listed.entries[number] for number in index.get(name.lower().rstrip("/"), ())], listed

    def read(self, what: str, scope: str, reader: Callable[[Any], _Row]) -> list[_Row]:
        """What all rows of a list say, read once. Raises KeyError where there is no such list."""
        key = (what, scope.lower())
        if key not in self._read:
            self._read[key] = list(map(reader, self.listed(what, scope).entries))
        return self._read[key]

    def row(self, what: str, scope: str, name: str, key: Callable[[Any], str]) -> tuple[Any, Rows]:
        """The first of them. Raises KeyError where there is none."""
        found, listed = self.rows(what, scope, name, key)
        if not found:
            raise KeyError(name)
        return found[0], listed

    def listed(self, what: str, scope: str) -> Rows:
        """A list. Raises KeyError where there is none."""
        found = self.lists.of(what, scope)
        if found is None:
            raise KeyError(what)
        return found

    def whole(self, what: str, scope: str) -> Rows:
        """A list that was read to its end. Raises KeyError for any other."""
        found = self.listed(what, scope)
        if found.is_cut:
            raise KeyError(what)
        return found


def own_id(row: Any) -> str:
    """The resource id of a row."""
    return text(row, "id") or ""


def source_id(row: Any) -> str:
    """The id of the VM that a protected item is of."""
    return text(row, "properties", "sourceResourceId") or text(row, "properties", "virtualMachineId") or ""


def vm_above(row: Any) -> str:
    """The id of the VM that a resource below it belongs to."""
    return own_id(row).lower().partition("/extensions/")[0].partition("/providers/microsoft.resourcehealth/")[0]


def job_vm(row: Any) -> str:
    """Group and name of a job's VM. Raises Unreadable for a job that names none: it could be any VM's."""
    group, name = vm_of(row)
    if not name:
        raise Unreadable("a job does not say which VM it is about")
    return f"{group or '*'};{name}"
