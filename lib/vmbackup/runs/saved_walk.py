"""What an operator did in a walk, kept in the run folder: steps skipped with their reasons, and how the retry ended.

What was found is in ``evidence.json`` beside it, what was changed in ``receipts.jsonl``. With the three, a walk goes on
after a restart, or on another machine that has the folder.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from vmbackup import sanitize
from vmbackup.model import SetupError, Verdict
from vmbackup.remedies.retry.proof import Proof
from vmbackup.runs.folder import write_json
from vmbackup.runs.state import Skip

SCHEMA = "vmbackup.walk/1"
FILE = "walk.json"


@dataclass(frozen=True, slots=True)
class SavedWalk:
    """One operator's walk. ``pasted_at`` is when guest output was pasted in, ``saved_at`` when anything last was."""

    vm_id: str
    section: str | None
    saved_at: str | None
    skipped: Mapping[str, Skip] = field(default_factory=dict)
    pasted_at: str | None = None
    proof: Proof | None = None


def save_walk(folder: Path, walk: SavedWalk) -> None:
    """Write ``walk.json``; a reader never sees half a file."""
    write_json(folder / FILE, sanitize.data({"schema": SCHEMA, **asdict(walk)}))


def load_walk(folder: Path) -> SavedWalk | None:
    """Read what :func:`save_walk` wrote; None where there is none. Raises SetupError for a damaged or foreign file."""
    path = folder / FILE
    try:
        saved = json.loads(path.read_text("utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError):
        raise SetupError(f"{path} is not readable: it is damaged. Delete it to begin the walk anew.") from None
    if not isinstance(saved, dict) or saved.pop("schema", None) != SCHEMA:
        raise SetupError(f"{path} is no walk of this version. Delete it to begin the walk anew.")
    try:
        skipped = {str(cause): Skip(str(each["reason"]), each["at"]) for cause, each in saved.pop("skipped").items()}
        return SavedWalk(**{**saved, "skipped": skipped, "proof": _proof(saved["proof"])})
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise SetupError(f"{path} is damaged: {type(error).__name__} at {error}. Delete it to begin anew.") from None


def _proof(saved: Mapping[str, Any] | None) -> Proof | None:
    if saved is None:
        return None
    given = {**saved, "verdict": Verdict(saved["verdict"]), "request_ids": tuple(saved["request_ids"])}
    return Proof(**given)
