"""What comes after a remedy: what to look at again, and what an interrupted run left to be continued. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from vmbackup.catalog import remedies as catalogue
from vmbackup.checks.base import load
from vmbackup.model import Evidence, Fact, Target
from vmbackup.remedies.journal import Operation
from vmbackup.remedies.plan import Plan, planned


def affected(plan: Plan) -> tuple[str, ...]:
    """The facts behind the checks that the remedy cures, and the VM's state beside them."""
    checks = load()
    names = [name for check in plan.cures for name in checks[check].evidence]
    return tuple(dict.fromkeys([*names, "vm.model", "vm.power", "vm.agent"]))


def refreshed(evidence: Evidence, again: Evidence, names: tuple[str, ...]) -> dict[str, Fact]:
    """The evidence with the new answers. What should have been asked again and was not is left out: it may be stale."""
    kept = {name: fact for name, fact in evidence.items() if name not in names}
    return {**kept, **{name: again[name] for name in names if name in again}}


def interrupted(begun: Iterable[Operation], evidence: Evidence, target: Target, language: str) -> list[Plan]:
    """The plans of what an earlier run began on this VM and did not close: they go on, though their problem be gone."""
    own = [each for each in begun if str(each.values.get("vm_id")).lower() == target.vm_id.lower()]
    return [
        _without_own_change(planned(each.remedy, each.cures, each.values, evidence, target, language))
        for each in own
        if each.remedy in catalogue.remedies()
    ]


def begun_first(begun: Iterable[Plan], found: Iterable[Plan]) -> list[Plan]:
    """What is to be continued, then what was found beside it."""
    going_on = list(begun)
    names = {each.remedy for each in going_on}
    return [*going_on, *(each for each in found if each.remedy not in names)]


def _without_own_change(plan: Plan) -> Plan:
    """The VM may be changing because of this very remedy."""
    return replace(plan, refusals=tuple(each for each in plan.refusals if each.key != "vm_changing"))
