"""Runs the collectors together under one deadline.

Every collector starts at once in a thread of its own and waits there for the facts it needs, so what can be asked in
parallel is.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import CancelledError, Future
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from queue import Empty, SimpleQueue
from types import MappingProxyType
from typing import Any

from vmbackup import clock
from vmbackup.arm.call import Call, calling, start_thread
from vmbackup.arm.connection import Azure
from vmbackup.arm.errors import as_fact
from vmbackup.collectors.base import COLLECTORS, Ask, Collector, cut_at, recorded
from vmbackup.facts.azure import FACTS
from vmbackup.model import CUT, Evidence, Fact, FactStatus, SetupError, Target

LONGEST_S = 60.0
"""How long one collector may ask, within the overall deadline: one that hangs must not delay the others."""

KNOWN_FOR = timedelta(minutes=15)
"""How old a fact may be that is taken over and not asked for."""

SETTLED_FOR = timedelta(hours=2)
"""The same for what is ``SETTLED``: the run of a large fleet takes longer than its lists are new."""

SETTLED = frozenset({
    "vm.disks", "vm.locks", "vm.extension_versions", "network.nics", "network.subnets", "network.rules",
    "network.routes", "backup.policy", "backup.vault", "backup.neighbours", "_metrics",
})  # fmt: skip
"""Facts that change only where somebody configures something, or that tell of the past. Not how the VM is now, nor what
became of its backups."""

# Why a fact is skipped when one that it needs is absent.
_WHEN_ABSENT = {"backup.protection": "not_protected"}


def collect(
    azure: Azure,
    target: Target,
    *,
    deadline_s: float = 120,
    longest_s: float = LONGEST_S,
    failure: str | None = None,
    on_fact: Callable[[str, Fact], object] | None = None,
    only: Iterable[str] | None = None,
    known: Evidence = MappingProxyType({}),
) -> dict[str, Fact]:
    """Ask for all facts, or for ``only`` these, and return them by name in the order of ``FACTS``.

    What is ``known``, such as from lists of a whole fleet, is not asked for again, unless it turns out to be too old.
    A collector that gives several facts asks unless all of them are known.

    Takes at most ``deadline_s`` seconds, and no collector asks for longer than ``longest_s``; what is not in by then is
    ``failed``. ``on_fact`` is called in this thread as each fact comes in. Raises SetupError when nobody is signed in,
    or the VM or the given vault does not exist.
    """
    with calling(target.vm_id, deadline_s) as call:
        ask = Ask(azure, target, failure, _usable(known, failure))
        facts = _collect(ask, call, deadline_s, longest_s, on_fact, only)
        # Only now is Azure's time known without a request of its own.
        fresh = _fresh(ask.known, azure.now()) if ask.known else {}
        if len(fresh) < len(ask.known):
            facts = _collect(replace(ask, known=fresh), call, deadline_s, longest_s, on_fact, only)
        return facts


def _usable(known: Evidence, failure: str | None) -> dict[str, Fact]:
    """What is known for sure. What is about the newest failed job does not hold for one that the operator named."""
    about_newest = ("vm.activity", "vm.metrics", "backup.failed_job") if failure else ()
    return {name: fact for name, fact in known.items() if fact.answered and name not in about_newest}


def _fresh(known: Evidence, now: datetime) -> dict[str, Fact]:
    """What is not too old to be taken over."""

    def is_fresh(name: str, fact: Fact) -> bool:
        age = clock.seconds_between(fact.taken_at, clock.stamp(now))
        return age is not None and age <= (SETTLED_FOR if name in SETTLED else KNOWN_FOR).total_seconds()

    return {name: fact for name, fact in known.items() if is_fresh(name, fact)}


def _collect(
    ask: Ask,
    call: Call,
    deadline_s: float,
    longest_s: float,
    on_fact: Callable[[str, Fact], object] | None,
    only: Iterable[str] | None,
) -> dict[str, Fact]:
    chosen = _chosen(only)
    run = _Run(ask, call, deadline_s, longest_s, {name: Future() for each in chosen for name in each.gives})
    for each in chosen:
        if all(name in ask.known for name in each.gives):
            run.reports.put((each, {name: ask.known[name] for name in each.gives}))
        else:
            start_thread(_run, each, run)
    wanted = set(FACTS) if only is None else set(only)
    facts: dict[str, Fact] = {}
    try:
        for name, fact in _arrivals(chosen, run):
            if name in wanted and name in FACTS:
                facts[name] = fact
                if on_fact:
                    on_fact(name, fact)
    finally:
        for future in run.answers.values():
            future.cancel()
    return {name: facts[name] for name in FACTS if name in facts}


@dataclass(frozen=True, slots=True)
class _Run:
    ask: Ask
    call: Call
    deadline_s: float
    longest_s: float
    answers: dict[str, Future[Fact]]
    # What the collectors' threads report: that asking has begun, the facts, or the error that stops the run.
    reports: SimpleQueue[tuple[Collector, Call | dict[str, Fact] | SetupError]] = field(default_factory=SimpleQueue)


def _arrivals(chosen: list[Collector], run: _Run) -> Iterator[tuple[str, Fact]]:
    """Each fact as it arrives, or as its time runs out. Only this thread sets answers, so late ones are dropped."""
    due = dict.fromkeys((each.gives for each in chosen), time.monotonic() + run.call.remaining_s())
    asked: dict[tuple[str, ...], Call] = {}
    while due:
        try:
            each, report = run.reports.get(timeout=max(0.0, min(due.values()) - time.monotonic()))
        except Empty:
            for gives in [gives for gives, when in due.items() if when <= time.monotonic()]:
                left_s = asked.get(gives, run.call).remaining_s()
                if left_s > 0:
                    # It waited for its turn, which does not count.
                    due[gives] = time.monotonic() + left_s
                    continue
                del due[gives]
                seconds = run.longest_s if run.call.remaining_s() > 0 else run.deadline_s
                late = Fact(FactStatus.FAILED, why="timeout", details={"seconds": f"{seconds:.0f}"})
                late = recorded(late, asked.get(gives, Call()), round(seconds * 1000))
                yield from _settled(dict.fromkeys(gives, late), run)
            continue
        if isinstance(report, SetupError):
            raise report
        if each.gives not in due:
            continue
        if isinstance(report, Call):
            asked[each.gives] = report
            due[each.gives] = time.monotonic() + report.remaining_s()
        else:
            del due[each.gives]
            yield from _settled(report, run)


def _settled(facts: dict[str, Fact], run: _Run) -> Iterator[tuple[str, Fact]]:
    for name, fact in facts.items():
        run.answers[name].set_result(fact)
    yield from facts.items()


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


def _run(each: Collector, run: _Run) -> None:
    try:
        run.reports.put((each, _answer(each, run)))
    except SetupError as error:
        run.reports.put((each, error))
    except CancelledError:
        return


def _answer(each: Collector, run: _Run) -> dict[str, Fact]:
    data: list[Any] = []
    cut: str | None = None
    for name in (*each.needs, *each.optional):
        fact = run.answers[name].result()
        if name in each.needs and fact.status is not FactStatus.OK:
            return dict.fromkeys(each.gives, fact if fact.status is FactStatus.SKIPPED else _skipped(name, fact))
        data.append(fact.data if fact.answered else None)
        cut = cut or fact.details.get(CUT)
    begun = time.monotonic()
    with calling(deadline_s=run.longest_s) as call:
        run.reports.put((each, call))
        try:
            result = each.collect(run.ask, *data)
            facts = {name: _fact(result[name]) for name in each.gives}
        except Exception as error:
            facts = dict.fromkeys(each.gives, as_fact(error, each.actions, time.monotonic() - begun))
    took_ms = round((time.monotonic() - begun) * 1000)
    # A fact made from part of a list may be incomplete, too.
    facts = {name: cut_at(fact, cut) if cut and fact.answered else fact for name, fact in facts.items()}
    return {name: recorded(fact, call, took_ms) for name, fact in facts.items()}


def _skipped(need: str, fact: Fact) -> Fact:
    if fact.status is FactStatus.ABSENT and need in _WHEN_ABSENT:
        return Fact(FactStatus.SKIPPED, why=_WHEN_ABSENT[need])
    return Fact(FactStatus.SKIPPED, why="needs", details={"fact": "vm.model" if need == "_vm" else need})


def _fact(result: Any) -> Fact:
    return result if isinstance(result, Fact) else Fact(FactStatus.OK, result)


def slowest_chain_ms(evidence: Mapping[str, Fact]) -> int:
    """The longest sum of times along the chain of facts that wait for each other: no collection can be faster."""
    by_fact = {name: each for each in COLLECTORS for name in each.gives}

    def chain(name: str) -> int:
        each = by_fact[name]
        known = [evidence[give].took_ms for give in each.gives if give in evidence]
        return max(known, default=0) + max((chain(need) for need in (*each.needs, *each.optional)), default=0)

    return max(chain(name) for name in evidence if name in by_fact)
