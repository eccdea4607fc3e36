"""What a collector is: a function that asks Azure for one or more facts and returns them.

A failure is not an exception but a fact: ``denied`` with the missing action, ``failed`` with what Azure said,
``skipped`` when a fact it needs has no answer. Only a missing sign-in and a missing VM or vault stop the run.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, TypeVar

from vmbackup import clock
from vmbackup.arm.call import Call, calling, current
from vmbackup.arm.client import Arm
from vmbackup.arm.connection import Azure
from vmbackup.arm.errors import as_fact
from vmbackup.arm.paging import Listing
from vmbackup.model import CUT, Evidence, Fact, FactStatus, Target

ABSENT = Fact(FactStatus.ABSENT, why="none")
Answers = Mapping[str, Any]
_Collect = TypeVar("_Collect", bound=Callable[..., Answers])


@dataclass(frozen=True, slots=True)
class Ask:
    """What a collector asks with: the connection, the VM, the job the operator named, if any, and what is known of the
    VM already."""

    azure: Azure
    target: Target
    failure: str | None = None
    known: Evidence = field(default_factory=dict)

    def known_rows(self, name: str) -> list[Any] | None:
        """The rows of this VM out of a list that a whole fleet was asked for, once; None where they are not known."""
        fact, call = self.known.get(name), current()
        if fact is None or fact.status is not FactStatus.OK or not isinstance(fact.data, list):
            return None
        if call is not None:
            call.requests += fact.how
            call.azure_time = call.azure_time or clock.parse(fact.taken_at)
        return fact.data

    @property
    def arm(self) -> Arm:
        """The client for single requests."""
        return Arm.on(self.azure)

    @property
    def now(self) -> datetime:
        """Azure's clock. Raises ResponseLost where Azure does not say."""
        return self.azure.now()


@dataclass(frozen=True, slots=True)
class Collector:
    """A registered collector. Facts whose name begins with an underscore are passed on but not kept as evidence.

    ``any_action``: one of its actions is enough for an answer, as there are several ways to ask.
    """

    gives: tuple[str, ...]
    needs: tuple[str, ...]
    optional: tuple[str, ...]
    actions: tuple[str, ...]
    any_action: bool
    collect: Callable[..., Answers]

    def answers_without(self, missing: Iterable[str]) -> bool:
        """Whether it can answer although these actions are missing."""
        lacking = set(self.actions) & set(missing)
        return not lacking or (self.any_action and lacking != set(self.actions))


COLLECTORS: list[Collector] = []


def collector(
    *gives: str,
    needs: tuple[str, ...] = (),
    optional: tuple[str, ...] = (),
    actions: tuple[str, ...] = (),
    any_action: bool = False,
) -> Callable[[_Collect], _Collect]:
    """Register a collector. It is called with an Ask, then the data of the facts it needs, then of the optional ones.

    A needed fact that is not there skips the collector; an optional one arrives as None. It
    returns data by fact name, or a Fact in place of data where it knows better.
    """

    def register(collect: _Collect) -> _Collect:
        COLLECTORS.append(Collector(gives, needs, optional, actions, any_action, collect))
        return collect

    return register


def actions() -> dict[str, tuple[str, ...]]:
    """The RBAC actions behind each fact."""
    return {name: each.actions for each in COLLECTORS for name in each.gives if not name.startswith("_")}


def cut_at(fact: Fact, read: str) -> Fact:
    """The fact, marked as read only so far: nothing beyond that may be called good."""
    return replace(fact, why=fact.why or "list_cut", details={**fact.details, CUT: read})


def listed_fact(listing: Listing, data: Any) -> Fact:
    """The fact made of a list, marked where the list was not read to its end."""
    fact = Fact(FactStatus.OK, data)
    return cut_at(fact, str(len(listing.entries))) if listing.is_cut else fact


def list_as_fact(work: Callable[[], Listing], actions: tuple[str, ...], deadline_s: float) -> Fact:
    """The fact whose data are the entries of a list that is asked for outside of a collection, or why there are none.
    Raises SetupError when nobody is signed in."""
    begun = time.monotonic()
    try:
        with calling(deadline_s=deadline_s):
            listing = work()
    except Exception as error:
        return as_fact(error, actions, time.monotonic() - begun)
    return listed_fact(listing, listing.entries)


def recorded(fact: Fact, call: Call, took_ms: int = 0) -> Fact:
    """The fact with what was asked for it, and when by Azure's clock."""
    return replace(fact, how=tuple(sorted(call.requests)), taken_at=clock.stamp(call.azure_time), took_ms=took_ms)
