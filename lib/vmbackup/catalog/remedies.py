"""Loads and validates ``remedies.yaml``: refuses what contradicts itself, the checks or the scripts."""

from __future__ import annotations

import re
from functools import cache
from importlib import resources
from pathlib import PurePath
from typing import Any

from vmbackup import catalog
from vmbackup.model import CatalogError

FILE = "remedies.yaml"
KINDS = ("azure_call", "guest_script", "manual")
RISKS = ("low", "medium", "high")
WORDS = ("title", "what", "risk_note", "undo", "portal", "duration", "superseded")
_KEYS = {
    *WORDS, "checks", "kind", "risk", "actions", "az", "powershell", "shell", "script", "os", "detached", "article",
    "sources", "as_of", "change", "stopgap",
}  # fmt: skip
NEEDS = ("running_vm", "agent")
RESOURCES = (
    "vm_id", "nsg_id", "route_table_id", "subnet_id", "vault_id", "item_id", "collection_id", "lock_id",
)  # fmt: skip
"""The values that are resource ids: what a change is made to, and what the path of its requests begins with."""
_CHANGE = {
    "resource", "needs", "breaks_backup", "deletes", "guarded", "interim_power", "continue_h", "requests",
}  # fmt: skip
_IN_THE_GUEST = ["POST {vm_id}/runCommand"]
_LONGEST_H = 24
_REQUEST = re.compile(rf"(PUT|POST|PATCH|DELETE) \{{({'|'.join(RESOURCES)})\}}(/([A-Za-z-]+|\{{[a-z_]+\}}))*")
_ACTION = re.compile(r"Microsoft\.[A-Za-z]+(/[A-Za-z]+)+")


@cache
def remedies() -> catalog.Entries:
    """``{id: {title, checks, kind, risk, actions, what, …}}`` in the order of the article, additions after it."""
    entries = catalog.read(FILE)
    for remedy, entry in entries.items():
        check(remedy, entry)
    return entries


def check(remedy: str, entry: Any) -> None:
    """Raises CatalogError that names the remedy and the wrong key."""
    where = f"{FILE}: {remedy}"
    catalog.check_keys(entry, _KEYS, where)
    catalog.check_texts({key: entry[key] for key in WORDS if entry[key] is not None}, where)
    for key, among in (("kind", KINDS), ("risk", RISKS), ("os", (None, "windows", "linux"))):
        if entry[key] not in among:
            raise CatalogError(f"{where}.{key}: {entry[key]!r} is not one of {', '.join(map(str, among))}")
    for name in entry["checks"]:
        _known_check(name, f"{where}.checks")
    for source in entry["sources"]:
        if source not in catalog.sources():
            raise CatalogError(f"{where}.sources: {source} is not in sources.yaml")
    if not isinstance(entry["as_of"], str):
        raise CatalogError(f'{where}.as_of must be quoted, like "2026-11-23"')
    for action in entry["actions"]:
        if not _ACTION.fullmatch(action):
            raise CatalogError(f"{where}.actions: {action!r} is no RBAC action")
    if (entry["kind"] == "guest_script") is not (entry["script"] is not None):
        raise CatalogError(f"{where}.script: a guest_script has one, no other kind has")
    if entry["script"] and not _script(entry["script"]).is_file():
        raise CatalogError(f"{where}.script: guest/{entry['script']} is not there")
    _check_flag(entry, "stopgap", where)
    if (entry["kind"] == "manual") is not (entry["change"] is None):
        raise CatalogError(f"{where}.change: null for what is done by hand, and only for that")
    if entry["change"] is not None:
        _check_change(entry["change"], entry["kind"], f"{where}.change")


def _check_change(change: Any, kind: str, where: str) -> None:
    catalog.check_keys(change, _CHANGE, where)
    for flag in ("breaks_backup", "deletes", "guarded"):
        _check_flag(change, flag, where)
    if change["resource"] not in RESOURCES:
        raise CatalogError(f"{where}.resource: {change['resource']!r} is not one of {', '.join(RESOURCES)}")
    if not set(change["needs"]) <= set(NEEDS):
        raise CatalogError(f"{where}.needs: {change['needs']} is not of {', '.join(NEEDS)}")
    if not isinstance(change["continue_h"], int) or not 1 <= change["continue_h"] <= _LONGEST_H:
        raise CatalogError(f"{where}.continue_h: {change['continue_h']!r} is no number of hours from 1 to {_LONGEST_H}")
    requests = change["requests"]
    wrong = [each for each in requests if not _REQUEST.fullmatch(each)]
    if wrong or not requests:
        raise CatalogError(f"{where}.requests: {wrong} is no METHOD {{resource}}/part/{{value}}")
    if change["deletes"] is not any(each.startswith("DELETE ") for each in requests):
        raise CatalogError(f"{where}.deletes: true where it sends DELETE, and only there")
    if kind == "guest_script" and (requests != _IN_THE_GUEST or set(change["needs"]) != set(NEEDS)):
        raise CatalogError(f"{where}: a guest script needs {', '.join(NEEDS)}, and sends {_IN_THE_GUEST[0]}")


def _check_flag(entry: Any, key: str, where: str) -> None:
    if not isinstance(entry[key], bool):
        raise CatalogError(f"{where}.{key}: {entry[key]!r} is neither true nor false")


def _known_check(name: str, where: str) -> None:
    check_id, _, reason = name.partition(":")
    if check_id not in catalog.checks():
        raise CatalogError(f"{where}: {check_id} is not known")
    if reason and reason not in catalog.checks()[check_id]["texts"]:
        raise CatalogError(f"{where}: {check_id} has no sentence for {reason}")


def words(remedy: str, key: str, language: str, **values: Any) -> str:
    """One text of a remedy; an unknown value is shown as a dash."""
    return catalog.fill(remedies()[remedy][key], language, values, f"{FILE}: {remedy}.{key}")


@cache
def placeholders(remedy: str) -> frozenset[str]:
    """The names in braces in the remedy's texts."""
    entry = remedies()[remedy]
    texts = [text for key in WORDS if entry[key] for text in entry[key].values()]
    return frozenset().union(*(catalog.placeholders(text) for text in texts))


def script(remedy: str) -> str:
    """The guest script's text: its name, what all scripts of its system share, and what it does.

    Raises KeyError for a remedy without one.
    """
    name = remedies()[remedy]["script"]
    if not name:
        raise KeyError(remedy)
    common, body = (_script(each).read_text("utf-8") for each in (f"remedy_common{PurePath(name).suffix}", name))
    named = f"$Remedy = '{remedy}'\n" if name.endswith(".ps1") else f"#!/bin/sh\nREMEDY={remedy}\n"
    return f"{named}{common}\n{body}"


def _script(name: str) -> Any:
    return resources.files("vmbackup.guest").joinpath("scripts").joinpath(name)
