"""Evidence on disk: what was found out about one VM, saved so that anyone can run the same runbook over it later.

The file is JSON: ``{"schema", "target", "collected_at", "facts": {name: {status, data, why, …}}}``; see :func:`save`.
Standard library only, pure but for reading and writing that one file.
"""

from __future__ import annotations

import json
import os
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

from vmbackup import sanitize
from vmbackup.facts.azure import FACTS
from vmbackup.facts.guest import GUEST_FACTS
from vmbackup.facts.linux import FACTS_LINUX
from vmbackup.facts.schema import mismatch
from vmbackup.facts.windows import FACTS_WINDOWS
from vmbackup.model import Evidence, Fact, FactStatus, SetupError, Target

SCHEMA = "vmbackup.evidence/1"
SHAPES = {**FACTS, **GUEST_FACTS, **FACTS_LINUX, **FACTS_WINDOWS}
LARGEST_MB = 50


def save(path: Path, target: Target, evidence: Evidence) -> None:
    """Write the evidence; secrets are removed, and a reader never sees half a file."""
    facts = {name: asdict(fact) for name, fact in sorted(evidence.items())}
    write_json(path, sanitize.data({"schema": SCHEMA, "target": asdict(target), "facts": facts}))


def load(path: Path) -> tuple[Target, dict[str, Fact]]:
    """Read what :func:`save` wrote. Raises SetupError for a file that is missing, corrupt, foreign or too large."""
    try:
        if path.stat().st_size > LARGEST_MB * 1024 * 1024:
            raise SetupError(f"{path} is larger than {LARGEST_MB} MB: this is no evidence file.")
        saved = json.loads(path.read_text("utf-8"))
    except OSError as error:
        raise SetupError(f"Cannot read the evidence file {path}: {error.strerror}. Check evidence_file.") from None
    except (ValueError, RecursionError):
        raise SetupError(f"{path} is not readable as JSON: the evidence file is damaged or something else.") from None
    if not isinstance(saved, dict) or saved.get("schema") != SCHEMA:
        found = saved.get("schema") if isinstance(saved, dict) else None
        raise SetupError(f"{path} is no evidence of this version: schema is {found!r}, expected {SCHEMA!r}.")
    try:
        target = Target(**saved["target"])
        facts = {str(name): _fact(fact) for name, fact in saved["facts"].items()}
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise SetupError(f"{path} is damaged: {type(error).__name__} at {sanitize.text(error)}.") from None
    if not facts:
        raise SetupError(f"{path} holds no facts: there is nothing to walk over.")
    for name, fact in facts.items():
        told = fact.status is FactStatus.OK or fact.data is not None
        fault = mismatch(fact.data, SHAPES[name], name) if told and name in SHAPES else None
        if fault:
            raise SetupError(f"{path} is damaged: {sanitize.text(fault)}.")
    return target, facts


def _fact(saved: dict[str, Any]) -> Fact:
    taken_at, why = saved["taken_at"], saved["why"]
    details = {str(name): str(value) for name, value in saved["details"].items()}
    if not all(word is None or isinstance(word, str) for word in (taken_at, why)):
        raise TypeError("taken_at and why must be texts")
    return Fact(
        FactStatus(saved["status"]),
        saved["data"],
        why,
        details,
        tuple(str(request) for request in saved["how"]),
        taken_at,
        int(saved["took_ms"]),
    )


def write_json(path: Path, content: Any) -> None:
    """Write JSON to a temporary file beside it, then rename. Raises SetupError where that cannot be done."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(content, file, ensure_ascii=False, indent=1, sort_keys=True)
            file.write("\n")
        os.replace(temporary, path)
    except OSError as error:
        raise SetupError(f"Cannot write {path}: {error.strerror}. Give another run folder (run_folder).") from None
