"""The run of a fleet: what is still to do is executed, and each end is told; stops early where that was asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from threading import Event
from typing import Any

from vmbackup.diagnosis import Outcome
from vmbackup.fleet import pool
from vmbackup.fleet.execute import RunResult, RunSpec
from vmbackup.fleet.ledger import Ledger
from vmbackup.model import SetupError


@dataclass(frozen=True, slots=True)
class Tally:
    """How many VMs ended how, those that were finished before this run began among them. ``denied`` are undecided
    because rights are missing; ``failed`` have no result."""

    total: int
    causes: int = 0
    undecided: int = 0
    denied: int = 0
    nothing: int = 0
    failed: int = 0

    @property
    def done(self) -> int:
        """VMs that came to their end, failed ones among them."""
        return self.causes + self.undecided + self.denied + self.nothing + self.failed

    def plus(self, run: RunResult) -> Tally:
        """With one more."""
        name = outcome_of(run)
        return replace(self, **{name: getattr(self, name) + 1})


_COUNTED = {
    str(Outcome.CAUSE_FOUND): "causes",
    str(Outcome.NO_CAUSE_FOUND): "nothing",
    str(Outcome.MISSING_RIGHTS): "denied",
}


def outcome_of(run: RunResult) -> str:
    """Under which heading of the tally a run is counted."""
    if run.result is None:
        return "failed"
    return _COUNTED.get(str(run.result.get("outcome")), "undecided")


@dataclass
class FleetRun:
    """One run over a folder. ``tally`` is how it stands, ``earlier`` how many were finished before it began."""

    ledger: Ledger
    specs: Sequence[RunSpec]
    max_errors: int | None = None

    def __post_init__(self) -> None:
        finished = self.ledger.finished()
        self.waiting = [spec for spec in self.specs if spec.name not in finished]
        self.tally = Tally(len(self.specs))
        for spec in self.specs:
            if spec.name in finished:
                self.tally = self.tally.plus(self.ledger.result(spec))
        self.earlier = self.tally.done
        self.stopped = Event()
        self.too_many_errors = self.interrupted = False

    @property
    def left_open(self) -> int:
        """How many VMs have a result, and yet nobody knows how a change ended. To resume looks again."""
        finished = self.ledger.finished()
        return self.tally.done - self.tally.failed - sum(spec.name in finished for spec in self.specs)

    def stop(self) -> None:
        """Begin nothing more; what runs may come to its end."""
        self.stopped.set()

    def run(self, workers: pool.Workers) -> Iterator[RunResult]:
        """Execute what is not finished, and yield each run as it ends. Raises SetupError where the folder cannot be
        written any more."""
        place = self.ledger.folder
        try:
            for run in pool.completed(self.waiting, lambda spec: place(spec.name), workers, self.stopped):
                self.tally = self.tally.plus(run)
                yield run
                if self.max_errors is not None and self.tally.failed > self.max_errors:
                    self.too_many_errors = True
                    self.stop()
        except pool.WorkersGone:
            raise
        except SetupError as error:
            raise SetupError("error.fleet_stopped", **{"file": place("…"), "message": "?", **error.values}) from None


def as_event(run: RunResult) -> dict[str, Any]:
    """The end of a run, as one line of JSON."""
    result: Mapping[str, Any] = run.result or {}
    return {
        "event": "vm",
        "name": run.spec.name,
        "vm_id": (result.get("target") or {}).get("vm_id") or run.spec.parameters.get("vm_id"),
        "notebook": run.spec.notebook.stem,
        "outcome": result.get("outcome"),
        "probable_cause": result.get("probable_cause"),
        "error": run.error,
        "folder": run.folder,
    }
