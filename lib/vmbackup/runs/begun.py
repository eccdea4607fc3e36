"""A headless run that may change something, from its beginning to its end: which receipts are its own.

    begun.json    {receipts: how many receipts the run folder held before}

Where this file is, the run has not come to its end, or does not know how one of its changes ended. It is the fleet
that writes and removes it: of a single notebook nobody could say whether it goes on or begins anew.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, TypedDict

from vmbackup.facts import schema
from vmbackup.remedies.receipt import BACKUP, Receipt
from vmbackup.runs.folder import BEGUN, RunFolder

if TYPE_CHECKING:
    from vmbackup.remedies.retry.proof import Proof
    from vmbackup.runs.run import Run


class _Begun(TypedDict):
    receipts: int


def begin(files: RunFolder) -> None:
    """Note that a run begins, or goes on. Raises SetupError."""
    if _before(files) is None:
        files.write(BEGUN, json.dumps(_Begun(receipts=len(files.journal.receipts()))).encode())


def end(files: RunFolder) -> None:
    """Note that it came to its end; not while it is unknown how one of its changes ended. Raises SetupError."""
    if not files.journal.unfinished():
        files.delete(BEGUN)


def take_over(run: Run) -> None:
    """Let a run have what it changed, and the backup that proved it, before it was interrupted."""
    own, earlier = _receipts(run.files), run.earlier
    if own and earlier:
        run.receipts, run.before = [each for each in own if each.remedy != BACKUP], run.before or earlier.before
        run.proof = _proof(own, earlier.saved.proof)
        run.save()


def is_proven(run: Run) -> bool:
    """Whether the run backed up already, and changed nothing since."""
    return _proof(_receipts(run.files), run.proof) is not None


def _proof(own: list[Receipt], proof: Proof | None) -> Proof | None:
    """The proof of the run's last backup, unless something was changed after it."""
    # To close what an interruption left sends nothing.
    made = [each for each in own if each.outcome != "superseded"]
    is_last = bool(made) and made[-1].remedy == BACKUP
    return proof if is_last and proof and proof.job == made[-1].after.get("job") else None


def _receipts(files: RunFolder) -> list[Receipt]:
    before = _before(files)
    return [] if before is None else files.journal.receipts()[before:]


def _before(files: RunFolder) -> int | None:
    try:
        content = json.loads(files.read(BEGUN) or b"null")
    except (ValueError, RecursionError):
        return None
    return None if schema.error(content, _Begun) or content["receipts"] < 0 else int(content["receipts"])
