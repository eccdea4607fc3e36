"""Operators in processes of their own, each with a run of a simulated world's VM; they are forked from a server that
has loaded the product once."""

from __future__ import annotations

import multiprocessing
import multiprocessing.connection
import os
from collections.abc import Mapping
from dataclasses import dataclass
from multiprocessing.context import ForkServerContext, ForkServerProcess
from multiprocessing.synchronize import Barrier
from pathlib import Path

from azure.identity import DefaultAzureCredential

from remedy_worlds import Case
from vmbackup.arm.connection import Azure, Connection
from vmbackup.model import RemedyRefused, Target
from vmbackup.parameters import Parameters
from vmbackup.remedies.apply import Consent
from vmbackup.runs.run import Run

BACK_UP = "back_up"
# They are loaded at the first request, which takes seconds.
_CLIENTS = (
    "azure.mgmt.compute",
    "azure.mgmt.recoveryservicesbackup",
    "azure.mgmt.resource.locks",
    "azure.mgmt.resourcegraph.models",
    "azure.mgmt.resourcehealth",
)


@dataclass(frozen=True)
class Operator:
    """Whom a process stands for: how it signs in, its VM, its run folder and the remedy that it applies."""

    environment: Mapping[str, str]
    endpoint: str
    target: Target
    folder: str
    remedy: str

    def run(self) -> Run:
        """The run, with a connection of its own."""
        os.environ.update(self.environment)
        connection = Connection(self.endpoint, polling_interval_s=0.05, retry_backoff_s=0.01)
        azure = Azure(DefaultAzureCredential(), self.target.subscription_id, connection)
        return _run(azure, self.target, self.folder)


@dataclass(frozen=True)
class Told:
    """What became of an operator's change: the words, and how many receipts there are."""

    words: str
    receipts: int


class Child:
    """An operator's process. It looks, waits for the others, then changes."""

    def __init__(self, case: Case, folder: Path, remedy: str, barrier: Barrier) -> None:
        simulator = case.simulator
        operator = Operator(simulator.environment, simulator.endpoint, case.target, str(folder), remedy)
        self._barrier = barrier  # it ends with its last owner, and the process takes a while to become one
        self._ours, theirs = CONTEXT.Pipe()
        self.process: ForkServerProcess = CONTEXT.Process(target=_work, args=(operator, barrier, theirs), daemon=True)
        self.process.start()

    def told(self, timeout_s: float = 120) -> Told:
        """What became of it. Raises TimeoutError when it does not say, and EOFError when it fell."""
        if not self._ours.poll(timeout_s):
            raise TimeoutError
        told: Told = self._ours.recv()
        self.process.join(timeout_s)
        if self.process.is_alive():
            raise TimeoutError
        return told

    def kill(self) -> None:
        """End it at once, in the middle of whatever it does."""
        self.process.kill()
        self.process.join()


def run_of(case: Case, folder: Path | str) -> Run:
    """A run of the world's VM in this process."""
    return _run(case.azure, case.target, str(folder))


def change(run: Run, remedy: str) -> Told:
    """Apply the remedy where it is proposed, or back up."""
    try:
        if remedy == BACK_UP:
            words = run.back_up().reason
        elif plans := [each for each in run.plans() if each.remedy == remedy]:
            words = run.apply(plans[0], Consent.for_plan(plans[0])).receipt.outcome
        else:
            words = "not proposed"
    except RemedyRefused as refused:
        words = str(refused)
    return Told(words, len(run.receipts))


def _work(operator: Operator, barrier: Barrier, told: multiprocessing.connection.Connection) -> None:
    run = operator.run()
    run.collect()
    barrier.wait(120)
    told.send(change(run, operator.remedy))


def _run(azure: Azure, target: Target, folder: str) -> Run:
    given = Parameters(azure="live", run_folder=folder, probe="never", deadline_s=60)
    return Run(given, None, target, azure=azure)


def _context() -> ForkServerContext:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__, *_CLIENTS])
    return context


CONTEXT = _context()
