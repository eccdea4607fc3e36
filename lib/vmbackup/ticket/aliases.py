"""Replaces names by aliases, the same one everywhere in a bundle. Pure.

Structure comes first: the names stand in Azure's resource ids and in known fields. From there they are replaced
wherever they occur as a whole. A name that is an ordinary word of the product's texts, such as ``snapshot``, is
replaced only where the structure says that it is a name: in a sentence it may be what a verdict is read from.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from functools import cache, cached_property
from importlib import resources
from typing import Any

from vmbackup import sanitize
from vmbackup.model import Word


class Level(Word):
    """What is replaced: nothing but secrets; names, addresses and people; every other id as well."""

    NONE = "none"
    STANDARD = "standard"
    STRICT = "strict"


# Where a resource id names something, and what its alias begins with. An extension's name says what it is, and stays.
_KINDS = {
    "subscriptions": "sub",
    "resourcegroups": "rg",
    "virtualmachines": "vm",
    "vaults": "vault",
    "networkinterfaces": "nic",
    "networksecuritygroups": "nsg",
    "virtualnetworks": "vnet",
    "subnets": "subnet",
    "routetables": "routes",
    "natgateways": "nat",
    "disks": "disk",
    "storageaccounts": "storage",
    "availabilitysets": "set",
}
_FIELDS = {
    "vm_name": "vm",
    "computer_name": "host",
    "subscription_id": "sub",
    "resource_group": "rg",
    "caller": "person",
    "who": "person",
    "private_ip": "ip",
    "policy_name": "policy",
}
# An action, such as Microsoft.Compute/disks/read, looks like the end of an id and names nothing.
_SEGMENT = re.compile(
    r"(?i)(?<!/providers/)\bMicrosoft\.\w+(?:/[\w*]+)+|"
    rf"(?P<type>/(?P<kind>{'|'.join(_KINDS)})/)(?P<name>[^/\s\"'<>;,?&|()\[\]{{}}]+)"
)
_PERSON = re.compile(r"(?<![\w.+-])[\w.+-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,8}")
_HOME = re.compile(r"(?i)(?:(?<![\w.-])/home/|/users/|\\users\\{1,2})(?P<name>[A-Za-z0-9._-]+)")
_NOBODY = {"public", "default", "shared", "all"}
_GUID = re.compile(r"(?i)(?<![0-9a-f-])[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}(?![0-9a-f-])")
# As Markdown in an executed notebook writes it.
_ESCAPED = re.compile(r"\\+_")
# Azure Backup's own group for restore points: a check reads its name.
_OF_AZURE = re.compile(r"(?i)azurebackuprg\\*_|\{|\*|<")


class Aliases:
    """The aliases of one run. ``known`` is the private map, real name to alias, of an earlier bundle of this run."""

    def __init__(self, level: Level, contents: Iterable[Any], known: Mapping[str, str] | None = None) -> None:
        self.level = level
        self.map: dict[str, str] = dict(known or {})
        self.masked: Counter[tuple[str, str]] = Counter()
        if level is not Level.NONE:
            self._learn(list(contents))

    def data(self, value: Any, place: str, key: str = "") -> Any:
        """The same JSON value under aliases; what cannot be masked is blanked. ``place`` is for the record."""
        if isinstance(value, str):
            return self._masked(value, place, key)
        if isinstance(value, Mapping):
            return {self._masked(str(name), place): self.data(item, place, str(name)) for name, item in value.items()}
        if isinstance(value, (list, tuple)):
            return [self.data(item, place, key) for item in value]
        return value

    def record(self) -> list[dict[str, Any]]:
        """What was masked where and how often, without the names."""
        return [
            {"alias": alias, "where": place, "count": count} for (place, alias), count in sorted(self.masked.items())
        ]

    def restore(self, words: str) -> str:
        """The words with the real names in place of their aliases."""
        real = {alias.lower(): name for name, alias in self.map.items()}
        pattern = _any_of(real)
        return pattern.sub(lambda found: real[found.group().lower()], words) if pattern else words

    # --- masking ---

    def _masked(self, words: str, place: str, key: str = "") -> str:
        if self.level is Level.NONE:
            return words
        try:
            return self._replaced(words, place, key)
        except Exception:  # a rule that fails must not leak the value
            self.masked[place, sanitize.BLOT] += 1
            return sanitize.BLOT

    def _replaced(self, words: str, place: str, key: str) -> str:
        def alias(found: re.Match[str]) -> str:
            known = self.map[_ESCAPED.sub("_", found.group()).lower()]
            self.masked[place, known] += 1
            return known

        def segment(found: re.Match[str]) -> str:
            known = self.map.get((found["name"] or "").lower())
            if known is None:
                return found.group()
            self.masked[place, known] += 1
            return f"{found['type']}{known}"

        if key in _FIELDS and words.lower() in self.map:
            self.masked[place, self.map[words.lower()]] += 1
            return self.map[words.lower()]
        words = _SEGMENT.sub(segment, words)
        return self._pattern.sub(alias, words) if self._pattern else words

    @cached_property
    def _pattern(self) -> re.Pattern[str] | None:
        return _any_of(name for name in self.map if name not in _vocabulary() and len(name) > 2)

    # --- learning ---

    def _learn(self, contents: list[Any]) -> None:
        found: dict[str, str] = {}
        texts: list[str] = []
        for key, words in (each for content in contents for each in _texts(content)):
            texts.append(words.lower())
            for kind, name in self._names(key, words):
                found.setdefault(name.lower(), kind)
        everything = "\n".join(texts)
        numbers: Counter[str] = Counter()
        taken = set(self.map.values())
        for name, kind in found.items():
            while name not in self.map:
                numbers[kind] += 1
                alias = f"{kind}-{numbers[kind]}"
                # A real name that looks like an alias would be confused with one.
                if alias not in taken and alias not in everything:
                    self.map[name] = alias
                    taken.add(alias)

    def _names(self, key: str, words: str) -> Iterator[tuple[str, str]]:
        for each in _SEGMENT.finditer(words):
            if each["name"] and not _OF_AZURE.match(each["name"]):
                yield _KINDS[each["kind"].lower()], each["name"]
        if key in _FIELDS and words and not _OF_AZURE.match(words):
            yield _FIELDS[key], words
        for each in _PERSON.finditer(words):
            yield "person", each.group()
        for each in _HOME.finditer(words):
            if each["name"].lower() not in _NOBODY:
                yield "person", each["name"]
        if self.level is Level.STRICT:
            for each in _GUID.finditer(words):
                yield "id", each.group()


def _texts(value: Any, key: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield key, value
    elif isinstance(value, Mapping):
        for name, item in value.items():
            yield "", str(name)
            yield from _texts(item, str(name))
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _texts(item, key)


def _any_of(names: Iterable[str]) -> re.Pattern[str] | None:
    """Any of the names as a whole, the longest first; None for no name."""
    longest_first = sorted(names, key=lambda name: (-len(name), name))
    if not longest_first:
        return None
    patterns = "|".join(re.escape(name).replace("_", r"\\{0,3}_") for name in longest_first)
    return re.compile(rf"(?i)(?<![A-Za-z0-9])(?:{patterns})(?![A-Za-z0-9])")


@cache
def _vocabulary() -> frozenset[str]:
    """Every word of the catalogue, in small letters."""
    folder = resources.files("vmbackup.catalog") / "data"
    texts = [each.read_text("utf-8").lower() for each in folder.iterdir() if each.name.endswith(".yaml")]
    return frozenset(word for text in texts for word in re.findall(r"[^\W_]+", text))
