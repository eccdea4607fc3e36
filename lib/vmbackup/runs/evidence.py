"""Evidence as JSON: what was found out about one VM, so that anyone can run the same runbook over it later."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import asdict, fields, replace
from typing import Any

from vmbackup import sanitize
from vmbackup.facts import schema
from vmbackup.facts.azure import FACTS
from vmbackup.facts.guest import GUEST_FACTS
from vmbackup.facts.linux import FACTS_LINUX
from vmbackup.facts.windows import FACTS_WINDOWS
from vmbackup.model import Evidence, Fact, FactStatus, SetupError, Target
from vmbackup.runs import storage

SCHEMA = "vmbackup.evidence/1"
_FIELDS = tuple(field.name for field in fields(Fact))
SHAPES = {**FACTS, **GUEST_FACTS, **FACTS_LINUX, **FACTS_WINDOWS}


def load_evidence(place: str) -> tuple[Target, dict[str, Fact]]:
    """Read the evidence that an operator named, by path or URL. Raises SetupError for a file that is missing, damaged,
    foreign or too large."""
    try:
        content = storage.read_input(place)
    except (OSError, ImportError, ValueError) as error:
        raise unread(place, error) from None
    return parse_evidence(content, place)


def read_file(place: str, name: str, largest: int = storage.LARGEST) -> bytes | None:
    """A file of a run folder, on this machine or behind an fsspec URL; None where there is none. Raises SetupError."""
    try:
        return storage.at(place).read(name, largest)
    except (OSError, ImportError, ValueError) as error:
        raise unread(f"{place}/{name}", error) from None


def unread(place: str, error: Exception) -> SetupError:
    """To be raised where this file or folder cannot be read, for what the system or the store says."""
    return SetupError("error.evidence_unread", file=place, message=storage.why(error))


def parse_evidence(
    content: bytes, name: str = "evidence.json", only: Collection[str] | None = None
) -> tuple[Target, dict[str, Fact]]:
    """The VM and the facts, or only those, in the content of ``evidence.json``. Raises SetupError for damaged or
    foreign content."""
    try:
        saved = json.loads(content)
    except (ValueError, RecursionError):
        raise SetupError("error.evidence_no_json", file=name) from None
    if not isinstance(saved, dict) or saved.get("schema") != SCHEMA:
        found = saved.get("schema") if isinstance(saved, dict) else None
        raise SetupError("error.evidence_schema", file=name, found=repr(found), expected=repr(SCHEMA))
    try:
        target = Target(**saved["target"])
        facts = {str(key): _fact(value) for key, value in saved["facts"].items() if only is None or key in only}
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        damage = f"{type(error).__name__}: {sanitize.text(error)}"
        raise SetupError("error.evidence_damaged", file=name, message=damage) from None
    if not facts:
        raise SetupError("error.evidence_empty", file=name)
    return target, {key: _shaped(name, key, fact) for key, fact in facts.items()}


def _shaped(name: str, key: str, fact: Fact) -> Fact:
    """The fact in the shape that checks rely on. What an older version did not ask yet is unread."""
    if key not in SHAPES or (fact.status is not FactStatus.OK and fact.data is None):
        return fact
    data = schema.coerce(fact.data, SHAPES[key])
    fault = schema.error(data, SHAPES[key], key)
    if fault:
        raise SetupError("error.evidence_damaged", file=name, message=sanitize.text(fault))
    return replace(fact, data=data)


def evidence_json(target: Target, evidence: Evidence) -> dict[str, Any]:
    """The content of ``evidence.json``; it shares the facts' data."""
    facts = {name: {field: getattr(fact, field) for field in _FIELDS} for name, fact in sorted(evidence.items())}
    return {"schema": SCHEMA, "target": asdict(target), "facts": facts}


def evidence_text(target: Target, evidence: Evidence) -> str:
    """``evidence.json`` as it is written: harmless, and each fact on a line of its own."""
    content = sanitize.data(evidence_json(target, evidence))
    head = "".join(f"{_line(name)}: {_line(content[name])},\n" for name in ("schema", "target"))
    return f'{{\n{head}"facts": {in_lines(content["facts"])}\n}}\n'


def in_lines(content: Mapping[str, Any]) -> str:
    """An object in JSON with each of its members on a line of its own: json's own indent is many times slower."""
    members = ",\n".join(f"{_line(name)}: {_line(member)}" for name, member in content.items())
    return f"{{\n{members}\n}}"


def _line(content: Any) -> str:
    return json.dumps(content, ensure_ascii=False, sort_keys=True)


def _fact(saved: dict[str, Any]) -> Fact:
    taken_at, why = saved["taken_at"], saved["why"]
    details = {str(name): str(value) for name, value in saved["details"].items()}
    if not all(word is None or isinstance(word, str) for word in (taken_at, why)):
        raise TypeError("taken_at and why must be texts")
    return Fact(
        FactStatus(saved["status"]),
        saved["data"],
        why,
        details,
        tuple(str(request) for request in saved["how"]),
        taken_at,
        int(saved["took_ms"]),
    )
