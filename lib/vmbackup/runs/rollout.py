"""A remedy that is applied to many VMs in waves: what is planned, which VMs are left out, and how each one ended.

Written by the fleet, read by its summary, its page and ``90_many_vms``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypedDict

from vmbackup.model import Word


class Ending(Word):
    """How a VM ended. ``UNCLEAR``: it was changed, but whether the problem is gone is not known; ``LEFT_OUT``: it was
    not changed; ``WORSE``: the remedy failed, or the VM is worse than before."""

    HELPED = "helped"
    NOT_HELPED = "not_helped"
    UNCLEAR = "unclear"
    LEFT_OUT = "left_out"
    WORSE = "worse"


class Planned(TypedDict):
    """What is planned for one VM. ``what`` says it in English; with ``resource`` it tells two changes apart.
    ``parameters`` are those of its runbook."""

    name: str
    vm_id: str
    section: str | None
    resource: str
    what: str
    parameters: dict[str, Any]


class LeftOut(TypedDict):
    """A VM that is left out of the plan, and why, in words."""

    name: str
    vm_id: str
    why: str


class End(TypedDict):
    """How one VM of the plan ended, and why, in words. ``wave`` counts from 1; ``outcome`` is its receipt's, ``fixed``
    what a new backup proved: None where none was made, or it proved nothing."""

    name: str
    wave: int
    ending: str
    why: str
    outcome: str | None
    fixed: bool | None


@dataclass(frozen=True, slots=True)
class Rollout:
    """One plan and how far it got. ``vms`` are in their order; ``digest`` is the plan's hash, ``at`` when it began, by
    this machine's clock."""

    remedy: str
    digest: str
    vms: Sequence[Planned]
    left: Sequence[LeftOut] = ()
    at: str | None = None
    ends: Mapping[str, End] = field(default_factory=dict)

    @property
    def worse(self) -> list[End]:
        """The ends at which the rollout stopped."""
        return [end for end in self.ends.values() if end["ending"] == Ending.WORSE]
