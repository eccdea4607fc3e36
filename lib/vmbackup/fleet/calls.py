"""How many calls to Azure a fleet's run made, and how many its lists saved, by API."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping

from vmbackup.fleet.scope import FleetPlan
from vmbackup.model import Fact, SetupError
from vmbackup.runs.evidence import parse_evidence
from vmbackup.runs.folder import EVIDENCE, RunFolder

_REQUEST = re.compile(r"(GET|POST|PUT|PATCH|DELETE|HEAD) ")
_POLL = re.compile(r"/(operations|operationResults|operationsStatus)/", re.IGNORECASE)
_PROVIDER = re.compile(r"/providers/microsoft\.(\w+)", re.IGNORECASE)


def calls(plan: FleetPlan, place: Callable[[str], str]) -> Mapping[str, tuple[int, int, int]]:
    """By API: how many calls the lists made, how many the VMs' runs made, and how many the lists saved the runs. A call
    that several facts came from counts once, and so does an operation with all its polls. ``place`` gives the run
    folder of a VM by its name."""
    lists, made, saved = Counter(map(_api, _requests(plan.listed.calls))), Counter[str](), Counter[str]()
    for spec in plan.specs:
        facts, known = _facts(place(spec.name)), spec.known or {}
        listed = {name for name, fact in known.items() if _is_same(fact, facts.get(name))}
        asked = _requests_of(fact for name, fact in facts.items() if name not in listed)
        # What a collector took out of rows that it was given says how the rows were listed.
        given = _requests_of(
            fact for name, fact in known.items() if name in listed or (listed and name.startswith("_"))
        )
        saved.update(map(_api, given))
        made.update(map(_api, asked - given))
    return {api: (lists[api], made[api], saved[api]) for api in sorted({*lists, *made, *saved})}


def _is_same(listed: Fact, fact: Fact | None) -> bool:
    return fact is not None and (fact.how, fact.taken_at) == (listed.how, listed.taken_at)


def _requests_of(facts: Iterable[Fact]) -> set[str]:
    return {line for fact in facts for line in _requests(fact.how)}


def _requests(lines: Iterable[str]) -> list[str]:
    return [line for line in lines if _REQUEST.match(line) and not _POLL.search(line)]


def _api(request: str) -> str:
    found = _PROVIDER.findall(request)
    if "/metrics:getBatch" in request:
        return "metrics"
    return found[-1].lower() if found else "resources"


def _facts(folder: str) -> dict[str, Fact]:
    content = RunFolder(folder).read(EVIDENCE)
    try:
        return parse_evidence(content)[1] if content else {}
    except SetupError:
        return {}
