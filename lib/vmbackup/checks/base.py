"""What a check is: a pure function from facts to a verdict, registered under the cause its module is named after.

A check sees no clock, no Azure and no text. Facts it requires are guaranteed to be answered: ``run`` turns an
unanswered one into ``unknown`` and a foreign operating system into ``not_applicable`` before the function is called.
A fact whose status is ``absent`` arrives as None; so does an optional fact that was not answered.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any, TypeVar

from vmbackup.model import CUT, Evidence, Finding, Verdict


@dataclass(frozen=True, slots=True)
class Judgement:
    """A verdict, the key of its sentence in ``checks.yaml`` and the values that fill the sentence.

    ``explains``: the signatures of a failure that do not speak against this verdict, because it accounts for them.
    ``if_works``: what was not seen here is seen by an agent that reports and a backup that was good.
    """

    verdict: Verdict
    reason: str
    values: Mapping[str, Any] = field(default_factory=dict)
    explains: tuple[str, ...] = ()
    if_works: bool = False


def ok(reason: str = "ok", /, **values: Any) -> Judgement:
    """The good state holds, and all that is needed to say so was seen."""
    return Judgement(Verdict.OK, reason, values)


def problem(reason: str = "problem", /, **values: Any) -> Judgement:
    """The good state does not hold, and this was seen."""
    return Judgement(Verdict.PROBLEM, reason, values)


def unknown(reason: str = "unknown", /, **values: Any) -> Judgement:
    """The facts were answered, but they do not decide; the sentence says what would."""
    return Judgement(Verdict.UNKNOWN, reason, values)


def or_works(judged: Judgement) -> Judgement:
    """The same, but that it works would show what was not seen."""
    return replace(judged, if_works=True)


def guest_only(**values: Any) -> Judgement:
    """Only the guest can tell, and nobody looked; that it works would show it too."""
    return or_works(unknown("guest_only", **values))


def not_applicable(reason: str = "not_applicable", /, **values: Any) -> Judgement:
    """The check does not concern this VM."""
    return Judgement(Verdict.NOT_APPLICABLE, reason, values)


@dataclass(frozen=True, slots=True)
class Check:
    """A registered check; ``id`` is the function's name, ``cause`` the name of its module, ``knows`` the entries of
    ``knowledge.yaml`` that its verdicts rest on, ``sees`` the signatures whose fault it sees while it is there.
    ``then``: its ``ok`` has also seen the time of the failed backup, not only how things are now."""

    id: str
    cause: str
    requires: tuple[str, ...]
    optional: tuple[str, ...]
    os: str | None
    judge: Callable[..., Judgement]
    knows: tuple[str, ...] = ()
    sees: tuple[str, ...] = ()
    then: bool = False

    @property
    def evidence(self) -> tuple[str, ...]:
        """The names of all facts the check may read."""
        return self.requires + self.optional


CHECKS: dict[str, Check] = {}
_Judge = TypeVar("_Judge", bound=Callable[..., Judgement])


def check(
    *requires: str,
    optional: tuple[str, ...] = (),
    os: str | None = None,
    knows: tuple[str, ...] = (),
    sees: tuple[str, ...] = (),
    then: bool = False,
) -> Callable[[_Judge], _Judge]:
    """Register a check. The function's parameters are the required facts' data, then the optional ones', in order."""

    def register(judge: _Judge) -> _Judge:
        cause = judge.__module__.rsplit(".", 1)[-1]
        name = judge.__name__
        CHECKS[name] = Check(name, cause, requires, optional, os, judge, knows, sees, then)
        return judge

    return register


@cache
def load() -> dict[str, Check]:
    """Import every check module and return the registry."""
    package = importlib.import_module("vmbackup.checks")
    for module in pkgutil.iter_modules(package.__path__):
        importlib.import_module(f"vmbackup.checks.{module.name}")
    return CHECKS


def run(checked: Check, evidence: Evidence, os: str | None) -> Finding:
    """Judge one check on the evidence. ``os`` is the VM's: ``windows``, ``linux`` or None when unknown."""

    def finding(judgement: Judgement) -> Finding:
        return Finding(
            checked.id,
            checked.cause,
            judgement.verdict,
            judgement.reason,
            judgement.values,
            checked.evidence,
            judgement.explains,
            judgement.if_works,
        )

    if checked.os and os and checked.os != os:
        return finding(not_applicable("other_os", os=checked.os))
    if checked.os and not os:
        return finding(unknown("os_unknown", os=checked.os))
    for name in checked.requires:
        fact = evidence.get(name)
        if fact is None:
            return finding(unknown("not_collected", fact=name))
        if not fact.answered:
            return finding(unknown("unanswered", fact=name))
    answers = [evidence[name].data for name in checked.requires]
    for name in checked.optional:
        answer = evidence.get(name)
        answers.append(answer.data if answer and answer.answered else None)
    try:
        return finding(_of_a_part(checked.judge(*answers), checked, evidence))
    except Exception as error:  # one broken check must not end the other causes; the reader is told
        return finding(unknown("check_failed", error=f"{type(error).__name__}: {error}"))


def _of_a_part(judged: Judgement, checked: Check, evidence: Evidence) -> Judgement:
    """What was read in part only cannot be called good: what is wrong may lie beyond."""
    parts = [name for name in checked.evidence if name in evidence and evidence[name].is_cut]
    if not parts or judged.verdict is not Verdict.OK:
        return judged
    return unknown("read_in_part", fact=parts[0], cut=evidence[parts[0]].details[CUT])
