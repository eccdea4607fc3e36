"""What a ticket says: what failed, since when, why, what was done, whether that is proved, what is unknown. Pure.

The failure and its cause are those from before the first change, so that a remedy does not erase them.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass

from vmbackup import clock
from vmbackup.diagnosis import Diagnosis, Outcome
from vmbackup.facts.backup import FailedJob, RecoveryPoint
from vmbackup.model import Evidence, Fact, FactStatus, Step, Target, Verdict, Word, data_of, operating_system
from vmbackup.remedies.plan import Plan, plan
from vmbackup.remedies.receipt import Receipt
from vmbackup.remedies.retry.proof import Proof, last_good
from vmbackup.remedies.retry.schedule import longest_gap_h
from vmbackup.runs.state import State


class Standing(Word):
    """Where the incident stands."""

    FIXED = "fixed"
    NOT_FIXED = "not_fixed"
    UNPROVED = "unproved"
    CAUSE_FOUND = "cause_found"
    UNDECIDED = "undecided"
    NOTHING_FAILED = "nothing_failed"


@dataclass(frozen=True, slots=True)
class Incident:
    """One failed backup, as its ticket describes it.

    ``failure`` is the job that failed, or ``failure_fact`` says why there is none; ``last_good`` the last good point
    before it and ``age_s`` how old that was at ``at``, ``late_s`` how far that is beyond the policy (None: not known).
    ``diagnosis`` is that of the failure, on ``evidence``; ``today`` is today's, on ``now``. ``gaps`` are the questions
    without an answer, ``command`` is the next thing to type.
    """

    target: Target
    vault: str | None
    simulated: str | None
    replayed: bool
    at: str | None
    standing: Standing
    failure: FailedJob | None
    failure_fact: Fact | None
    last_good: RecoveryPoint | None
    points_known: bool
    age_s: float | None
    late_s: float | None
    diagnosis: Diagnosis
    evidence: Evidence
    today: Diagnosis
    now: Evidence
    receipts: Sequence[Receipt]
    proof: Proof | None
    remedy: Plan | None
    command: str
    gaps: Evidence


def incident(state: State) -> Incident:
    """The incident, as the run stands."""
    then: Evidence = state.before or state.evidence
    today = state.diagnosis()
    remedy = _remedy(state, today.probable)
    standing = _standing(state, today.outcome)
    point, age_s, late_s = _last_good(then)
    return Incident(
        target=state.target,
        vault=_vault(state.evidence) or state.target.vault_id,
        simulated=state.parameters.scenario if state.parameters.azure == "simulator" else None,
        replayed=state.parameters.azure == "replay",
        at=clock.azure_now(state.evidence),
        standing=standing,
        failure=data_of(then, "backup.failed_job"),
        failure_fact=then.get("backup.failed_job"),
        last_good=point,
        points_known=_answered(then.get("backup.recovery_points")),
        age_s=age_s,
        late_s=late_s,
        diagnosis=state.diagnosis_of(then),
        evidence=then,
        today=today,
        now=state.evidence,
        receipts=tuple(state.receipts),
        proof=state.proof,
        remedy=remedy,
        command=_command(state, standing, remedy),
        gaps={
            name: fact
            for name, fact in state.evidence.items()
            if fact.status in (FactStatus.DENIED, FactStatus.FAILED) and fact.why
        },
    )


def _standing(state: State, outcome: Outcome) -> Standing:
    if state.proof is not None:
        known = {Verdict.OK: Standing.FIXED, Verdict.PROBLEM: Standing.NOT_FIXED}
        return known.get(state.proof.verdict, Standing.UNPROVED)
    if any(receipt.cured for receipt in state.receipts):
        return Standing.UNPROVED
    known_outcomes = {Outcome.CAUSE_FOUND: Standing.CAUSE_FOUND, Outcome.NO_CAUSE_FOUND: Standing.NOTHING_FAILED}
    standing = known_outcomes.get(outcome, Standing.UNDECIDED)
    failed = data_of(state.before or state.evidence, "backup.failed_job")
    # A failed backup without a known cause is not settled.
    return Standing.UNDECIDED if standing is Standing.NOTHING_FAILED and failed and not state.before else standing


def _last_good(evidence: Evidence) -> tuple[RecoveryPoint | None, float | None, float | None]:
    """The last good point, its age, and how far that is beyond what the policy promises (0: it is kept)."""
    policy = data_of(evidence, "backup.policy")
    points = data_of(evidence, "backup.recovery_points") or []
    point = last_good(points, policy, operating_system(evidence))
    age_s = clock.seconds_between(point["time"] if point else None, clock.azure_now(evidence))
    wanted_h = longest_gap_h(policy)
    late_s = max(0.0, age_s - wanted_h * 3600) if age_s is not None and wanted_h is not None else None
    return point, age_s, late_s


def _remedy(state: State, probable: Step | None) -> Plan | None:
    """The remedy to apply first for the cause that is there now."""
    if probable is None:
        return None
    plans = [each for each in plan(probable, state.evidence, state.target, state.language) if each.offered]
    return next((each for each in plans if each.doable), plans[0] if plans else None)


def _command(state: State, standing: Standing, remedy: Plan | None) -> str:
    """The next command for this VM; empty where there is nothing left to do."""
    if standing is Standing.FIXED or standing is Standing.NOTHING_FAILED:
        return ""
    if standing is Standing.UNPROVED:
        return _of_vm(state, "retry")
    if remedy is None:
        return _of_vm(state, "diagnose")
    if remedy.applicable:
        return _of_vm(state, "apply", remedy.remedy)
    return remedy.commands[0].text if remedy.commands else _of_vm(state, "plan")


def _of_vm(state: State, *words: str) -> str:
    scenario = state.parameters.scenario if state.parameters.azure == "simulator" else ""
    vm = ["--scenario", scenario] if scenario else ["--vm-id", state.target.vm_id]
    return shlex.join(["vmbackup", *words, *vm])


def _vault(evidence: Evidence) -> str | None:
    protection = data_of(evidence, "backup.protection")
    return str(protection["vault_id"]) if protection else None


def _answered(fact: Fact | None) -> bool:
    return fact is not None and fact.answered
