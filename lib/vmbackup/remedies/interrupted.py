"""What earlier runs began on a VM and did not finish: what is continued, and why the rest is not. Pure.

Only what is still needed is continued: the problem exists now, a request was sent, and it is recent. Only its name
comes from the journal: the plan is made from Azure's current state and needs its own consent.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from vmbackup import clock
from vmbackup.catalog import remedies as catalogue
from vmbackup.checks.base import load, run
from vmbackup.model import Evidence, Target, Verdict, data_of, operating_system
from vmbackup.remedies.journal import Operation
from vmbackup.remedies.plan import Plan, planned
from vmbackup.remedies.values import values

_CLOCKS_DIFFER_S = 300


@dataclass(frozen=True, slots=True)
class Interrupted:
    """What earlier runs began and did not close.

    ``continued`` are the plans that go on with it; ``superseded`` is what nobody continues, each with the key of the
    reason in ``ui_remedies.yaml``; for the ``undecided`` it is not known whether their problem still exists.
    """

    continued: tuple[Plan, ...] = ()
    superseded: tuple[tuple[Operation, str], ...] = ()
    undecided: tuple[Operation, ...] = ()


def interrupted(
    operations: Iterable[Operation], found: Sequence[Plan], evidence: Evidence, target: Target, language: str
) -> Interrupted:
    """Sort what was left open on this VM. ``found`` are the plans for what is a problem now."""
    continued: dict[tuple[str, str, str], Plan] = {}
    superseded: list[tuple[Operation, str]] = []
    undecided: list[Operation] = []
    for each in _of_remedies(operations, target):
        reason = _outdated(each, evidence)
        plan = None if reason else _continuing(each, found, evidence, target, language)
        if plan:
            earlier = continued.get(plan.change)
            if earlier and earlier.continues:
                superseded.append((earlier.continues, "repeated"))
            continued[plan.change] = plan
        elif reason is None and _is_open(each, evidence):
            undecided.append(each)
        else:
            superseded.append((each, reason or "problem_gone"))
    return Interrupted(tuple(continued.values()), tuple(superseded), tuple(undecided))


def unended(operations: Iterable[Operation], target: Target) -> list[Operation]:
    """The changes of this VM that were sent, and of which it is not known how they ended."""
    return [each for each in _of_remedies(operations, target) if each.sent]


def continued_first(left: Interrupted, found: Iterable[Plan]) -> list[Plan]:
    """What is to be continued, then what was found beside it."""
    names = {each.remedy for each in left.continued}
    return [*left.continued, *(each for each in found if each.remedy not in names)]


def left_off(plan: Plan, evidence: Evidence) -> bool:
    """Whether the VM is still as an interruption of this very plan left it: stopped, to be started again."""
    interim = plan.entry["change"]["interim_power"]
    power = (data_of(evidence, "vm.power") or {}).get("power")
    return plan.continues is not None and interim is not None and power == interim


def _of_remedies(operations: Iterable[Operation], target: Target) -> list[Operation]:
    """Those of remedies that can be applied to this VM."""
    found = (each for each in operations if each.vm_id.lower() == target.vm_id.lower())
    return [each for each in found if catalogue.remedies().get(each.remedy, {}).get("change")]


def _outdated(operation: Operation, evidence: Evidence) -> str | None:
    if not operation.sent:
        return "not_sent"
    age_s = clock.seconds_between(operation.begun_at, clock.azure_now(evidence))
    if age_s is None:
        return "no_time"
    limit_s = catalogue.remedies()[operation.remedy]["change"]["continue_h"] * 3600
    return None if -_CLOCKS_DIFFER_S <= age_s <= limit_s else "too_old"


def _continuing(
    operation: Operation, found: Sequence[Plan], evidence: Evidence, target: Target, language: str
) -> Plan | None:
    """The plan for the same change, made from what Azure says now; None where its problem is gone."""
    same = (operation.remedy, operation.resource.lower())
    # A plan without a value, such as that of a job which has ended, is none for the same change.
    whole = (each for each in found if not each.missing)
    plan = next((each for each in whole if (each.remedy, each.resource.lower()) == same), None)
    if plan is None:
        filled = values(target, evidence, ())
        plan = planned(operation.remedy, _cures(operation), filled, evidence, target, language)
        if plan.resource.lower() != same[1] or not left_off(replace(plan, continues=operation), evidence):
            return None
    # The VM may be changing because of this very remedy.
    refusals = tuple(each for each in plan.refusals if each.key != "vm_changing")
    return replace(plan, continues=operation, refusals=refusals)


def _cures(operation: Operation) -> tuple[str, ...]:
    """The checks it was for; those of its remedy where the journal names none of them."""
    checks = dict.fromkeys(name.partition(":")[0] for name in catalogue.remedies()[operation.remedy]["checks"])
    return tuple(each for each in checks if each in operation.cures) or tuple(checks)


def _is_open(operation: Operation, evidence: Evidence) -> bool:
    """Whether a check that it was for does not say that all is well: it cannot tell, or there is another problem now,
    such as an extension that is being deleted."""
    os = operating_system(evidence)
    verdicts = [run(load()[check], evidence, os).verdict for check in _cures(operation)]
    return Verdict.UNKNOWN in verdicts or Verdict.PROBLEM in verdicts
