"""What the catalogue knows of causes, checks, sections and sources: ``data/*.yaml``, loaded once, refused where it
contradicts itself."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Any

from vmbackup.catalog.reading import read
from vmbackup.catalog.rules import check_keys, check_known, check_texts
from vmbackup.model import CatalogError

_CAUSE = {"title", "addition", "article_title", "checks", "what", "superseded", "sources", "as_of"}
_CHECK = {"title", "sources", "as_of", "needs_guest", "weight", "texts", "next"}
_WEIGHTS = ("seen", "rule", "general", "symptom")
_SECTION = {"title", "notebook", "causes", "additions", "intro", "sources", "as_of"}
_SOURCE = {"title", "url", "date"}
_SUPERSEDED = {"said", "today", "sources"}
_DATE = re.compile(r"\d{4}-\d\d-\d\d")
Entries = Mapping[str, Mapping[str, Any]]


@cache
def causes() -> Entries:
    """``{id: {title, addition, article_title, checks, what, superseded, sources, as_of}}``, article first."""
    file = "causes.yaml"
    entries = _entries(file, _CAUSE)
    for cause, entry in entries.items():
        where = f"{file}: {cause}"
        check_texts({key: entry[key] for key in ("title", "what")}, where)
        check_sourced(entry, where)
        for change in entry["superseded"]:
            check_keys(change, _SUPERSEDED, f"{where}.superseded")
            check_texts({key: change[key] for key in ("said", "today")}, f"{where}.superseded")
            check_known(change["sources"], sources(), f"{where}.superseded.sources")
        check_known(entry["checks"], checks(), f"{where}.checks")
    return entries


@cache
def checks() -> Entries:
    """``{id: {title, sources, as_of, needs_guest, weight, texts, next}}`` of ``checks.yaml`` and
    ``checks_additions.yaml``; ``weight`` is what a problem says of a failure: a word, or one for each reason."""
    merged: dict[str, Mapping[str, Any]] = {}
    for file in ("checks.yaml", "checks_additions.yaml"):
        for check, given in read(file).items():
            where, entry = f"{file}: {check}", {"weight": "seen", **given}
            check_keys(entry, _CHECK, where)
            if check in merged:
                raise CatalogError(f"{where} is already in checks.yaml")
            check_texts({"title": entry["title"], **entry["texts"], **entry["next"]}, where)
            check_known(_weights(entry["weight"]), _WEIGHTS, f"{where}.weight")
            check_sourced(entry, where)
            merged[check] = entry
    return merged


def _weights(given: object) -> list[object]:
    return list(given.values()) if isinstance(given, Mapping) else [given]


@cache
def sections() -> Entries:
    """``{id: {title, notebook, causes, additions, intro, sources, as_of}}``."""
    file = "sections.yaml"
    entries = _entries(file, _SECTION)
    for section, entry in entries.items():
        where = f"{file}: {section}"
        check_texts({key: entry[key] for key in ("title", "intro")}, where)
        check_sourced(entry, where)
        for key in ("causes", "additions"):
            check_known(entry[key], causes(), f"{where}.{key}")
        for cause in entry["causes"]:
            if causes()[cause]["addition"]:
                raise CatalogError(f"{where}.causes: the article does not know {cause}")
    return entries


@cache
def sources() -> Entries:
    """``{key: {title, url, date}}``: the sources of statements."""
    return _entries("sources.yaml", _SOURCE)


def _entries(file: str, keys: set[str]) -> dict[str, Mapping[str, Any]]:
    data = read(file)
    for name, entry in data.items():
        check_keys(entry, keys, f"{file}: {name}")
    return data


def check_sourced(entry: Mapping[str, Any], where: str) -> None:
    """Raises CatalogError unless the entry names known sources and the date on which it was checked."""
    check_known(entry["sources"], sources(), f"{where}.sources")
    if not entry["sources"]:
        raise CatalogError(f"{where}.sources is empty")
    if not isinstance(entry["as_of"], str) or not _DATE.fullmatch(entry["as_of"]):
        raise CatalogError(f'{where}.as_of must be quoted, like "2026-11-23"')
