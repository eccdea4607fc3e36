"""The product's data types: what a runbook asks, what it found, and what it says about it.

Standard library only; every other module imports this one, and it imports none of them.

    RunbookError            anything the product says "no" with; it is put into words where it is shown
    ├── SetupError          parameters, sign-in, no such VM: stop kindly, say what to do
    ├── RemedyRefused       a change that must not be made, with the reason
    ├── Unwritten           a line that could not be put on file
    └── CatalogError        data/*.yaml contradicts itself or the code
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Protocol


class Word(str, Enum):
    """A string enum that prints as its value (``enum.StrEnum`` needs Python 3.11)."""

    def __str__(self) -> str:
        return str(self.value)


class Verdict(Word):
    """The result of a check. What could not be found out is ``unknown``, never ``ok`` and never ``problem``."""

    OK = "ok"
    PROBLEM = "problem"
    UNKNOWN = "unknown"
    NOT_APPLICABLE = "not_applicable"


class FactStatus(Word):
    """How asking for a fact ended. ``ok`` and ``absent`` are answers, the other three are not."""

    OK = "ok"
    ABSENT = "absent"
    DENIED = "denied"
    FAILED = "failed"
    SKIPPED = "skipped"


class Language(Word):
    """The language of all that a person reads."""

    EN = "en"
    DE = "de"


class AzureSource(Word):
    """Which Azure answers: the real one, a simulated world, or what was saved of an earlier run."""

    SIMULATOR = "simulator"
    LIVE = "live"
    REPLAY = "replay"


class Probe(Word):
    """When the guest script is run through Run Command: where it still decides something, never, or in any case."""

    AUTO = "auto"
    NEVER = "never"
    FORCE = "force"


class Risk(Word):
    """What a remedy may cost, in this order."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"

    def within(self, highest: Risk) -> bool:
        """Whether this risk is no higher than that."""
        order = list(Risk)
        return order.index(self) <= order.index(highest)


@dataclass(frozen=True, slots=True)
class Target:
    """The virtual machine a run is about. ``os`` is ``windows``, ``linux`` or None while it is not known."""

    subscription_id: str
    resource_group: str
    vm_name: str
    vault_id: str | None = None
    os: str | None = None

    @property
    def vm_id(self) -> str:
        """The VM's Azure resource id."""
        return (
            f"/subscriptions/{self.subscription_id}/resourceGroups/{self.resource_group}"
            f"/providers/Microsoft.Compute/virtualMachines/{self.vm_name}"
        )


CUT = "cut"
"""The key among a fact's details that says how much of an answer was read, where that was not all of it."""


@dataclass(frozen=True, slots=True)
class Fact:
    """One answer, or the reason why there is none.

    ``data`` is plain JSON whose shape ``facts.py`` gives; ``why`` is a key of ``ui.yaml`` under ``why``, ``details``
    its values; ``how`` are the requests or scripts that asked, one per line; ``taken_at`` is Azure's own clock in
    ISO 8601 UTC; ``took_ms`` is wall time. An answer of which only a part was read has CUT among its ``details``.
    """

    status: FactStatus
    data: Any = None
    why: str | None = None
    details: Mapping[str, str] = field(default_factory=dict)
    how: tuple[str, ...] = ()
    taken_at: str | None = None
    took_ms: int = 0

    @property
    def answered(self) -> bool:
        """True when we know: "not installed" is knowledge too."""
        return self.status in (FactStatus.OK, FactStatus.ABSENT)

    @property
    def is_cut(self) -> bool:
        """True where only a part of the answer was read, so that what is not in it may be there all the same."""
        return CUT in self.details


AWAITED = Fact(FactStatus.SKIPPED, why="awaited")
"""Shown in place of a fact that is still being asked for."""

Evidence = Mapping[str, Fact]

SIGNS = "signs"
"""The check that the diagnosis itself makes for every cause: what Azure, the agent and the logs say of it."""


def data_of(evidence: Evidence, name: str) -> Any:
    """The data of a fact that was answered, None for any other."""
    fact = evidence.get(name)
    return fact.data if fact is not None and fact.answered else None


def operating_system(evidence: Evidence) -> str | None:
    """``windows``, ``linux`` or None, as the VM's model says."""
    model: Mapping[str, Any] | None = data_of(evidence, "vm.model")
    return model["os"] if model else None


class Log(Protocol):
    """An append-only file of events, such as the audit."""

    def append(self, event: Mapping[str, Any]) -> None:
        """Add an event, on disk when this returns. Raises Unwritten."""
        ...

    def events(self) -> list[dict[str, Any]]:
        """The events, oldest first, as far as they can be read."""
        ...


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check says: keys and values, no sentence. ``reason`` names the sentence in ``checks.yaml``.

    ``explains`` are signs of a failure that it accounts for; ``if_works``: what it could not see shows where agent and
    backup work. A cause's finding about its signs has the check ``SIGNS``.
    """

    check: str
    cause: str
    verdict: Verdict
    reason: str
    values: Mapping[str, Any] = field(default_factory=dict)
    evidence: tuple[str, ...] = ()
    explains: tuple[str, ...] = ()
    if_works: bool = False


_WEIGHTIEST_FIRST = (Verdict.PROBLEM, Verdict.UNKNOWN, Verdict.OK, Verdict.NOT_APPLICABLE)


def by_weight(findings: Iterable[Finding]) -> list[Finding]:
    """The findings, those with the weightiest verdict first: problem, then unknown, then ok."""
    return sorted(findings, key=lambda finding: _WEIGHTIEST_FIRST.index(finding.verdict))


def weightiest(findings: Iterable[Finding]) -> Verdict:
    """The weightiest verdict of these findings; not applicable where there are none."""
    verdicts = (finding.verdict for finding in findings)
    return min(verdicts, key=_WEIGHTIEST_FIRST.index, default=Verdict.NOT_APPLICABLE)


@dataclass(frozen=True, slots=True)
class Step:
    """One cause of a section, judged. ``addition`` marks causes the 2017 article does not know."""

    number: int
    cause: str
    addition: bool
    findings: tuple[Finding, ...]

    @property
    def verdict(self) -> Verdict:
        """The weightiest verdict of the findings."""
        return weightiest(self.findings)


class Key(str):
    """A value of an error that is itself a key of the catalogue, such as the name of a type."""


class RunbookError(Exception):
    """Any error that is meant for the operator: a key of the catalogue and the values for its sentence. The code that
    raises it does not know the operator's language, so the sentence is made where it is shown
    (``catalog.words.explain``). An error that is made from a sentence shows that sentence. Jupyter shows it alone,
    without a traceback.
    """

    def __init__(self, key: str, **values: Any) -> None:
        super().__init__(key)
        self.key = key
        self.values = values

    def __str__(self) -> str:
        values = ", ".join(f"{name}={value}" for name, value in self.values.items())
        return f"{self.key}: {values}" if values else self.key

    def _render_traceback_(self) -> list[str]:
        return [f"{type(self).__name__}: {self}"]


class SetupError(RunbookError):
    """Parameters, sign-in or the VM itself are wrong: nothing was examined, and the sentence says what to do."""


class RemedyRefused(RunbookError):
    """A change was not made; the text says why and what would have to be different."""


class Unwritten(RunbookError):
    """A line could not be put on file."""


class CatalogError(RunbookError):
    """``data/*.yaml`` contradicts itself or the code; the text names the file to edit."""
