"""One at a time: whoever comes second is told who holds the lock, in any store; one left behind is taken over."""

from __future__ import annotations

import json
import os
import signal
import sys
import textwrap
from pathlib import Path

import pytest

from processes import started
from vmbackup.runs import lock
from vmbackup.runs.lock import Held, Holder, Pace, folder_lock, vm_lock
from vmbackup.runs.storage import Storage, at

BRISK = Pace(renew_s=0.05, settle_s=0.05)


@pytest.fixture(params=["local", "memory"])
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> Storage:
    return at(tmp_path if request.param == "local" else f"memory://{tmp_path.name}")


def test_whoever_comes_second_is_told_who_holds_it(storage: Storage) -> None:
    with folder_lock(storage, BRISK) as still_held:
        with pytest.raises(Held) as refused, folder_lock(storage, BRISK):
            pass
        assert refused.value.holder is not None
        assert refused.value.holder.pid == os.getpid()
        assert still_held()
    with folder_lock(storage, BRISK):
        pass


def test_an_object_that_another_took_is_no_longer_held(tmp_path: Path) -> None:
    storage = at(f"memory://{tmp_path.name}")
    with folder_lock(storage, BRISK) as still_held:
        storage.write(lock.HOLDER_FILE, b'{"token": "another\'s"}')
        assert not still_held()
    assert storage.read(lock.HOLDER_FILE) == b'{"token": "another\'s"}'


@pytest.mark.parametrize("left", [b"", b"{", b"[1]", b"[" * 4000, json.dumps({"pid": 1, "renewed": 5.0}).encode()])
def test_an_object_that_nobody_renews_is_taken_over(storage: Storage, left: bytes) -> None:
    storage.write(lock.HOLDER_FILE, left)
    with folder_lock(storage, BRISK) as still_held:
        assert still_held()


def test_one_vm_is_changed_from_one_folder_at_a_time() -> None:
    with vm_lock("https://a", "/subscriptions/s/vm"):
        with pytest.raises(Held), vm_lock("https://a", "/SUBSCRIPTIONS/s/vm"):
            pass
        with vm_lock("https://a", "/subscriptions/s/other"), vm_lock("https://b", "/subscriptions/s/vm"):
            pass


CHILD = """
    import sys, time
    from vmbackup.runs.lock import folder_lock
    from vmbackup.runs.storage import at
    with folder_lock(at(sys.argv[1])):
        print("held", flush=True)
        time.sleep(60)
"""


def test_a_lock_ends_with_its_process(tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", textwrap.dedent(CHILD), str(tmp_path)]
    with started(command, env=environment) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "held\n"
        with pytest.raises(Held) as refused, folder_lock(at(tmp_path)):
            pass
        mine = Holder.this_process()
        assert refused.value.holder == Holder(child.pid, mine.host, mine.user, refused.value.holder.since)
        child.send_signal(signal.SIGKILL)
        child.wait()
    with folder_lock(at(tmp_path)):
        pass
