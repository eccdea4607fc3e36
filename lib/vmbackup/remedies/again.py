"""What to look at again after a remedy: only the facts that its checks read. Pure."""

from __future__ import annotations

from vmbackup.checks.base import load
from vmbackup.model import Evidence, Fact
from vmbackup.remedies.plan import Plan


def affected(plan: Plan) -> tuple[str, ...]:
    """The facts behind the checks that the remedy cures, and the VM's state beside them."""
    checks = load()
    names = [name for check in plan.cures for name in checks[check].evidence]
    return tuple(dict.fromkeys([*names, "vm.model", "vm.power", "vm.agent"]))


def refreshed(evidence: Evidence, again: Evidence, names: tuple[str, ...]) -> dict[str, Fact]:
    """The evidence with the new answers. What should have been asked again and was not is left out: it may be stale."""
    kept = {name: fact for name, fact in evidence.items() if name not in names}
    return {**kept, **{name: again[name] for name in names if name in again}}
