"""Which runbook is executed for which VM: read from a table of papermill parameters, and checked whole before any runs.

A table is a CSV file or a YAML list with one VM in each row. Its columns are parameters of the runbooks; ``section``
names the runbook, else the row's ``failure`` decides, else the general one is taken. An empty cell is the default.
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import yaml

from vmbackup import catalog, sanitize
from vmbackup.catalog.words import explain
from vmbackup.failures.triage import section_of
from vmbackup.fleet.execute import RunSpec
from vmbackup.fleet.table_yaml import read_yaml, refuse_repeated
from vmbackup.model import AzureSource, Language, SetupError
from vmbackup.parameters import Parameters, no_such, read, target, wrong_type
from vmbackup.runs import notebooks, storage
from vmbackup.runs.open import refuse_unknown_remedies, refuse_unknown_scenario

SECTION = "section"
LARGEST = 200 * 1024**2
"""Bytes of a table."""
_KINDS = {field.name: type(field.default) for field in fields(Parameters)}
_MOST_DIGITS = 18
_YES, _NO = ("true", "yes", "1"), ("false", "no", "0")
# Windows opens devices by these names.
_DEVICES = {"con", "prn", "aux", "nul", *(f"{name}{number}" for name in ("com", "lpt") for number in range(1, 10))}
# The field that a check is about, where its message has no name of one.
_FIELDS = {
    "no_vm_id": "vm_id",
    "row_twice": "vm_id",
    "no_vault_id": "vault_id",
    "no_subscription_id": "subscription_id",
    "deadline": "deadline_s",
    "needs_evidence_file": "evidence_file",
    "needs_scenario": "scenario",
    "unknown_scenario": "scenario",
    "unknown_remedy": "remedies",
    "row_run_folder": "run_folder",
}
Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a row, and in which field; ``number`` counts the rows below the header from 1."""

    number: int
    field: str
    message: str


@dataclass(frozen=True, slots=True)
class Orders:
    """What is to be run, the rows that cannot be, and the names of runs whose row does not say which runbook it is."""

    specs: Sequence[RunSpec]
    faults: Sequence[Fault] = ()
    unsorted: frozenset[str] = frozenset()


def read_table(place: str) -> list[Row]:
    """The rows of a table, by path or URL. Raises SetupError for what is no table."""
    try:
        content = storage.read_input(place, LARGEST).decode("utf-8-sig")
        rows = read_yaml(content) if place.lower().endswith((".yaml", ".yml", ".json")) else _csv(content)
    except UnicodeDecodeError:
        raise SetupError("error.table_no_utf8", file=place) from None
    except (OSError, ImportError, ValueError, yaml.YAMLError, csv.Error) as error:
        raise SetupError("error.table_unread", file=place, message=sanitize.shortened(storage.why(error))) from None
    if not isinstance(rows, list) or not all(isinstance(row, Mapping) for row in rows):
        raise SetupError("error.table_no_list", file=place)
    if not any(rows):
        raise SetupError("error.table_empty", file=place)
    return rows


def _csv(content: str) -> list[Row]:
    """The rows below the header. A blank one stays, so that the others keep their numbers."""
    content = content.lstrip("\r\n")
    header = content.partition("\n")[0]
    delimiter = max(",;\t", key=header.count)
    found = csv.DictReader(io.StringIO(content, newline=""), delimiter=delimiter, restkey=_BEYOND)
    refuse_repeated(name.strip() for name in found.fieldnames or () if name.strip())
    return [{name: value for name, value in row.items() if name or value} if any(row.values()) else {} for row in found]


_BEYOND = "cells beyond the header"


def orders(rows: Sequence[Row], common: Mapping[str, Any], language: str = "en") -> Orders:
    """Check all rows, and give each good one its runbook and its name; ``common`` are parameters of all that a row
    does not name. The same rows get the same names."""
    good: dict[int, tuple[Parameters, str, dict[str, Any]]] = {}
    faults: list[Fault] = []
    seen: dict[str, int] = {}
    for number, row in enumerate(rows, 1):
        if not row:
            continue
        try:
            checked = _check(row, common)
            first = seen.setdefault(_identity(checked[0]), number)
            if first != number:
                raise SetupError("error.row_twice", first=first)
            good[number] = checked
        except SetupError as error:
            faults.append(Fault(number, _field(error), explain(error, Language(language))))
    names = _names([parameters for parameters, _, _ in good.values()])
    specs = [
        RunSpec(name, notebook_of(section or section_of(parameters.failure)), values)
        for name, (parameters, section, values) in zip(names, good.values(), strict=True)
    ]
    unsorted = [not (values.get("failure") or section) for _, section, values in good.values()]
    return Orders(specs, faults, frozenset(spec.name for spec, bare in zip(specs, unsorted, strict=True) if bare))


def notebook_of(section: str) -> Path:
    """The runbook of a section."""
    return notebooks.template(str(catalog.sections()[section]["notebook"]))


def section_named(notebook: str) -> str | None:
    """The section of the runbook of this name."""
    return next((section for section in catalog.sections() if notebook_of(section).stem == notebook), None)


def _check(row: Row, common: Mapping[str, Any]) -> tuple[Parameters, str, dict[str, Any]]:
    given = {str(name).strip(): value for name, value in row.items() if not _is_empty(value)}
    section = str(given.pop(SECTION, "")).strip()
    if section and section not in catalog.sections():
        raise no_such("not_one_of", section, catalog.sections(), name=SECTION)
    values = {**common, **{name: _value(name, value) for name, value in given.items()}}
    values.setdefault("azure", str(AzureSource.SIMULATOR if values.get("scenario") else AzureSource.LIVE))
    if "run_folder" in given:
        raise SetupError("error.row_run_folder")
    parameters = read(values)
    refuse_unknown_remedies(parameters.remedies)
    if parameters.scenario:
        refuse_unknown_scenario(parameters.scenario)
    return parameters, section, values


def _is_empty(value: Any) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())


def _field(error: SetupError) -> str:
    """The field that a check refused."""
    key = error.key.removeprefix("error.").removesuffix("_near")
    if key == "unknown_parameter":
        return str(error.values["value"])
    names = error.values.get("name") or ", ".join(map(str, error.values.get("names", ())))
    return _FIELDS.get(key) or str(names) or "–"


def _value(name: str, value: Any) -> Any:
    """A cell as its parameter's type; as it is where it does not fit, to be refused with the parameter's own words."""
    kind = _KINDS.get(name, str)
    if not isinstance(value, str):
        return str(value) if issubclass(kind, str) and isinstance(value, (int, float)) else value
    words = value.strip()
    if kind is bool and words.lower() in _YES + _NO:
        return words.lower() in _YES
    if kind is int and words.isdecimal() and len(words) <= _MOST_DIGITS:
        return int(words)
    if kind in (bool, int):
        raise wrong_type(name, kind, words)
    return words


def _identity(parameters: Parameters) -> str:
    """What two rows about the same VM have in common, in whatever letter case."""
    if parameters.azure == AzureSource.LIVE:
        return target(parameters).vm_id.lower()
    return (parameters.scenario or parameters.evidence_file).lower()


def _names(all_parameters: Sequence[Parameters]) -> Iterator[str]:
    """A name for each VM that is a folder on any system, and no other VM's."""
    short = [notebooks.safe(_short_name(parameters)) for parameters in all_parameters]
    shared = Counter(short)
    for name, parameters in zip(short, all_parameters, strict=True):
        is_clear = shared[name] == 1 and name.partition(".")[0] not in _DEVICES
        yield name if is_clear else f"{name}_{hashlib.sha256(_identity(parameters).encode()).hexdigest()[:8]}"


def _short_name(parameters: Parameters) -> str:
    if parameters.azure == AzureSource.LIVE:
        return str(target(parameters).vm_name)
    return Path(parameters.scenario or parameters.evidence_file).stem
