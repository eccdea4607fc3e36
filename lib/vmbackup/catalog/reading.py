"""Reads the YAML files in ``data``. A mistake raises CatalogError, which names the file and the line."""

from __future__ import annotations

from importlib import resources
from typing import Any

import yaml

from vmbackup.model import CatalogError


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """YAML without duplicate keys, and without words that silently become dates or booleans."""


def _mapping(loader: _Loader, node: yaml.MappingNode) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key_node, value_node in node.value:
        key = loader.construct_object(key_node, deep=True)
        line = key_node.start_mark.line + 1
        if not isinstance(key, str):
            raise CatalogError(f"{loader.name}: line {line}: the key {key!r} must be quoted")
        if key in found:
            raise CatalogError(f"{loader.name}: line {line}: {key} is there twice")
        found[key] = loader.construct_object(value_node, deep=True)
    return found


_Loader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)


def read(name: str) -> dict[str, Any]:
    """The mapping in one file of ``data``. Raises CatalogError."""
    return parse(resources.files("vmbackup.catalog").joinpath("data").joinpath(name).read_text("utf-8"), name)


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
