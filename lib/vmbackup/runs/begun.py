"""A headless run that may change something, from its beginning to its end: which receipts are its own.

    begun.json    {receipts: how many receipts the run folder held before, fleet: whether a fleet notes the end}

Where this file is, a run has not come to its end, or does not know how one of its changes ended. Whoever then asks for
changes in this folder goes on with that run: its changes are made, and a backup that it made is not made again, unless
something was changed since. Where the file is not, a new run begins, and with it a new backup.

A notebook comes to its end with its last cell, a VM of a fleet once its executed notebook is written.
"""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, TypedDict

from vmbackup import clock
from vmbackup.facts import schema
from vmbackup.failures.jobs import backups
from vmbackup.model import Evidence, data_of
from vmbackup.remedies.receipt import BACKUP, Receipt
from vmbackup.remedies.retry.proof import Proof
from vmbackup.runs.folder import BEGUN, RunFolder

if TYPE_CHECKING:
    from vmbackup.runs.run import Run

_PROVES_FOR = timedelta(days=1)


class _Begun(TypedDict):
    receipts: int
    fleet: bool | None


def begin(files: RunFolder, *, fleet: bool = False) -> int:
    """Note that a run begins, or goes on; returns how many receipts are not its own. Raises SetupError."""
    found = _noted(files)
    before = len(files.journal.receipts()) if found is None else found["receipts"]
    if found is None or (fleet and not found["fleet"]):
        files.write(BEGUN, json.dumps(_Begun(receipts=before, fleet=fleet)).encode())
    return before


def end(files: RunFolder, *, fleet: bool = False) -> None:
    """Note that it came to its end; not while it is unknown how one of its changes ended, and of a fleet's run only the
    fleet knows. Raises SetupError."""
    found = _noted(files)
    if found and (fleet or not found["fleet"]) and not files.journal.unfinished():
        files.delete(BEGUN)


def take_over(run: Run, before: int) -> None:
    """Let a run have what it changed, and the backup that proved it, before it was interrupted."""
    own = _own_receipts(run, before)
    if own:
        run.receipts = [each for each in own if each.remedy != BACKUP]
        run.before = run.before or run.files.evidence_before()
        run.proof = _proof(own, run.evidence)
        run.save()


def is_proven(run: Run, before: int | None) -> bool:
    """Whether the run backed up already, and changed nothing since."""
    return before is not None and _proof(_own_receipts(run, before), run.evidence) is not None


def _own_receipts(run: Run, before: int) -> list[Receipt]:
    return run.files.journal.receipts()[before:]


def _proof(own: list[Receipt], evidence: Evidence) -> Proof | None:
    """The proof of the run's last backup; None where something was changed after it, or it tells nothing about today:
    it is older than a day, or another backup came later."""
    # To close what an interruption left sends nothing.
    made = [each for each in own if each.outcome != "superseded"]
    if not made or made[-1].remedy != BACKUP or not _is_last(made[-1], evidence):
        return None
    try:
        return Proof.from_json(made[-1].after)
    except ValueError:
        return None


def _is_last(backup: Receipt, evidence: Evidence) -> bool:
    ended, now = clock.parse(backup.ended_at), clock.parse(clock.azure_now(evidence))
    if ended is None or now is None or now - ended > _PROVES_FOR:
        return False
    starts = (clock.parse(each["start"]) for each in backups(data_of(evidence, "backup.jobs")))
    return not any(start and start > ended for start in starts)


def _noted(files: RunFolder) -> _Begun | None:
    try:
        content = json.loads(files.read(BEGUN) or b"null")
    except (ValueError, RecursionError):
        return None
    found = schema.coerce(content, _Begun)
    if schema.error(found, _Begun) or found["receipts"] < 0:  # type: ignore[index]
        return None
    return found  # type: ignore[return-value]
