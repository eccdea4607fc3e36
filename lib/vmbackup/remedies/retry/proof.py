"""Whether a backup proves that the fault is fixed: the job's end, its point, and what the policy requires. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, TypedDict

from vmbackup.checks.consistency import APPLICATION, wants_crash_only
from vmbackup.checks.vm_state import is_off
from vmbackup.facts import schema
from vmbackup.facts.backup import FailedJob, Policy, RecoveryPoint
from vmbackup.failures.triage import triage_job
from vmbackup.model import Verdict
from vmbackup.sanitize import shortened


@dataclass(frozen=True, slots=True)
class Proof:
    """The end of a retry. ``reason`` is a key of ``ui_remedies.yaml`` under ``proof`` with its ``values``.

    ``verdict`` is ok only for a completed job with a new point of the required consistency. ``section`` is the runbook
    to start over with when the job failed again, else None. Times are ISO 8601 UTC.
    """

    verdict: Verdict
    reason: str
    values: Mapping[str, Any] = field(default_factory=dict)
    job: str | None = None
    point: RecoveryPoint | None = None
    wanted: str = "unknown"
    section: str | None = None
    last_good: RecoveryPoint | None = None
    next_run: str | None = None
    next_run_h: float | None = None
    request_ids: tuple[str, ...] = ()

    @property
    def fixed(self) -> bool:
        """Whether the backup works again, proven."""
        return self.verdict is Verdict.OK

    def as_json(self) -> dict[str, Any]:
        """The proof as plain JSON."""
        return {**asdict(self), "verdict": str(self.verdict), "fixed": self.fixed}

    @classmethod
    def from_json(cls, content: Any) -> Proof:
        """What :meth:`as_json` made. Raises ValueError for anything else."""
        known: Any = schema.coerce(content, ProofJson)
        fault = schema.error(known, ProofJson, "proof")
        if fault:
            raise ValueError(fault)
        return cls(**{**known, "verdict": Verdict(known["verdict"]), "request_ids": tuple(known["request_ids"])})


class ProofJson(TypedDict):
    """A proof as a file keeps it."""

    verdict: str
    reason: str
    values: dict[str, Any]
    job: str | None
    point: RecoveryPoint | None
    wanted: str
    section: str | None
    last_good: RecoveryPoint | None
    next_run: str | None
    next_run_h: float | None
    request_ids: list[str]


def wanted(policy: Policy | None, power: str | None) -> str:
    """What a point must be: ``application``, ``crash``, ``crash_off`` (the VM is off) or ``unknown``."""
    if wants_crash_only(policy):
        return "crash"
    if is_off(power):
        return "crash_off"
    return "application" if policy is not None and power else "unknown"


def judge(status: str, job: FailedJob, points: list[RecoveryPoint], want: str, os: str | None) -> Proof:
    """What a job that ended in this ``status`` proves; ``points`` are those that did not exist before it."""
    message = azure_says(job)
    if status == "failed":
        return Proof(Verdict.PROBLEM, "failed_again", {"message": message}, wanted=want, section=section_of(job))
    if status == "cancelled":
        return Proof(Verdict.UNKNOWN, "cancelled", wanted=want)
    point = max(points, key=lambda each: each["time"] or "", default=None)
    if status == "completedwithwarnings":
        return Proof(
            Verdict.PROBLEM, "warnings", {"message": message}, point=point, wanted=want, section=section_of(job)
        )
    if status != "completed":
        return Proof(Verdict.UNKNOWN, "failed_again", {"message": f"{status} {message}".strip()}, wanted=want)
    if point is None:
        return Proof(Verdict.UNKNOWN, "no_point", wanted=want)
    verdict = _consistent((point["type"] or "").lower(), want, os)
    reason = {Verdict.OK: "fixed", Verdict.PROBLEM: "wrong_consistency"}.get(verdict, "consistency_unknown")
    values = {} if verdict is Verdict.OK else {"type": point["type"] or "-", "wanted": want}
    return Proof(verdict, reason, values, point=point, wanted=want)


def _consistent(kind: str, want: str, os: str | None) -> Verdict:
    if kind in APPLICATION:
        return Verdict.OK
    if kind == "filesystemconsistent":
        if os == "linux" or want in ("crash", "crash_off"):
            return Verdict.OK
        return Verdict.PROBLEM if os == "windows" and want == "application" else Verdict.UNKNOWN
    if kind == "crashconsistent":
        known = {"crash": Verdict.OK, "crash_off": Verdict.OK, "application": Verdict.PROBLEM}
        return known.get(want, Verdict.UNKNOWN)
    return Verdict.UNKNOWN


def section_of(job: FailedJob) -> str | None:
    """The runbook's section that the failure clearly belongs to."""
    triaged = triage_job(job)
    return triaged.section or next((each.section for each in triaged.candidates if each.section), None)


def azure_says(job: FailedJob) -> str:
    """The job's errors in Azure's words."""
    words = [" ".join(filter(None, (error["title"], error["text"]))) for error in job["errors"]]
    message = "; ".join([*filter(None, words), *filter(None, [job["dynamic_message"]])])
    return shortened(message, 600) or "-"


def last_good(points: list[RecoveryPoint], policy: Policy | None, os: str | None) -> RecoveryPoint | None:
    """The newest point with the consistency that the policy requires; None when there is none."""
    good = {*APPLICATION, *(["filesystemconsistent"] if os == "linux" else [])}
    if wanted(policy, "running") == "crash":
        good |= {"filesystemconsistent", "crashconsistent"}
    fit = [point for point in points if (point["type"] or "").lower() in good]
    return max(fit, key=lambda point: point["time"] or "", default=None)
