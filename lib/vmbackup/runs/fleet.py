"""A fleet as data: one row for each VM, groups of VMs with the same cause, and what changed since an earlier run.

Written by the fleet, read by its summary, its page and ``90_many_vms``. In a row, None means not known.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypedDict

from vmbackup.model import Word


class VmState(Word):
    """How far the fleet's run got with a VM. ``NOT_EXAMINED`` is not a verdict and never counts as ok."""

    EXAMINED = "examined"
    NOT_EXAMINED = "not_examined"
    FAILED = "failed"
    PENDING = "pending"


class Kept(Word):
    """Whether the interval of the policy is kept: the last good backup is recent enough, it is too old, there is none,
    no vault protects the VM, or it is not known."""

    KEPT = "kept"
    LATE = "late"
    NEVER = "never"
    UNPROTECTED = "unprotected"
    UNKNOWN = "unknown"


class Standing(Word):
    """How a VM changed from one run of a fleet to the next. ``NEW``: something is wrong, and last time nothing was, or
    it was not known; ``UNSEEN``: this time it is not known."""

    NEW = "new"
    WORSE = "worse"
    CAUSE_CHANGED = "cause_changed"
    SAME = "same"
    BETTER = "better"
    CURED = "cured"
    GONE = "gone"
    UNSEEN = "unseen"
    GOOD = "good"


class NextFailure(TypedDict):
    """Why a VM's next backup is at risk: the finding of ``check``. ``from_time`` (UTC, ISO 8601) is the first backup at
    risk; None where the evidence does not show it."""

    signal: str
    check: str
    reason: str
    values: dict[str, Any]
    from_time: str | None


class FleetRow(TypedDict):
    """One VM. Times are in UTC, ISO 8601; ages in hours; ``folder`` is relative to the fleet's run folder.

    ``failing``: a backup failed since the last good one. ``downgraded_since`` is the first of the points that are less
    consistent than wanted, ``downgraded_before`` whether there may be earlier ones. ``outlook`` holds, by signal, what
    was seen of the next backup.
    """

    name: str
    vm_id: str
    location: str | None
    os: str | None
    state: str
    why: str | None
    folder: str | None
    at: str | None
    section: str | None
    outcome: str | None
    probable_cause: str | None
    weight: str | None
    verdicts: dict[str, str]
    failing: bool | None
    failed_code: str | None
    failed_title: str | None
    first_failed: str | None
    last_good: str | None
    last_good_type: str | None
    age_h: float | None
    policy_h: float | None
    kept: str
    consistency: str
    downgraded_since: str | None
    downgraded_before: bool | None
    downgraded_type: str | None
    vault_id: str | None
    policy: str | None
    subnet_id: str | None
    nsg_ids: list[str] | None
    proxy: str | None
    agent_status: str | None
    agent_version: str | None
    extension_version: str | None
    fixed: bool | None
    next_run: str | None
    next_failures: list[NextFailure]
    outlook: dict[str, str]


def late_h(row: FleetRow) -> float | None:
    """Hours by which the last good backup is older than the policy plans; None where that is not known."""
    if row["age_h"] is None or row["policy_h"] is None:
        return None
    return max(0.0, row["age_h"] - row["policy_h"])


class Gap(TypedDict):
    """What could not be listed, or only in part. ``what`` is the kind of list, such as ``jobs``; ``scope`` the id
    of the vault or subscription; ``why`` and ``details`` say the reason as a fact does: a missing right, throttled,
    cut."""

    what: str | None
    scope: str
    why: str
    details: dict[str, str] | None


@dataclass(frozen=True, slots=True)
class Fleet:
    """A fleet as its run folder shows it. Every VM that was asked for, or that the lists name, has one row."""

    rows: Sequence[FleetRow]
    gaps: Sequence[Gap] = ()

    @property
    def at(self) -> str | None:
        """Azure's newest time."""
        return max((row["at"] for row in self.rows if row["at"]), default=None)


@dataclass(frozen=True, slots=True)
class Trait:
    """What VMs of a group share: of ``known`` members ``members`` have it, of ``healthy_known`` healthy VMs
    ``healthy``."""

    name: str
    value: str
    members: int
    known: int
    healthy: int
    healthy_known: int

    @property
    def rarer_among_healthy(self) -> bool:
        """Whether a smaller share of the healthy VMs has it; False where there are none to compare with."""
        return self.healthy * self.known < self.members * self.healthy_known


@dataclass(frozen=True, slots=True)
class Group:
    """VMs with the same cause, or where none was found with the same code of the failure, and the same ``trait`` where
    one sets them apart. ``shared`` are all traits that at least half of them have."""

    cause: str | None
    code: str | None
    trait: Trait | None
    shared: Sequence[Trait]
    rows: Sequence[FleetRow]


@dataclass(frozen=True, slots=True)
class Change:
    """One VM in two runs of a fleet; None where a run does not have it."""

    standing: Standing
    before: FleetRow | None
    now: FleetRow | None
