"""The machine-readable result of a diagnosis: saved as ``result.json`` and shown once inside the executed notebook."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from vmbackup import sanitize
from vmbackup.catalog.words import sentence
from vmbackup.diagnosis import Diagnosis
from vmbackup.model import Evidence, Step, Target
from vmbackup.runs.state import State

SCHEMA = "vmbackup.result/1"
MIME_TYPE = "application/vnd.vmbackup.result+json"


def as_json(
    target: Target,
    diagnosis: Diagnosis,
    evidence: Evidence,
    language: str,
    receipts: Sequence[Mapping[str, Any]] = (),
    proof: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """``{schema, target, section, outcome, probable_cause, steps: [{number, cause, addition, verdict, findings}], …}``.

    ``remedies`` are the receipts of what was changed; ``proof`` is null, or the end of the retry with ``fixed``.

    ``probable_cause`` is null when nothing was found that explains a failure; ``weight`` says what speaks for it
    (``named``, ``seen``, ``rule`` or ``general``); ``denied`` lists the RBAC actions that were missing. Each finding
    carries its check, verdict, reason, values, the facts it read, and the sentence in ``language``.
    """
    content = {
        "schema": SCHEMA,
        "target": {
            "subscription_id": target.subscription_id,
            "resource_group": target.resource_group,
            "vm_name": target.vm_name,
            "vm_id": target.vm_id,
        },
        "section": diagnosis.section,
        "language": language,
        "outcome": str(diagnosis.outcome),
        "probable_cause": diagnosis.probable.cause if diagnosis.probable else None,
        "weight": str(diagnosis.weight) if diagnosis.weight else None,
        "next_cause": diagnosis.next.cause if diagnosis.next else None,
        "steps": [_step(step, evidence, language) for step in diagnosis.steps],
        "missing_facts": list(diagnosis.missing),
        "denied": list(diagnosis.denied),
        "remedies": list(receipts),
        "proof": proof,
    }
    return dict(sanitize.data(content))


def result_of(state: State) -> dict[str, Any]:
    """The result of a run, as it stands."""
    receipts = [receipt.as_json() for receipt in state.receipts]
    proof = state.proof.as_json() if state.proof else None
    return as_json(state.target, state.diagnosis(), state.evidence, state.language, receipts, proof)


def _step(step: Step, evidence: Evidence, language: str) -> dict[str, Any]:
    findings = [
        {
            "check": finding.check,
            "verdict": str(finding.verdict),
            "reason": finding.reason,
            "values": dict(finding.values),
            "evidence": list(finding.evidence),
            "sentence": sentence(finding, evidence, language),
        }
        for finding in step.findings
    ]
    return {
        "number": step.number,
        "cause": step.cause,
        "addition": step.addition,
        "verdict": str(step.verdict),
        "findings": findings,
    }
