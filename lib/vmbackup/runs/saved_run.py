"""What an operator did in a run, as ``run.json`` keeps it: read from a file, so every value is checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, TypedDict

from vmbackup.facts import schema
from vmbackup.remedies.retry.proof import Proof, ProofJson
from vmbackup.runs.state import Skip

SCHEMAS = ("vmbackup.run/1", "vmbackup.walk/1")
"""The present one, and that of ``walk.json``."""


class _SkipJson(TypedDict):
    reason: str
    at: str | None


class _RunJson(TypedDict):
    schema: str
    vm_id: str
    section: str | None
    saved_at: str | None
    skipped: dict[str, _SkipJson]
    pasted_at: str | None
    proof: ProofJson | None


@dataclass(frozen=True, slots=True)
class SavedRun:
    """What an operator did in a run. ``pasted_at`` is when guest output was pasted, ``saved_at`` when anything was
    saved last, both by Azure's clock; ``azure`` is which Azure was asked, ``scenario`` the world of a simulated one."""

    vm_id: str
    section: str | None
    saved_at: str | None
    skipped: Mapping[str, Skip] = field(default_factory=dict)
    pasted_at: str | None = None
    proof: Proof | None = None
    azure: str = "replay"
    scenario: str = ""

    def as_json(self) -> dict[str, Any]:
        """The content of ``run.json``."""
        return {"schema": SCHEMAS[0], **asdict(self)}

    @classmethod
    def from_json(cls, content: Any) -> SavedRun:
        """What :meth:`as_json` made, or an earlier version's walk. Raises ValueError for anything else."""
        fault = schema.error(schema.coerce(content, _RunJson), _RunJson, "run")
        if fault or content["schema"] not in SCHEMAS:
            raise ValueError(fault or f"schema is {content['schema']!r}, expected {SCHEMAS[0]!r}")
        skipped = {cause: Skip(each["reason"], each["at"]) for cause, each in content["skipped"].items()}
        proof = Proof.from_json(content["proof"]) if content["proof"] is not None else None
        source = [str(content.get(key, default)) for key, default in (("azure", "replay"), ("scenario", ""))]
        return cls(
            content["vm_id"], content["section"], content["saved_at"], skipped, content["pasted_at"], proof, *source
        )
