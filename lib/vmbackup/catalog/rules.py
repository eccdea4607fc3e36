"""Rules for every entry of the catalogue. A violation raises CatalogError, which names the key to edit."""

from __future__ import annotations

import string
from collections.abc import Container, Iterator, Mapping
from typing import Any

from vmbackup.model import CatalogError, Language

LANGUAGES = tuple(Language)


def placeholders(words: str) -> frozenset[str]:
    """The names in braces of a sentence. Raises ValueError for a sentence that cannot be filled."""
    found = [(name, forms) for _, name, forms, _ in string.Formatter().parse(words) if name is not None]
    for name, forms in found:
        if forms and forms.count("|") != 1:
            raise ValueError(f"{{{name}:{forms}}} has no singular and plural")
    return frozenset(name for name, _ in found)


def check_keys(entry: Any, keys: set[str], where: str) -> None:
    """Raises CatalogError unless the entry is a mapping with exactly these keys."""
    if not isinstance(entry, Mapping):
        raise CatalogError(f"{where}: expected {', '.join(sorted(keys))}")
    for faults, word in ((keys - set(entry), "lacks"), (set(entry) - keys, "has the unknown key")):
        if faults:
            raise CatalogError(f"{where} {word} {', '.join(sorted(faults))}")


def check_known(names: Any, among: Container[str], where: str) -> None:
    """Raises CatalogError unless this is a list of names that are all known."""
    if not isinstance(names, list):
        raise CatalogError(f"{where} must be a list")
    for name in names:
        if name not in among:
            raise CatalogError(f"{where}: {name} is not known")


def is_text(entry: Any) -> bool:
    """Whether this is a text in every language, and in no other."""
    return (
        isinstance(entry, Mapping) and set(entry) == set(LANGUAGES) and all(isinstance(w, str) for w in entry.values())
    )


def check_texts(tree: Any, where: str) -> None:
    """Raises CatalogError unless every leaf is a text in both languages, with the same placeholders, without HTML and
    URLs."""
    for path, entry in _leaves(tree, where):
        if not is_text(entry):
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
