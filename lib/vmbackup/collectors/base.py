"""What a collector is: a function that asks Azure for one or more facts, run beside all others under one deadline.

Every collector starts at once in a thread of its own and waits there for the facts it needs, so what can be asked in
parallel is. A failure is not an exception but a fact: ``denied`` with the missing action, ``failed`` with what Azure
said, ``skipped`` when a fact it needs has no answer. Only a missing sign-in and a missing VM or vault stop the run.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future
from concurrent.futures import TimeoutError as Overdue
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from vmbackup.collectors.azure import Asking, Azure, asking
from vmbackup.collectors.errors import as_fact
from vmbackup.facts import FACTS
from vmbackup.model import Fact, FactStatus, SetupError, Target

ABSENT = Fact(FactStatus.ABSENT, why="none")
# What it means for the facts behind a needed one that there is none of it.
_WHEN_ABSENT = {"backup.protection": "not_protected"}
Answers = Mapping[str, Any]
_Collect = TypeVar("_Collect", bound=Callable[..., Answers])


@dataclass(frozen=True, slots=True)
class Ask:
    """What a collector asks with: the connection, the VM, and the job the operator named, if any."""

    azure: Azure
    target: Target
    failure: str | None = None

    @property
    def now(self) -> datetime:
        """Azure's clock."""
        return self.azure.now()


@dataclass(frozen=True, slots=True)
class Collector:
    """A registered collector. Facts whose name begins with an underscore are passed on but not kept as evidence."""

    gives: tuple[str, ...]
    needs: tuple[str, ...]
    optional: tuple[str, ...]
    actions: tuple[str, ...]
    collect: Callable[..., Answers]


COLLECTORS: list[Collector] = []


def collector(
    *gives: str, needs: tuple[str, ...] = (), optional: tuple[str, ...] = (), actions: tuple[str, ...] = ()
) -> Callable[[_Collect], _Collect]:
    """Register a collector. It is called with an Ask, then the data of the facts it needs, then of the optional ones.

    A needed fact that is not there skips the collector; an optional one arrives as None. It
    returns data by fact name, or a Fact in place of data where it knows better.
    """

    def register(collect: _Collect) -> _Collect:
        COLLECTORS.append(Collector(gives, needs, optional, actions, collect))
        return collect

    return register


def actions() -> dict[str, tuple[str, ...]]:
    """The RBAC actions behind each fact."""
    return {name: each.actions for each in COLLECTORS for name in each.gives if not name.startswith("_")}


def collect(
    azure: Azure,
    target: Target,
    *,
    deadline_s: float = 120,
    failure: str | None = None,
    on_fact: Callable[[str, Fact], object] | None = None,
    only: Iterable[str] | None = None,
) -> dict[str, Fact]:
    """Ask for all facts, or for ``only`` these, and return them by name in the order of ``FACTS``.

    Takes at most ``deadline_s`` seconds; what is not in by then is ``failed``. ``on_fact`` is called in this thread as
    each fact comes in. Raises SetupError when nobody is signed in, or the VM or the given vault does not exist.
    """
    azure.deadline = time.monotonic() + deadline_s
    chosen = _chosen(only)
    answers: dict[str, Future[Fact]] = {name: Future() for each in chosen for name in each.gives}
    ask = Ask(azure, target, failure)
    for each in chosen:
        # Daemons: a thread that hangs in a request must not keep the process alive.
        threading.Thread(target=_run, args=(each, ask, answers), daemon=True).start()
    wanted = set(only) if only is not None else None
    facts: dict[str, Fact] = {}
    for name, future in answers.items():
        fact = _await(future, azure, deadline_s)
        if not name.startswith("_") and (wanted is None or name in wanted):
            facts[name] = fact
            if on_fact:
                on_fact(name, fact)
    return facts


def _chosen(only: Iterable[str] | None) -> list[Collector]:
    registered = sorted(COLLECTORS, key=lambda each: list(FACTS).index(each.gives[-1]))
    if only is None:
        return registered
    by_fact = {name: each for each in COLLECTORS for name in each.gives}
    open_names, chosen = [name for name in only if name in by_fact], set[str]()
    while open_names:
        name = open_names.pop()
        if name not in chosen:
            each = by_fact[name]
            chosen.update(each.gives)
            open_names += [need for need in (*each.needs, *each.optional) if need not in chosen]
    return [each for each in registered if each.gives[0] in chosen]


def _await(future: Future[Fact], azure: Azure, deadline_s: float) -> Fact:
    try:
        return future.result(max(0.0, azure.remaining_s()))
    except Overdue:
        return Fact(FactStatus.FAILED, why="timeout", details={"seconds": f"{deadline_s:.0f}"})


def _run(each: Collector, ask: Ask, answers: dict[str, Future[Fact]]) -> None:
    try:
        facts = _answer(each, ask, answers)
    except SetupError as error:
        for name in each.gives:
            answers[name].set_exception(error)
        return
    for name in each.gives:
        answers[name].set_result(facts[name])


def _answer(each: Collector, ask: Ask, answers: dict[str, Future[Fact]]) -> dict[str, Fact]:
    data: list[Any] = []
    for name in (*each.needs, *each.optional):
        # An hour: the main thread gives up at the deadline, and this daemon with it.
        fact = answers[name].result(3600)
        if name in each.needs and fact.status is not FactStatus.OK:
            return dict.fromkeys(each.gives, fact if fact.status is FactStatus.SKIPPED else _skipped(name, fact))
        data.append(fact.data if fact.answered else None)
    begun = time.monotonic()
    with asking() as notes:
        try:
            given = each.collect(ask, *data)
            facts = {name: _fact(given[name]) for name in each.gives}
        except Exception as error:
            facts = dict.fromkeys(each.gives, as_fact(error, each.actions, time.monotonic() - begun))
    took_ms = round((time.monotonic() - begun) * 1000)
    return {name: _noted(fact, notes, took_ms) for name, fact in facts.items()}


def _skipped(need: str, fact: Fact) -> Fact:
    if fact.status is FactStatus.ABSENT and need in _WHEN_ABSENT:
        return Fact(FactStatus.SKIPPED, why=_WHEN_ABSENT[need])
    return Fact(FactStatus.SKIPPED, why="needs", details={"fact": "vm.model" if need == "_vm" else need})


def _fact(given: Any) -> Fact:
    return given if isinstance(given, Fact) else Fact(FactStatus.OK, given)


def _noted(fact: Fact, notes: Asking, took_ms: int) -> Fact:
    taken_at = notes.taken_at.strftime("%Y-%m-%dT%H:%M:%SZ") if notes.taken_at else None
    return Fact(fact.status, fact.data, fact.why, fact.details, tuple(sorted(notes.how)), taken_at, took_ms)


def slowest_chain_ms(evidence: Mapping[str, Fact]) -> int:
    """The longest sum of asking times along what each fact had to wait for: no collection can be quicker."""
    by_fact = {name: each for each in COLLECTORS for name in each.gives}

    def chain(name: str) -> int:
        each = by_fact[name]
        known = [evidence[give].took_ms for give in each.gives if give in evidence]
        return max(known, default=0) + max((chain(need) for need in (*each.needs, *each.optional)), default=0)

    return max(chain(name) for name in evidence if name in by_fact)
