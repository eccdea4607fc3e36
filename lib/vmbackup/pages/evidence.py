"""What a cause was judged on: of each fact the fields that its checks read, the finding's own first. Pure."""

from __future__ import annotations

import json
from typing import Any

from vmbackup import catalog, clock
from vmbackup.catalog.words import why
from vmbackup.checks.base import load
from vmbackup.checks.reading import fields_read
from vmbackup.model import SIGNS, Evidence, Fact, Step, by_weight, operating_system
from vmbackup.pages.blocks import Table
from vmbackup.sanitize import shortened

# The whole answer is in evidence.json.
_MOST_FIELDS, _LONGEST_VALUE = 8, 200


def table(judged: Step, evidence: Evidence, language: str) -> Table | None:
    """One row a fact that the step's checks read; None where there is none."""
    names = {name: None for finding in judged.findings for name in finding.evidence if name in evidence}
    fields = _fields(judged, evidence)
    header = [catalog.text(f"label.{column}", language) for column in ("fact", "decisive", "how", "when")]
    rows = [
        [
            name,
            _answer(evidence[name], fields.get(name, {}), language),
            "\n".join(evidence[name].how),
            _when(evidence[name]),
        ]
        for name in names
    ]
    return Table(header, rows) if rows else None


def _fields(judged: Step, evidence: Evidence) -> dict[str, dict[str, Any]]:
    """Of each fact what was read; what a finding names comes first."""
    checks, os = load(), operating_system(evidence)
    found: dict[str, dict[str, Any]] = {}
    named = [_worded(value) for finding in by_weight(judged.findings) for value in finding.values.values()]
    for finding in judged.findings:
        if finding.check == SIGNS:
            quoted = {str(finding.values["sign"]): finding.values["text"]} if "sign" in finding.values else {}
            read = dict.fromkeys(finding.evidence, quoted)
        else:
            read = fields_read(checks[finding.check], evidence, os)
        for name, fields in read.items():
            found.setdefault(name, {}).update(fields)

    def place(field: tuple[str, Any]) -> int:
        words = _worded(field[1])
        return named.index(words) if words in named else len(named)

    return {name: dict(sorted(fields.items(), key=place)) for name, fields in found.items()}


def _answer(fact: Fact, fields: dict[str, Any], language: str) -> str:
    if fact.why or not fact.answered:
        return why(fact, language)
    known = [f"{path}: {_worded(value)}" for path, value in fields.items() if value is not None]
    more = len(known) - _MOST_FIELDS
    rest = [catalog.text("label.more_fields", language, count=more)] if more > 0 else []
    return "\n".join([*known[:_MOST_FIELDS], *rest]) or catalog.text("label.nothing_decisive", language)


def _worded(value: Any) -> str:
    words = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return shortened(words, _LONGEST_VALUE)


def _when(fact: Fact) -> str:
    return clock.local(fact.taken_at) if fact.taken_at else ""
