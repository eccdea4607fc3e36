"""Two runs of a fleet side by side: what is new, worse, cured, gone, or has another cause. Pure.

A VM counts as cured only if it was seen to be good again; one that was not looked at this time is ``unseen``.
"""

from __future__ import annotations

from collections.abc import Sequence

from vmbackup.fleet.grouping import is_healthy
from vmbackup.model import Verdict
from vmbackup.runs.fleet import Change, FleetRow, Kept, Standing


def compare(before: Sequence[FleetRow], now: Sequence[FleetRow]) -> list[Change]:
    """Every VM of both runs once, by its resource id."""
    earlier, later = _by_id(before), _by_id(now)
    return [_change(earlier.get(vm_id), later.get(vm_id)) for vm_id in dict.fromkeys([*earlier, *later])]


def _by_id(rows: Sequence[FleetRow]) -> dict[str, FleetRow]:
    return {row["vm_id"].lower() or row["name"].lower(): row for row in rows}


def _change(before: FleetRow | None, now: FleetRow | None) -> Change:
    return Change(_standing(before, now), before, now)


def _standing(before: FleetRow | None, now: FleetRow | None) -> Standing:
    if now is None:
        return Standing.GONE
    then, rank = severity(before) if before else None, severity(now)
    if rank is None:
        return Standing.SAME if before and then is None else Standing.UNSEEN
    if not then:
        return Standing.NEW if rank else Standing.GOOD
    if rank == 0:
        return Standing.CURED
    if rank > then:
        return Standing.WORSE
    if before and before["probable_cause"] != now["probable_cause"] and now["probable_cause"]:
        return Standing.CAUSE_CHANGED
    return Standing.BETTER if rank < then else Standing.SAME


def severity(row: FleetRow) -> int | None:
    """How bad it is: 0 healthy, 1 less consistent than wanted, 2 failing within the policy's time, 3 beyond it, 4
    without any good backup, or without protection; None where that is not known."""
    if row["kept"] in (Kept.NEVER, Kept.UNPROTECTED):
        return 4
    if row["kept"] == Kept.LATE:
        return 3
    if row["failing"] or row["probable_cause"]:
        return 2
    if row["consistency"] == Verdict.PROBLEM:
        return 1
    return 0 if is_healthy(row) else None
