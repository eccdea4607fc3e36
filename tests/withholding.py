"""Withholding evidence never creates knowledge: the evidence without one fact, its answer, half of a list or one field.

A field counts as withheld where its shape lets it be None, which says that it was not read.
"""

from __future__ import annotations

import types
from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import islice
from typing import Any, Union, get_args, get_origin, get_type_hints, is_typeddict

from vmbackup.diagnosis import Diagnosis, diagnose
from vmbackup.model import CUT, Evidence, Fact, FactStatus, Verdict
from vmbackup.runs.evidence import SHAPES

UNANSWERED = Fact(FactStatus.FAILED, why="timeout", details={"seconds": 20})
_DECIDED = (Verdict.OK, Verdict.PROBLEM)
_Path = tuple[Any, ...]


def withheld(evidence: Evidence) -> Iterator[tuple[str, dict[str, Fact]]]:
    """What is missing, in words, and the rest."""
    for name, fact in evidence.items():
        yield name, {other: known for other, known in evidence.items() if other != name}
        yield f"an answer to {name}", {**evidence, name: UNANSWERED}
        for path, less in less_of(name, fact):
            yield f"{name} {path}", {**evidence, name: less}


def less_of(name: str, fact: Fact) -> Iterator[tuple[str, Fact]]:
    """The fact with one field unread, or of a list only a part read and marked as cut."""
    if not fact.answered or fact.data is None:
        return
    if isinstance(fact.data, list) and fact.data:
        half = fact.data[: len(fact.data) // 2]
        yield "second half", replace(fact, data=half, details={**fact.details, CUT: f"{len(half)} entries"})
    for path in fields(fact.data, SHAPES[name]):
        yield ".".join(map(str, path)), replace(fact, data=without(fact.data, path))


def fields(data: Any, shape: Any, path: _Path = ()) -> Iterator[_Path]:
    """Where something stands that may be unread."""
    if data is None:
        return
    origin, arguments = get_origin(shape), get_args(shape)
    if origin in (Union, types.UnionType):
        if path and type(None) in arguments:
            yield path
        yield from fields(data, next(kind for kind in arguments if kind is not type(None)), path)
    elif is_typeddict(shape):
        for key, kind in get_type_hints(shape).items():
            yield from fields(data[key], kind, (*path, key))
    elif origin is list:
        for index, item in enumerate(data):
            yield from fields(item, arguments[0], (*path, index))
    elif origin is dict:
        for key, item in data.items():
            yield from fields(item, arguments[1], (*path, key))


def without(data: Any, path: _Path) -> Any:
    """A copy with None at the path; what lies beside it is shared."""
    if not path:
        return None
    copied = dict(data) if isinstance(data, Mapping) else list(data)
    copied[path[0]] = without(data[path[0]], path[1:])
    return copied


def breaches(section: str | None, evidence: Evidence, one_in: int = 1, first: int = 0) -> Iterator[str]:
    """Each verdict that withholding something would create, in words; of the ways to withhold one in so many."""
    whole = verdicts(diagnose(section, evidence))
    for missing, rest in islice(withheld(evidence), first, None, one_in):
        for name, verdict in verdicts(diagnose(section, rest)).items():
            if verdict in _DECIDED and whole[name] is not verdict:
                yield f"without {missing}: {name} is {verdict}, not {whole[name]}"


def verdicts(diagnosis: Diagnosis) -> dict[str, Verdict]:
    """Every verdict: of the causes, of their checks, and of the signs that speak for them."""
    found = {step.cause: step.verdict for step in diagnosis.steps}
    for step in diagnosis.steps:
        found |= {f"{finding.check} of {step.cause}": finding.verdict for finding in step.findings}
    return found
