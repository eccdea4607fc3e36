"""The one table of signatures: every known sign of a failure, wherever it shows, and what it means.

``data/signatures.yaml`` holds it; ``failures/signatures.py`` recognises the signs. A mistake raises CatalogError.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from typing import Any

from vmbackup.catalog.entries import causes, check_sourced
from vmbackup.catalog.entries import sections as known_sections
from vmbackup.catalog.reading import read
from vmbackup.catalog.rules import LANGUAGES, check_keys, check_known, check_texts
from vmbackup.model import CatalogError, Word

FILE = "signatures.yaml"
PLACES = (
    *("job", "health", "extension", "agent", "platform", "run_command"),
    *("agent_log", "extension_log", "windows_log", "serial", "event"),
)
"""Where a sign can show: a failed job (also what the operator pasted), the vault item's health, the status of an
extension, the agent's state, the VM's own state, an answer of Run Command, the logs of the Linux agent, of the Linux
extension and of both on Windows, the serial log, an event of Windows."""

_REQUIRED = {"in", "causes", "strength", "means", "sources", "as_of"}
_OPTIONAL = {"check", "codes", "ordinary", "integers", "statuses", "messages", "inside", "patterns", "flag"}
_OPTIONAL |= {"sections", "also"}
# Codes and log lines change less often than limits.
_REVIEWED_AFTER = timedelta(days=2 * 365)
_DISTINGUISHING = re.compile(r"\[([^\[\]]+)\]")
# A group or a dot that repeats can take time that grows with the square of a line's length, or worse.
_NOT_LINEAR = re.compile(r"(?<!\\)[.)][*+{]|[*+}][*+{]|\(\?[=!<:]|\\[1-9]")


class Strength(Word):
    """How strong a sign is. ``names``: what is wrong; ``points``: it fits that cause; ``wrapper``: only that something
    failed, the text inside decides; ``consequence``: it follows from something else; ``harmless``: no failure at all.
    """

    NAMES = "names"
    POINTS = "points"
    WRAPPER = "wrapper"
    CONSEQUENCE = "consequence"
    HARMLESS = "harmless"


@dataclass(frozen=True, slots=True)
class Message:
    """A message as Azure writes it, and the part of it that distinguishes it from others (``[…]`` in the table)."""

    text: str
    distinguishing: str


@dataclass(frozen=True, slots=True)
class Signature:
    """One known sign. What it is recognised by:

    ``codes`` string codes (``ordinary``: also common codes of Azure Resource Manager, which count alone and not inside
    a text), ``integers`` Azure Backup's numbers, ``statuses`` those of the backup extension, ``messages`` words in any
    language, ``inside`` words inside a code that nobody knows, ``patterns`` regular expressions that must all match in
    one line of a log, ``flag`` a fact of the serial log. ``sections`` are the runbooks it belongs to, ``also`` the
    next best ones.
    """

    id: str
    places: frozenset[str]
    causes: tuple[str, ...]
    strength: Strength
    means: Mapping[str, str]
    check: Mapping[str, str] | None
    sources: tuple[str, ...]
    as_of: str
    codes: tuple[str, ...] = ()
    ordinary: bool = False
    integers: tuple[int, ...] = ()
    statuses: tuple[int, ...] = ()
    messages: tuple[Message, ...] = ()
    inside: tuple[str, ...] = ()
    patterns: tuple[str, ...] = ()
    flag: str | None = None
    sections: tuple[str, ...] = ()
    also: tuple[str, ...] = ()

    @property
    def review(self) -> date:
        """The day of its next review."""
        return date.fromisoformat(self.as_of) + _REVIEWED_AFTER

    @property
    def cause(self) -> str | None:
        """The cause, where it points to exactly one."""
        return self.causes[0] if len(self.causes) == 1 else None


@cache
def signatures() -> Mapping[str, Signature]:
    """The whole table by id, in the file's order."""
    return load(read(FILE))


def load(entries: Mapping[str, Any]) -> Mapping[str, Signature]:
    """The signatures of these entries. Raises CatalogError for what is incomplete, unsourced or duplicated."""
    table = {id: _signature(id, entry) for id, entry in entries.items()}
    for key in ("codes", "integers", "statuses", "inside", "flag"):
        _once(key, table.values())
    return table


def _signature(id: str, entry: Mapping[str, Any]) -> Signature:
    where = f"{FILE}: {id}"
    check_keys(entry, _REQUIRED | _OPTIONAL.intersection(entry), where)
    check_sourced(entry, where)
    check_known(entry["in"], PLACES, f"{where}.in")
    check_known(entry["causes"], causes(), f"{where}.causes")
    check_known([entry["strength"]], [str(each) for each in Strength], f"{where}.strength")
    for key in ("sections", "also"):
        check_known(entry.get(key, []), known_sections(), f"{where}.{key}")
    strength = Strength(entry["strength"])
    if strength is not Strength.HARMLESS and "check" not in entry:
        raise CatalogError(f"{where} lacks check")
    check_texts({key: entry[key] for key in ("means", "check") if key in entry}, where)
    if strength in (Strength.POINTS, Strength.CONSEQUENCE) and not entry["causes"]:
        raise CatalogError(f"{where}: a sign that is {strength} has causes")
    if strength in (Strength.WRAPPER, Strength.HARMLESS) and entry["causes"]:
        raise CatalogError(f"{where}: a sign that is {strength} has no causes")
    for pattern in entry.get("patterns", []):
        _check_pattern(pattern, where)
    return Signature(
        id,
        frozenset(entry["in"]),
        tuple(entry["causes"]),
        strength,
        entry["means"],
        entry.get("check"),
        tuple(entry["sources"]),
        entry["as_of"],
        tuple(entry.get("codes", ())),
        entry.get("ordinary", False),
        tuple(entry.get("integers", ())),
        tuple(entry.get("statuses", ())),
        _messages(entry.get("messages", {}), where),
        tuple(entry.get("inside", ())),
        tuple(entry.get("patterns", ())),
        entry.get("flag"),
        tuple(entry.get("sections", ())),
        tuple(entry.get("also", ())),
    )


def _messages(entry: Mapping[str, Any], where: str) -> tuple[Message, ...]:
    if entry:
        check_keys(entry, set(LANGUAGES), f"{where}.messages")
    every = dict.fromkeys(message for language in entry for message in entry[language])
    return tuple(map(_message, every))


def _message(written: str) -> Message:
    found = _DISTINGUISHING.search(written)
    text = _DISTINGUISHING.sub(r"\1", written)
    return Message(text, found.group(1) if found else text)


def _check_pattern(pattern: str, where: str) -> None:
    """One dialect for awk, Python and .NET, in which no line takes longer than its length: a list of two patterns
    stands for "first … second"."""
    if (
        pattern != pattern.strip()
        or "/" in pattern
        or "'" in pattern
        or " && " in pattern
        or _NOT_LINEAR.search(pattern)
    ):
        raise CatalogError(f"{where}: the pattern {pattern} has a slash, a quote, a blank at its end, or may take long")
    try:
        re.compile(pattern)
    except re.error as error:
        raise CatalogError(f"{where}: the pattern {pattern} is none: {error}") from None


def _once(key: str, table: Iterable[Signature]) -> None:
    seen: dict[object, str] = {}
    for signature in table:
        value = getattr(signature, key)
        for each in value if isinstance(value, tuple) else (value,) if value else ():
            name = each.lower() if key == "codes" else each
            if name in seen:
                raise CatalogError(f"{FILE}: {signature.id}.{key}: {each} is already in {seen[name]}")
            seen[name] = signature.id
