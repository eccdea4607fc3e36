"""Many runs at the same time: on this machine in a pool of processes, or on the workers of a Dask cluster.

A worker that dies takes nothing with it but its own runs; those are tried once more, on another.
"""

from __future__ import annotations

import os
import secrets
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, CancelledError, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from threading import Event
from typing import Any, Protocol, TypeVar
from urllib.parse import urlsplit

from vmbackup.fleet.execute import RunResult, RunSpec, execute, failed, refuse_unknown_parameters
from vmbackup.fleet.nursery import shared_zygote
from vmbackup.fleet.sharing import share_of, shared_by_workers
from vmbackup.fleet.worker_process import WorkerDied, WorkerProcess
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
        """Raises WorkersGone where nobody is left to do the runs."""
        ...

    def end(self) -> None:
        """End all workers at once, whatever they do."""
        ...


class LocalWorkers:
    """Processes of this machine that share one zygote, and what their ``environment`` names. A thread for each hands it
    its work, and replaces it when it dies."""

    def __init__(self, width: int, zygote: str, environment: Mapping[str, str] = {}) -> None:
        self.width = width
        self._new_process = partial(WorkerProcess, zygote, environment)
        self._threads = ThreadPoolExecutor(width, "worker")
        self._of_thread = threading.local()
        self._processes: list[WorkerProcess] = []
        self._starting, self._ended = threading.Lock(), False

    def submit(self, spec: RunSpec, folder: str) -> Future[RunResult]:
        """Begin a run."""
        return self._threads.submit(self._call, execute, spec, folder)

    def do(self, work: Callable[..., _Made], *arguments: Any) -> _Made:
        """In one of the processes: what it needs must not stay with the one that goes on."""
        try:
            return self._threads.submit(self._call, work, *arguments).result()
        except WorkerDied:
            return self._threads.submit(self._call, work, *arguments).result()

    def _call(self, work: Callable[..., _Made], *arguments: Any) -> _Made:
        process: WorkerProcess = getattr(self._of_thread, "process", None) or self._start()
        self._of_thread.process = process
        try:
            return process.call(work, *arguments)
        except WorkerDied:
            self._of_thread.process = None
            raise

    def _start(self) -> WorkerProcess:
        with self._starting:
            if self._ended:
                raise CancelledError("ended")
            # Linux ends it with the thread that starts it (end_with_parent): this one lives as long as the pool.
            self._processes.append(self._new_process())
            return self._processes[-1]

    def check(self) -> None:
        """A thread whose process died starts another."""

    def end(self) -> None:
        """End all processes."""
        with self._starting:
            self._ended = True
        for process in self._processes:
            process.kill()
        self._threads.shutdown(wait=True, cancel_futures=True)


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
        """Dask begins the runs of a dead worker anew, as long as it has workers."""
        if self._any_left():
            self._last_seen = time.monotonic()
        elif time.monotonic() - self._last_seen > self._patience_s:
            raise WorkersGone("error.workers_gone", seconds=round(self._patience_s))

    def _any_left(self) -> bool:
        try:
            return bool(self._client.nthreads())
        except OSError:  # nor does the scheduler answer
            return False

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
            running[workers.submit(spec, folder(spec))] = spec
        done, _ = wait(running, _LOOK_EVERY_S, FIRST_COMPLETED)
        if not done:
            workers.check()
        for future in done:
            spec = running.pop(future)
            error = _error(future)
            if isinstance(error, SetupError):  # the folder cannot be written: that holds for every run
                raise error
            if error is None:
                yield future.result()
            elif tries[spec.name] < TRIES and isinstance(error, (WorkerDied, CancelledError)):
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


def _error(future: Future[RunResult]) -> BaseException | None:
    return CancelledError("cancelled") if future.cancelled() else future.exception()
