"""The words of the product: loads ``data/*.yaml``, refuses what contradicts itself, and fills sentences.

Nothing else in the product holds a sentence. Every text stands there in English and German side by side, with the same
placeholders; a mistake raises CatalogError, which names the file and the key to edit.
"""

from __future__ import annotations

import re
import string
from collections.abc import Container, Iterator, Mapping
from functools import cache
from importlib import resources
from typing import Any

import yaml

from vmbackup.model import CatalogError, Finding, Language

LANGUAGES = tuple(Language)

_CAUSE = {"title", "addition", "article_title", "checks", "what", "superseded", "sources", "as_of"}
_CHECK = {"title", "sources", "as_of", "needs_guest", "texts", "next"}
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
    """``{id: {title, sources, as_of, needs_guest, texts, next}}`` of ``checks.yaml`` and ``checks_additions.yaml``."""
    merged: dict[str, Mapping[str, Any]] = {}
    for file in ("checks.yaml", "checks_additions.yaml"):
        if file != "checks.yaml" and not _file(file).is_file():
            continue
        for check, entry in _entries(file, _CHECK).items():
            where = f"{file}: {check}"
            if check in merged:
                raise CatalogError(f"{where} is already in checks.yaml")
            check_texts({"title": entry["title"], **entry["texts"], **entry["next"]}, where)
            check_sourced(entry, where)
            merged[check] = entry
    return merged


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
    """``{key: {title, url, date}}``: where statements come from."""
    return _entries("sources.yaml", _SOURCE)


@cache
def ui() -> Mapping[str, Any]:
    """The words of the product itself, of remedies and of the guided walk, nested, each ending in ``{en, de}``."""
    merged: dict[str, Any] = {}
    for file in ("ui.yaml", "ui_errors.yaml", "ui_remedies.yaml", "ui_widgets.yaml", "ui_ticket.yaml"):
        words = read(file)
        check_texts(words, file)
        for key in words:
            if key in merged:
                raise CatalogError(f"{file}: {key} is already in ui.yaml")
        merged.update(words)
    return merged


def text(key: str, language: str, **values: Any) -> str:
    """The words of ``ui*.yaml`` under a dotted key such as ``why.missing_action``. Raises CatalogError when missing."""
    entry = _entry(key)
    if entry is None:
        raise CatalogError(f"ui.yaml: {key} is missing (or ui_*.yaml)")
    return fill(entry, language, values, f"ui.yaml: {key}")


def has_text(key: str) -> bool:
    """Whether ``ui*.yaml`` have words under this key."""
    return _is_text(_entry(key))


def _entry(key: str) -> Any:
    entry: Any = ui()
    for part in key.split("."):
        entry = entry.get(part) if isinstance(entry, Mapping) else None
    return entry


def sentence(finding: Finding, language: str) -> str:
    """The finding in words: the check's own sentence, else the engine's (``ui.yaml``, ``finding.…``)."""
    entry = checks()[finding.check]["texts"].get(finding.reason)
    if entry is None:
        values = {"why": "", **finding.values}
        return text(f"finding.{finding.reason}", language, **values).strip()
    return fill(entry, language, finding.values, f"checks.yaml: {finding.check}.texts.{finding.reason}")


def next_action(finding: Finding, language: str) -> str | None:
    """What to do about this finding: words for its reason, else for its verdict; None where there is nothing to do."""
    actions = checks()[finding.check]["next"]
    entry = actions.get(finding.reason) or actions.get(str(finding.verdict))
    if entry is None:
        return None
    return fill(entry, language, finding.values, f"checks.yaml: {finding.check}.next")


def placeholders(words: str) -> frozenset[str]:
    """The names in braces of a sentence. Raises ValueError for a sentence that cannot be filled."""
    return frozenset(name for _, name, _, _ in string.Formatter().parse(words) if name is not None)


# --- filling -------------------------------------------------------------------------------------------------------


def fill(entry: Any, language: str, values: Mapping[str, Any], where: str) -> str:
    """One text of a catalogue in words. Raises CatalogError that names ``where`` when a value is missing."""
    if not _is_text(entry):
        raise CatalogError(f"{where} is no text in {' and '.join(LANGUAGES)}")
    words: str = entry[language]
    try:
        return words.format(**{name: _worded(value, language) for name, value in values.items()})
    except (KeyError, IndexError) as error:
        raise CatalogError(f"{where}: no value for {error}") from None


def _worded(value: Any, language: str) -> str:
    """A value as words: one decimal for a fraction, in the language's own way, and a dash for nothing."""
    if value is None or value == "":
        return "–"
    if isinstance(value, float):
        words = f"{value:.1f}".removesuffix(".0")
        return words.replace(".", ",") if language == "de" else words
    if isinstance(value, (list, tuple)):
        return ", ".join(_worded(item, language) for item in value)
    return str(value)


# --- reading and refusing ------------------------------------------------------------------------------------------


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """YAML without duplicate keys, and without words that turn into dates or booleans behind our back."""


def _mapping(loader: _Loader, node: yaml.MappingNode) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key_node, value_node in node.value:
        key = loader.construct_object(key_node, deep=True)
        line = key_node.start_mark.line + 1
        if not isinstance(key, str):
            raise CatalogError(f"{loader.name}: line {line}: the key {key!r} must be quoted")
        if key in found:
            raise CatalogError(f"{loader.name}: line {line}: {key} stands there twice")
        found[key] = loader.construct_object(value_node, deep=True)
    return found


_Loader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)


def _file(name: str) -> Any:
    return resources.files("vmbackup.catalog").joinpath("data").joinpath(name)


def read(name: str) -> dict[str, Any]:
    """The mapping in one file of ``data``. Raises CatalogError."""
    return parse(_file(name).read_text("utf-8"), name)


def parse(content: str, name: str) -> dict[str, Any]:
    """The mapping that a YAML text holds. Raises CatalogError with the file's name for anything else."""
    loader = _Loader(content)
    loader.name = name
    try:
        data = loader.get_single_data()
    except yaml.YAMLError as error:
        raise CatalogError(f"{name}: {error}") from None
    finally:
        loader.dispose()
    if not isinstance(data, dict):
        raise CatalogError(f"{name}: expected a mapping at the top")
    return data


def _entries(file: str, keys: set[str]) -> dict[str, Mapping[str, Any]]:
    data = read(file)
    for name, entry in data.items():
        check_keys(entry, keys, f"{file}: {name}")
    return data


def check_keys(entry: Any, keys: set[str], where: str) -> None:
    """Raises CatalogError unless the entry is a mapping with exactly these keys."""
    if not isinstance(entry, Mapping):
        raise CatalogError(f"{where}: expected {', '.join(sorted(keys))}")
    for faults, word in ((keys - set(entry), "lacks"), (set(entry) - keys, "has the unknown key")):
        if faults:
            raise CatalogError(f"{where} {word} {', '.join(sorted(faults))}")


def check_sourced(entry: Mapping[str, Any], where: str) -> None:
    """Raises CatalogError unless the entry names known sources and the date on which it was checked."""
    check_known(entry["sources"], sources(), f"{where}.sources")
    if not entry["sources"]:
        raise CatalogError(f"{where}.sources is empty")
    if not isinstance(entry["as_of"], str) or not _DATE.fullmatch(entry["as_of"]):
        raise CatalogError(f'{where}.as_of must be quoted, like "2026-11-23"')


def check_known(names: Any, among: Container[str], where: str) -> None:
    """Raises CatalogError unless this is a list of names that are all known."""
    if not isinstance(names, list):
        raise CatalogError(f"{where} must be a list")
    for name in names:
        if name not in among:
            raise CatalogError(f"{where}: {name} is not known")


def _is_text(entry: Any) -> bool:
    return (
        isinstance(entry, Mapping) and set(entry) == set(LANGUAGES) and all(isinstance(w, str) for w in entry.values())
    )


def check_texts(tree: Any, where: str) -> None:
    """Raises CatalogError unless every leaf is a text in both languages, alike in placeholders, no HTML, no URL."""
    for path, entry in _leaves(tree, where):
        if not _is_text(entry):
            raise CatalogError(f"{path} must be a text in {' and '.join(LANGUAGES)}")
        for words in entry.values():
            if not words.strip() or "<" in words or "://" in words:
                raise CatalogError(f"{path}: a text has words, and neither HTML nor a URL")
        try:
            names = [placeholders(entry[language]) for language in LANGUAGES]
        except ValueError as error:
            raise CatalogError(f"{path}: {error}") from None
        if len(set(names)) > 1:
            raise CatalogError(
                f"{path}: the languages differ in placeholders: {' / '.join(map(str, map(sorted, names)))}"
            )


def _leaves(tree: Any, where: str) -> Iterator[tuple[str, Any]]:
    if not isinstance(tree, Mapping) or set(tree) & set(LANGUAGES):
        yield where, tree
        return
    for key, entry in tree.items():
        yield from _leaves(entry, f"{where}.{key}")
