"""Reads the folder of a fleet: what was asked for, and what each VM's run left behind.

    file                       content                                                          written by
    fleet.json                 what was asked for: {schema, vms: [{name, vm_id, examine, why}], ledger
                               gaps: [{what, scope, why, details}]}; ``examine`` is false for
                               a VM of which the lists show no sign of a problem; also when,
                               how, and which rows of a table were left out
    inventory.jsonl            what the lists say of VMs, as far as rows are made from it: a    ledger
                               line each, as in evidence.json
    orders.json                the runs, so that --resume needs nothing else:                   ledger
                               [{name, notebook, parameters}]
    vms/<name>/                the run folder of one VM (see runs.folder)                       execute
    vms/<name>/error.json      how its run failed: {error: words}                               execute
    remedies/<hash>.json       a remedy for many of these VMs: {plan: what was agreed to,       rollout.record
                               at: UTC, left: the VMs that were left out}
    remedies/<hash>.jsonl      a line for each VM that is about to be changed, and for each     rollout.record
                               that ended
    summary.csv, .parquet      every VM, one line each                                          many_vms
    summary.html               the pages of 90_many_vms as one file                             many_vms
    90_many_vms.ipynb          the notebook, executed over the folder                           many_vms
    lock, lock.json            who works on the fleet                                           runs.lock

Nothing in it is trusted, and nothing is written or renamed here. A VM whose files cannot be read gets a row that says
so.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any, TypedDict

from vmbackup import sanitize
from vmbackup.catalog.words import explain
from vmbackup.facts import schema
from vmbackup.fleet.rows import FACTS, examined_row, listed_row, unknown_row
from vmbackup.model import Evidence, SetupError, Target
from vmbackup.runs import storage
from vmbackup.runs.evidence import evidence_json, parse_evidence, read_file, unread
from vmbackup.runs.fleet import Fleet, FleetRow, Gap, VmState
from vmbackup.runs.folder import EVIDENCE, RESULT
from vmbackup.runs.listing import entries

FLEET, INVENTORY, VMS, ERROR = "fleet.json", "inventory.jsonl", "vms", "error.json"
FLEET_SCHEMA = "vmbackup.fleet/1"
_LARGEST = 2 * 1024**3
_AT_ONCE = 16


class _Ordered(TypedDict):
    name: str
    vm_id: str
    examine: bool | None
    why: str | None


class _Fleet(TypedDict):
    schema: str
    vms: list[_Ordered]
    gaps: list[Gap] | None


def fleet_json(vms: Iterable[Mapping[str, Any]], gaps: Iterable[Gap] = ()) -> dict[str, Any]:
    """The content of ``fleet.json``."""
    return {"schema": FLEET_SCHEMA, "vms": list(vms), "gaps": list(gaps)}


def inventory_line(target: Target, known: Evidence) -> bytes:
    """One VM's line of ``inventory.jsonl``."""
    read = {name: replace(fact, how=()) for name, fact in known.items() if name in FACTS}
    content = sanitize.data(evidence_json(target, read))
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


_Known = Mapping[str, FleetRow]


def read(place: str, language: str) -> Fleet:
    """The fleet in this folder, on this machine or behind an fsspec URL. Raises SetupError where there is none."""
    asked, gaps = read_fleet(place)
    known, unreadable = _inventory(place, language)
    try:
        names = list(dict.fromkeys([*asked, *_folders(place)]))
    except OSError as error:
        raise unread(f"{place}/{VMS}", error) from None
    if not names and not known:
        raise SetupError("error.no_fleet", folder=place)
    rows = _for_each(names, lambda name: _row(place, name, asked.get(name), known, language), storage.is_url(place))
    seen = {row["vm_id"].lower() for row in rows}
    rows += [row for vm_id, row in known.items() if vm_id not in seen]
    return Fleet(rows, [*gaps, *unreadable])


def is_fleet(place: str) -> bool:
    """Whether this is the run folder of a fleet, and not of one VM."""
    try:
        return storage.at(place).read(FLEET, _LARGEST) is not None or any(_folders(place))
    except (OSError, ImportError, ValueError):
        return False


def _row(place: str, name: str, asked: _Ordered | None, known: _Known, language: str) -> FleetRow:
    """One VM: what its run found, else what the lists say of it, and why there is no result."""
    vm_id = asked["vm_id"] if asked else ""
    listed = known.get(vm_id.lower()) or unknown_row(name, vm_id)
    try:
        files = storage.at(f"{place}/{VMS}/{name}")
        failure = files.read(ERROR)
        if failure is not None:
            return {**listed, "name": name, "state": str(VmState.FAILED), "why": _error(failure)}
        result, evidence = files.read(RESULT), files.read(EVIDENCE)
        if result is not None and evidence is not None:
            target, facts = parse_evidence(evidence, EVIDENCE, FACTS)
            if vm_id and vm_id.lower() != target.vm_id.lower():
                raise SetupError("error.other_vm", folder=f"{VMS}/{name}", vm=target.vm_id)
            return examined_row(name, target, facts, _json(result, RESULT), f"{VMS}/{name}")
    except (SetupError, OSError) as error:
        words = explain(error, language) if isinstance(error, SetupError) else storage.why(error)
        return {**listed, "name": name, "state": str(VmState.FAILED), "why": sanitize.shortened(words)}
    skipped = asked is not None and asked["examine"] is False
    state = VmState.NOT_EXAMINED if skipped else VmState.PENDING
    return {**listed, "name": name, "state": str(state), "why": asked["why"] if asked else None}


def _for_each(names: Sequence[str], row: Callable[[str], FleetRow], remote: bool) -> list[FleetRow]:
    """One row for each name; where each file is a call to a store, many at the same time."""
    if not remote:
        return list(map(row, names))
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return list(pool.map(row, names))


def _error(content: bytes) -> str:
    found = _json(content, ERROR)
    words = found.get("error") if isinstance(found, dict) else None
    return sanitize.shortened(words or "–")


def read_fleet(place: str) -> tuple[dict[str, _Ordered], list[Gap]]:
    """Which VMs were asked for, by name, and what could not be listed. Raises SetupError."""
    content = read_file(place, FLEET, _LARGEST)
    if content is None:
        return {}, []
    found: Any = schema.coerce(_json(content, FLEET), _Fleet)
    fault = schema.error(found, _Fleet, "fleet")
    if fault or found["schema"] != FLEET_SCHEMA:
        raise SetupError("error.evidence_damaged", file=FLEET, message=sanitize.text(fault or found["schema"]))
    return {vm["name"]: vm for vm in found["vms"] if is_a_name(vm["name"])}, found["gaps"] or []


def _inventory(place: str, language: str) -> tuple[dict[str, FleetRow], list[Gap]]:
    """What the lists say, by VM; a line that cannot be read is a gap."""
    found, gaps = dict[str, FleetRow](), list[Gap]()
    for number, line in enumerate(_lines(place, INVENTORY), 1):
        try:
            row = listed_row(*parse_evidence(line, INVENTORY, FACTS))
            found[row["vm_id"].lower()] = row
        except SetupError as error:
            why = sanitize.shortened(explain(error, language))
            gaps.append(Gap(what=INVENTORY, scope=str(number), why=why, details=None))
    return found, gaps


def _lines(place: str, name: str) -> Iterator[bytes]:
    try:
        yield from storage.at(place).lines(name)
    except (OSError, ImportError, ValueError) as error:
        raise unread(f"{place}/{name}", error) from None


def _json(content: bytes, name: str) -> Any:
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        raise SetupError("error.evidence_no_json", file=name) from None


def _folders(place: str) -> list[str]:
    """The folders of single VMs, by name. Raises OSError."""
    found = entries(f"{place}/{VMS}")
    return sorted(name for name, is_folder in found.items() if is_folder and is_a_name(name))


def is_a_name(name: str) -> bool:
    """Whether this names a folder below that of the VMs, and no other place."""
    return name not in ("", ".", "..") and not set(name) & set("/\\\0")
