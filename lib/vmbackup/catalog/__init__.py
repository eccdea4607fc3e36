"""Every sentence and every limit, with its source: what the YAML files in ``data`` say."""

from vmbackup.catalog.entries import Entries, causes, checks, sections, sources
from vmbackup.catalog.reading import parse, read
from vmbackup.catalog.rules import LANGUAGES, check_keys, check_texts, placeholders
from vmbackup.catalog.texts import fill, next_action, sentence, text, ui

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
