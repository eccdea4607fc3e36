"""Every sentence and every limit, with its source: what the YAML files in ``data`` say."""

from vmbackup.catalog.entries import (
    LANGUAGES,
    Entries,
    causes,
    check_keys,
    check_texts,
    checks,
    fill,
    next_action,
    parse,
    placeholders,
    read,
    sections,
    sentence,
    sources,
    text,
    ui,
)

__all__ = [
    "LANGUAGES",
    "Entries",
    "causes",
    "check_keys",
    "check_texts",
    "checks",
    "fill",
    "next_action",
    "parse",
    "placeholders",
    "read",
    "sections",
    "sentence",
    "sources",
    "text",
    "ui",
]
