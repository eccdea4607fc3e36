"""Locks: one process at a time may change a VM and write the journal of a run folder.

Two locks are taken for a change. The folder's keeps two processes out of one run folder, also on two machines that
share it; the VM's, in the user's state folder, keeps two run folders from changing one VM. A lock on this machine
belongs to the process and ends with it. In an object store it is an object, created only if absent and renewed while
it is held.
"""

from __future__ import annotations

import getpass
import hashlib
import json
import os
import platform
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import datetime, timezone
from typing import Any

from filelock import FileLock, Timeout
from platformdirs import user_state_path

from vmbackup.runs.storage import LocalStorage, Storage

LOCK_FILE = "lock"
HOLDER_FILE = "lock.json"
LAST_CHANGE = "last_change"
"""Beside the VM's lock: its content changes with each change that this user's processes send."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How patient the lock in an object store is.

    An object is renewed every ``renew_s``; one that was not for ``stale_s`` belongs to a process that is gone. Some
    stores create "if absent" by looking first: whoever still owns the object after ``settle_s`` has it.
    """

    renew_s: float = 20.0
    stale_s: float = 120.0
    settle_s: float = 1.0


@dataclass(frozen=True, slots=True)
class Holder:
    """Who holds a lock; ``since`` is this machine's clock, ISO 8601 UTC."""

    pid: int
    host: str
    user: str
    since: str

    @classmethod
    def this_process(cls) -> Holder:
        """This process, from now on."""
        return cls(os.getpid(), platform.node(), _user(), datetime.now(timezone.utc).isoformat(timespec="seconds"))


class Held(Exception):
    """Somebody else holds the lock; ``holder`` is None where that cannot be read."""

    def __init__(self, holder: Holder | None) -> None:
        super().__init__(str(holder))
        self.holder = holder


StillHeld = Callable[[], bool]
"""Asked before each change: an object's lock can be lost while this process sleeps, a process's own cannot."""


@contextmanager
def folder_lock(storage: Storage, pace: Pace = Pace()) -> Iterator[StillHeld]:
    """Hold the run folder. Raises Held at once when another process or thread does, and OSError."""
    if isinstance(storage, LocalStorage):
        storage.make()
        with _process_lock(storage):
            yield lambda: True
    else:
        lease = _Lease(storage, pace)
        lease.take()
        with lease.renewed():
            yield lease.held


@contextmanager
def vm_lock(endpoint: str, vm_id: str) -> Iterator[LocalStorage]:
    """Hold the VM, for this user on this machine; yields the folder of its state. Raises Held at once, and OSError."""
    storage = vm_state(endpoint, vm_id)
    storage.make()
    with _process_lock(storage):
        yield storage


def vm_state(endpoint: str, vm_id: str) -> LocalStorage:
    """Where this user's processes on this machine note what they do to a VM."""
    key = hashlib.sha256(f"{endpoint}{vm_id}".lower().encode()).hexdigest()[:32]
    return LocalStorage(user_state_path("vmbackup", appauthor=False) / "vms" / key)


@contextmanager
def _process_lock(storage: LocalStorage) -> Iterator[None]:
    lock = FileLock(storage.folder / LOCK_FILE, timeout=0, mode=0o600)
    try:
        lock.acquire()
    except Timeout:
        raise Held(_holder(storage)) from None
    try:
        storage.write(HOLDER_FILE, json.dumps(asdict(Holder.this_process())).encode())
        yield
    finally:
        with suppress(OSError):
            storage.delete(HOLDER_FILE)
        lock.release()


class _Lease:
    """The lock of a folder in an object store."""

    def __init__(self, storage: Storage, pace: Pace) -> None:
        self._storage, self._pace = storage, pace
        self._token = os.urandom(8).hex()
        self._own = {**asdict(Holder.this_process()), "token": self._token}

    def take(self) -> None:
        """Create the object; an abandoned one is removed first. Raises Held."""
        if not self._create() and not (self._is_stale() and self._create()):
            raise Held(_holder(self._storage))
        time.sleep(self._pace.settle_s)
        if not self.held():
            raise Held(_holder(self._storage))

    def held(self) -> bool:
        """Whether the object is still this process's. False where that cannot be seen."""
        try:
            return _content(self._storage).get("token") == self._token
        except OSError:
            return False

    @contextmanager
    def renewed(self) -> Iterator[None]:
        """Renew the object until the end of the block, and remove it then."""
        stop = threading.Event()
        renewing = threading.Thread(target=self._renew, args=(stop,), daemon=True)
        renewing.start()
        try:
            yield
        finally:
            stop.set()
            renewing.join()
            with suppress(OSError):
                if self.held():
                    self._storage.delete(HOLDER_FILE)

    def _renew(self, stop: threading.Event) -> None:
        while not stop.wait(self._pace.renew_s):
            with suppress(OSError):
                if not self.held():
                    return
                self._storage.write(HOLDER_FILE, self._written())

    def _create(self) -> bool:
        return self._storage.create(HOLDER_FILE, self._written())

    def _written(self) -> bytes:
        return json.dumps({**self._own, "renewed": time.time()}).encode()

    def _is_stale(self) -> bool:
        """Whether the object is abandoned; then it is removed. Clocks differ, so it is also watched for a while."""
        found = _content(self._storage)
        renewed = found.get("renewed")
        if isinstance(renewed, float) and time.time() - renewed < self._pace.stale_s:
            return False
        time.sleep(2 * self._pace.renew_s)
        if _content(self._storage) != found:
            return False
        self._storage.delete(HOLDER_FILE)
        return True


def _holder(storage: Storage) -> Holder | None:
    with suppress(OSError, KeyError, TypeError, ValueError):
        found = _content(storage)
        return Holder(int(found["pid"]), *(str(found[key]) for key in ("host", "user", "since")))
    return None


def _content(storage: Storage) -> dict[str, Any]:
    try:
        found = json.loads(storage.read(HOLDER_FILE, 4096) or b"{}")
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a container without a user database
        return "-"
