"""What a remedy changed, as its receipt shows it: before and after in one line. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from vmbackup import catalog, clock
from vmbackup.catalog.texts import has_text


def compared(before: Mapping[str, Any], after: Mapping[str, Any], language: str) -> list[list[str]]:
    """What was changed, before and after: ``["Agent", "Not Ready → Ready"]``; what stayed is said once."""
    was, now = _flat(before), _flat(after)
    rows = []
    for key in dict.fromkeys([*was, *now]):
        label = f"changed.{key}"
        values = dict.fromkeys(_value(each[key]) for each in (was, now) if key in each)
        rows.append([catalog.text(label, language) if has_text(label) else key, " → ".join(values)])
    return rows


def _flat(tree: Mapping[str, Any], above: str = "") -> dict[str, Any]:
    """The tree's leaves: ``{"agent": {"status": "Ready"}}`` is ``{"agent_status": "Ready"}``."""
    found: dict[str, Any] = {}
    for key, value in tree.items():
        found |= _flat(value, f"{above}{key}_") if isinstance(value, Mapping) else {f"{above}{key}": value}
    return found


def _value(value: Any) -> str:
    if value is None or value == "":
        return "–"
    return clock.local(value) if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
