"""What one row of a fleet's table says about one VM: what its run left behind, and what the lists say of it.

Written by the fleet, read by its summary, its page and ``90_many_vms``. Every field may be None: not known.
"""

from __future__ import annotations

from typing import TypedDict

from vmbackup.model import Word


class VmState(Word):
    """How far the fleet's run came with a VM. ``NOT_EXAMINED`` is no verdict and never counts as ok."""

    EXAMINED = "examined"
    NOT_EXAMINED = "not_examined"
    FAILED = "failed"
    PENDING = "pending"


class NextFailure(TypedDict):
    """A reason why a VM's next backup will fail, and from when, as far as the evidence shows it."""

    reason: str
    values: dict[str, str]
    from_time: str | None


class FleetRow(TypedDict):
    """One VM. Times are in UTC, ISO 8601; ages in hours; ``folder`` is relative to the fleet's run folder."""

    name: str
    vm_id: str
    location: str | None
    os: str | None
    state: str
    why: str | None
    folder: str | None
    section: str | None
    outcome: str | None
    probable_cause: str | None
    weight: str | None
    verdicts: dict[str, str]
    failed_code: str | None
    failed_title: str | None
    first_failed: str | None
    last_good: str | None
    last_good_type: str | None
    age_h: float | None
    policy_h: float | None
    downgraded_since: str | None
    vault_id: str | None
    policy: str | None
    subnet_id: str | None
    nsg_ids: list[str] | None
    proxy: str | None
    agent_status: str | None
    agent_version: str | None
    extension_version: str | None
    fixed: bool | None
    next_failures: list[NextFailure]
