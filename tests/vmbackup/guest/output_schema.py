"""The JSON Schema of the guest document, made from the shapes of its facts.

Usage, after a change of a shape: ``python tests/vmbackup/guest/output_schema.py`` writes ``output.schema.json`` anew.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints, is_typeddict

from vmbackup.guest.document import shapes

FILE = Path(__file__).parents[3] / "lib" / "vmbackup" / "guest" / "scripts" / "output.schema.json"
_PLAIN = {str: "string", int: "integer", float: "number", bool: "boolean"}
_TEXT = {"type": "string", "maxLength": 200}
_ABOUT: dict[str, Any] = {
    "v": {"const": 1},
    "script": {"const": 2},
    "os": {"enum": ["windows", "linux"]},
    "vm_id": {"type": ["string", "null"]},
    "host": {"type": ["string", "null"]},
    "at": {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$"},
    "root": {"type": "boolean"},
    "took_ms": {"type": "integer", "minimum": 0},
    "errors": {"type": "array", "items": _TEXT},
    "cut": {"type": "array", "items": {"type": "string"}},
}


def schema() -> dict[str, Any]:
    """The whole document."""
    sections = {**shapes("windows"), **shapes("linux")}
    facts = {"type": "object", "properties": {key: _schema_of(sections[key]) for key in sorted(sections)}}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "vmbackup guest document, version 1",
        "description": "What a guest script prints, between its markers. A key that is missing counts as null.",
        "type": "object",
        "required": [*_ABOUT, "facts"],
        "properties": {**_ABOUT, "facts": facts},
    }


def _schema_of(shape: Any) -> dict[str, Any]:
    """No key is required, because a missing one counts as null."""
    if is_typeddict(shape):
        hints = get_type_hints(shape)
        return {"type": "object", "properties": {key: _schema_of(kind) for key, kind in hints.items()}}
    if shape in _PLAIN:
        return {"type": _PLAIN[shape]}
    arguments = get_args(shape)
    if get_origin(shape) is Literal:
        return {"enum": list(arguments)}
    if get_origin(shape) is list:
        return {"type": "array", "items": _schema_of(arguments[0])}
    if get_origin(shape) is dict:
        return {"type": "object", "additionalProperties": _schema_of(arguments[1])}
    return _or_null(_schema_of(arguments[0]))


def _or_null(known: dict[str, Any]) -> dict[str, Any]:
    if "enum" in known:
        return {"enum": [*known["enum"], None]}
    if known["type"] == "object":
        return {"anyOf": [known, {"type": "null"}]}
    return {**known, "type": [known["type"], "null"]}


def text() -> str:
    """The file's content."""
    return json.dumps(schema(), indent=1) + "\n"


if __name__ == "__main__":
    FILE.write_text(text(), "utf-8")
