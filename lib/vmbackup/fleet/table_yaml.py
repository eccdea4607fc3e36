"""Reads a table that is YAML or JSON: every cell is a text, as in CSV, whatever else YAML would make of it.

So ``007`` stays the name of a VM, and no cell can be a time that does not exist. An alias may stand for a row that
others share (``<<``).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import yaml

from vmbackup.model import SetupError

_DEEPEST = 10
_KEPT = ("tag:yaml.org,2002:null", "tag:yaml.org,2002:merge")
_KINDS = ("null", "str", "seq", "map")


class _Texts(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    yaml_implicit_resolvers = {
        first: [(tag, pattern) for tag, pattern in known if tag in _KEPT]
        for first, known in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }
    yaml_constructors = {
        tag: made
        for tag, made in yaml.SafeLoader.yaml_constructors.items()
        if tag is None or tag.rpartition(":")[2] in _KINDS
    }

    def construct_mapping(self, node: Any, deep: bool = False) -> Any:
        refuse_repeated(key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode))
        return super().construct_mapping(node, deep)


def read_yaml(content: str) -> Any:
    """What it holds. Raises ValueError, YAMLError and SetupError."""
    _refuse_depth(content)
    return yaml.load(content, _Texts)


def refuse_repeated(names: Iterable[str]) -> None:
    """Raises SetupError for a name that is there twice: nobody knows which of its values is meant."""
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise SetupError("error.column_twice", name=name)
        seen.add(name)


def _refuse_depth(content: str) -> None:
    """The fast loader goes down by recursion in C, which ends the process."""
    depth = 0
    for event in yaml.parse(content, _Texts):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > _DEEPEST:
            raise ValueError("it is nested too deeply")
