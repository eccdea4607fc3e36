"""Many runs at the same time: on this machine in a pool of processes, or on the workers of a Dask cluster.

A worker that dies takes nothing with it but its own runs; those are tried once more, on another.
"""

from __future__ import annotations

import os
import secrets
import signal
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, CancelledError, Future, wait
from concurrent.futures.process import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing import connection, get_context
from multiprocessing.process import BaseProcess
from pathlib import Path
from threading import Event
from typing import Any, Protocol, TypeVar
from urllib.parse import urlsplit

from vmbackup.fleet.execute import RunResult, RunSpec, execute, failed, prepare_worker, refuse_unknown_parameters
from vmbackup.fleet.nursery import end_with_parent, shared_zygote
from vmbackup.fleet.sharing import share_of, shared_by_workers
from vmbackup.model import SetupError

TRIES = 2
"""How often a run is begun whose worker dies."""
LAST_WAIT_S = 5.0
"""How long running notebooks may go on once the fleet is to stop."""
WORKERS_BACK_S = 120.0
"""How long a cluster may be without any worker: a nanny starts one anew in seconds, a new machine takes a minute."""
_CONNECT_S = 5
_LOOK_EVERY_S = 0.5

_Made = TypeVar("_Made")


class WorkersGone(SetupError):
    """The cluster lost all of its workers, and none came back."""


class Workers(Protocol):
    """Where runs are executed."""

    width: int

    def submit(self, spec: RunSpec, folder: str) -> Future[RunResult]:
        """Begin a run."""
        ...

    def do(self, work: Callable[..., _Made], *arguments: Any) -> _Made:
        """Do something else that takes much memory, and wait for it."""
        ...

    def check(self) -> None:
        """See to it that runs whose worker died end. Raises WorkersGone where nobody is left to do them."""
        ...

    def renew(self) -> None:
        """Replace workers that died."""
        ...

    def end(self) -> None:
        """End all workers at once, whatever they do."""
        ...


@dataclass
class LocalWorkers:
    """Processes of this machine that share one zygote, and what their ``environment`` names."""

    width: int
    zygote: str
    environment: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._pool = self._begun()

    def _begun(self) -> Any:
        # A fresh interpreter per worker: forking a process with threads (Azure clients, Jupyter) is not safe.
        shared = (self.zygote, self.environment, os.getpid())
        pool: Any = ProcessPoolExecutor(self.width, get_context("spawn"), _local_worker, shared)
        # Before Python 3.11.5 its end waits for ever for a run to be taken by a worker that is dead.
        pool._call_queue.cancel_join_thread()
        return pool

    def submit(self, spec: RunSpec, folder: str) -> Future[RunResult]:
        """Begin a run."""
        future: Future[RunResult] = self._pool.submit(execute, spec, folder)
        return future

    def do(self, work: Callable[..., _Made], *arguments: Any) -> _Made:
        """In one of the processes: what it needs must not stay with the one that goes on."""
        try:
            return self._done(work, *arguments)
        except BrokenExecutor:
            self.renew()
            return self._done(work, *arguments)

    def _done(self, work: Callable[..., _Made], *arguments: Any) -> _Made:
        future: Future[_Made] = self._pool.submit(work, *arguments)
        while not wait([future], _LOOK_EVERY_S).done:
            self.check()
        return future.result()

    def check(self) -> None:
        """End a pool with a dead process: died in the middle of its result, it would keep the pool waiting for the
        rest."""
        if connection.wait([process.sentinel for process in self._processes], 0):
            self._kill()

    @property
    def _processes(self) -> list[BaseProcess]:
        return list((self._pool._processes or {}).values())

    def _kill(self) -> None:
        for process in self._processes:
            process.kill()
        self._pool._result_queue._writer.close()  # ours was the last

    def renew(self) -> None:
        """A pool with a dead process takes no more work."""
        self._pool.shutdown(wait=False, cancel_futures=True)
        self._pool = self._begun()

    def end(self) -> None:
        """End all processes."""
        self._kill()
        self._pool.shutdown(wait=True, cancel_futures=True)


def _local_worker(zygote: str, environment: Mapping[str, str], coordinator: int) -> None:
    os.environ.update(environment)
    end_with_parent(coordinator)  # else it would go on in a folder that the next run works in
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the coordinator, which says when to stop
    prepare_worker(zygote)


class DaskWorkers:
    """The workers of a Dask cluster; each process has a zygote of its own. ``patience_s`` is how long it may be without
    any."""

    def __init__(self, client: Any, patience_s: float) -> None:
        self._client, self._patience_s = client, patience_s
        self._last_seen = time.monotonic()
        threads = client.nthreads()
        self.width = max(1, sum(threads.values()))
        self._machines = len({urlsplit(address).hostname for address in threads})
        self._fleet = secrets.token_hex(8)

    def submit(self, spec: RunSpec, folder: str) -> Future[RunResult]:
        """Begin a run. Dask itself begins it anew elsewhere when its worker dies."""
        executor = self._client.get_executor(pure=False, retries=0)
        future: Future[RunResult] = executor.submit(_on_cluster, spec, folder, self._machines, self._fleet)
        return future

    def do(self, work: Callable[..., _Made], *arguments: Any) -> _Made:
        """Here: the cluster is for runs."""
        return work(*arguments)

    def check(self) -> None:
        """Dask does that, as long as it has workers."""
        if self._any_left():
            self._last_seen = time.monotonic()
        elif time.monotonic() - self._last_seen > self._patience_s:
            raise WorkersGone("error.workers_gone", seconds=round(self._patience_s))

    def _any_left(self) -> bool:
        try:
            return bool(self._client.nthreads())
        except OSError:  # nor does the scheduler answer
            return False

    def renew(self) -> None:
        """The cluster's nannies do that."""

    def end(self) -> None:
        """Leave the cluster; it is not ours."""
        self._client.close()


def _on_cluster(spec: RunSpec, folder: str, machines: int, fleet: str) -> RunResult:
    os.environ.update(share_of(machines, fleet))
    return execute(spec, folder)


@contextmanager
def local(width: int) -> Iterator[Workers]:
    """Workers on this machine."""
    with shared_zygote() as zygote, shared_by_workers() as environment:
        workers = LocalWorkers(width, zygote, environment)
        try:
            yield workers
        finally:
            workers.end()


@contextmanager
def cluster(scheduler: str, patience_s: float = WORKERS_BACK_S) -> Iterator[Workers]:
    """The workers of the cluster at this address. Raises SetupError where there is none."""
    try:
        from distributed import Client
    except ImportError:
        raise SetupError("error.no_dask") from None
    try:
        client = Client(scheduler, timeout=_CONNECT_S, set_as_default=False)  # type: ignore[no-untyped-call]
    except (OSError, ValueError, TimeoutError) as error:
        raise SetupError("error.no_scheduler", address=scheduler, message=str(error)) from None
    workers = DaskWorkers(client, patience_s)
    try:
        yield workers
    finally:
        workers.end()


def completed(
    specs: Sequence[RunSpec], folder: Callable[[RunSpec], str], workers: Workers, stopped: Event | None = None
) -> Iterator[RunResult]:
    """Execute the runs and yield each as it ends; one that fails ends as an ``error`` and never ends the others. Raises
    SetupError where a folder cannot be written, WorkersGone where nobody is left to execute them.

    Once ``stopped`` is set nothing more is begun, and what runs has LAST_WAIT_S to come to its end.
    """
    waiting, tries = deque(specs), Counter[str]()
    running: dict[Future[RunResult], RunSpec] = {}
    until: float | None = None
    while waiting or running:
        if stopped is not None and stopped.is_set():
            waiting.clear()
            until = until or time.monotonic() + LAST_WAIT_S
            if time.monotonic() >= until:
                return
        # One more than there are workers, so that none is idle while its next run is begun.
        while waiting and len(running) <= workers.width:
            spec = waiting.popleft()
            tries[spec.name] += 1
            running[_begun(spec, folder(spec), workers)] = spec
        done, _ = wait(running, _LOOK_EVERY_S, FIRST_COMPLETED)
        if not done:
            workers.check()
        if any(isinstance(future.exception(), BrokenExecutor) for future in done if not future.cancelled()):
            workers.renew()
        for future in done:
            spec = running.pop(future)
            error = _error(future)
            if isinstance(error, SetupError):  # the folder cannot be written: that holds for every run
                raise error
            if error is None:
                yield future.result()
            elif tries[spec.name] < TRIES and isinstance(error, (BrokenExecutor, CancelledError)):
                waiting.append(spec)
            else:
                yield failed(spec, folder(spec), str(error) or type(error).__name__)


def execute_all(specs: Sequence[RunSpec], folder: Path, width: int) -> Iterator[RunResult]:
    """Execute the runs on this machine, each in a folder of its own below ``folder``, and yield each as it ends.

    Raises SetupError before anything runs when two runs share a name or a notebook lacks a parameter.
    """
    counted = Counter(spec.name for spec in specs)
    doubled = sorted(name for name, count in counted.items() if count > 1)
    if doubled:
        raise SetupError("error.runs_named_alike", names=doubled)
    for spec in specs:
        refuse_unknown_parameters(spec)
    with local(width) as workers:
        yield from completed(specs, lambda spec: str(folder / spec.name), workers)


def _begun(spec: RunSpec, folder: str, workers: Workers) -> Future[RunResult]:
    try:
        return workers.submit(spec, folder)
    except BrokenExecutor:
        workers.renew()
        return workers.submit(spec, folder)


def _error(future: Future[RunResult]) -> BaseException | None:
    return CancelledError("cancelled") if future.cancelled() else future.exception()
