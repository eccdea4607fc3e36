"""What the guest did not say creates no knowledge: with any one field unread, no verdict becomes ok or problem."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from windows_facts import HEALTHY, SICK

from azuresim.guest import OUTPUTS
from judging import agent, failed_job, job, power, silent_agent
from vmbackup.checks.base import CHECKS, load, run
from vmbackup.guest.document import decode
from vmbackup.model import Evidence, Fact, FactStatus

_FAILED = {"backup.failed_job": failed_job(None, "Unheard"), "backup.jobs": [job("Failed")], "backup.item": None}
_SILENT = {"vm.power": power(), "vm.agent": silent_agent()}
_READY = {"vm.power": power(), "vm.agent": agent()}
_DECIDED = ("ok", "problem")


def facts(given: dict[str, Any]) -> dict[str, Fact]:
    return {
        name: Fact(FactStatus.ABSENT) if data is None else Fact(FactStatus.OK, data) for name, data in given.items()
    }


def verdicts(evidence: Evidence, os: str) -> dict[str, str]:
    """Of each check that reads the guest."""
    asked = [check for check in CHECKS.values() if any(name.startswith("guest.") for name in check.evidence)]
    return {check.id: str(run(check, evidence, os).verdict) for check in asked}


def withheld(data: Any) -> Iterator[tuple[str, Any]]:
    """The data once for each field in it, with that field unread."""
    for path in places(data):
        copied = copy.deepcopy(data)
        holder = copied
        for step in path[:-1]:
            holder = holder[step]
        if holder[path[-1]] is not None:
            holder[path[-1]] = None
            yield ".".join(map(str, path)), copied


def places(data: Any, before: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if isinstance(data, dict):
        for key, value in data.items():
            # A name is what an entry is about; a count and a time belong to a line that was found.
            if key not in ("name", "mount", "why", "path", "version", "where", "value", "count", "days") or not before:
                yield (*before, key)
            yield from places(value, (*before, key))
    elif isinstance(data, list):
        for index, value in enumerate(data):
            yield from places(value, (*before, index))


def created(os: str, sections: dict[str, Any], more: dict[str, Any]) -> list[str]:
    """Where a verdict became ok or problem because a field, or a whole section, was unread."""
    load()
    guest = {f"guest.{name}": data for name, data in sections.items()} | {"guest.probe": {"os": os}}
    whole = facts(_FAILED | more | guest)
    before, found = verdicts(whole, os), []
    for name, data in guest.items():
        unread = [("all of it", Fact(FactStatus.FAILED))]
        unread += [(path, Fact(FactStatus.OK, changed)) for path, changed in withheld(data) if name != "guest.probe"]
        for path, fact in unread:
            for check, verdict in verdicts(whole | {name: fact}, os).items():
                if verdict in _DECIDED and verdict != before[check]:
                    found.append(f"{check}: {before[check]} became {verdict} without {name} {path}")
    return found


@pytest.mark.parametrize("file", sorted(OUTPUTS.glob("linux_*.txt")), ids=lambda file: file.stem)
def test_on_linux(file: Path) -> None:
    sections = dict(decode(file.read_text()).facts)
    assert created("linux", sections, _SILENT) == []
    # An agent that Azure hears now is proof enough, unless the guest denies it: that can be said of sound ones alone.
    if sections["agent"]["exthandlers"] and sections["network"]["wireserver_http"] == "ok":
        assert created("linux", sections, _READY) == []


@pytest.mark.parametrize("sick", [None, *SICK], ids=str)
def test_on_windows(sick: str | None) -> None:
    section, changes = SICK[sick] if sick else ("services", {})
    sections = copy.deepcopy(HEALTHY | {section: HEALTHY[section] | changes})
    assert created("windows", sections, _SILENT) == []
