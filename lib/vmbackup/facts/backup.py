"""What Azure tells of the VM's backup: the facts ``backup.*`` (see :mod:`vmbackup.facts`)."""

from __future__ import annotations

from typing import TypedDict


class Protection(TypedDict):
    """Which vault protects the VM. ``via``: ``backupStatus``, ``resource_graph`` or ``parameter``; ``error_code`` and
    ``error_message`` are what ``backupStatus`` says went wrong."""

    status: str | None
    error_code: str | None
    error_message: str | None
    vault_id: str
    container: str
    item: str
    policy_name: str | None
    via: str


class HealthDetail(TypedDict):
    """One line of the portal's "backup pre-check". ``title`` carries the string code, ``code`` the integer."""

    code: int | None
    title: str | None
    message: str | None
    recommendations: list[str] | None


class ProtectedItem(TypedDict):
    """The VM as the vault sees it. ``disk_luns``/``disk_luns_included``: selective disk backup, None when not used."""

    id: str
    protection_state: str | None
    protection_status: str | None
    health_status: str | None
    health_details: list[HealthDetail]
    last_backup_status: str | None
    last_backup_time: str | None
    last_recovery_point: str | None
    policy_id: str | None
    policy_name: str | None
    source_resource_id: str | None
    soft_deleted: bool
    disk_luns: list[int] | None
    disk_luns_included: bool | None


class Vault(TypedDict):
    """How the vault stores backups. ``redundancy``: ``GeoRedundant``, ``LocallyRedundant``, ``ZoneRedundant``, ….
    ``same_subscription``: as the VM; both are supported."""

    redundancy: str | None
    cross_region_restore: bool | None
    same_subscription: bool


class Policy(TypedDict):
    """The policy. ``type``: ``V1`` (Standard), ``V2`` (Enhanced), None when nobody said; ``times`` are a day's starts,
    ``HH:MM`` in ``time_zone`` (Windows id)."""

    name: str
    type: str | None
    frequency: str | None
    days: list[str]
    times: list[str]
    interval_h: int | None
    time_zone: str | None
    consistency: str | None
    instant_restore_days: int | None
    restore_point_group_prefix: str | None
    restore_point_group_suffix: str | None


class Job(TypedDict):
    """One backup job of this VM as the list shows it."""

    name: str
    operation: str | None
    status: str | None
    start: str | None
    end: str | None
    error_code: int | None
    error_title: str | None
    error_text: str | None


class JobError(TypedDict):
    """One entry of ``errorDetails``. ``text`` is in Azure's language of the day."""

    code: int | None
    title: str | None
    text: str | None
    recommendations: list[str]


class JobTask(TypedDict):
    """One task of a job, such as "Take Snapshot"."""

    name: str
    status: str | None
    duration_s: float | None


class FailedJob(TypedDict):
    """The newest backup job that failed or completed with warnings, in full; ``first_failure`` is the start of the
    oldest failure since the last good job, ``attempts_24h`` counts on-demand jobs of the last day."""

    name: str
    status: str
    start: str | None
    end: str | None
    duration_s: float | None
    errors: list[JobError]
    dynamic_message: str | None
    tasks: list[JobTask]
    first_failure: str | None


class RunningJob(TypedDict):
    """A backup that is not at its end. ``running_s`` is Azure's clock minus its start; ``taking_snapshot``: whether it
    still takes its snapshot, None where its tasks do not say."""

    name: str
    status: str | None
    start: str | None
    running_s: float | None
    taking_snapshot: bool | None


class RecoveryPoint(TypedDict):
    """``type``: ``AppConsistent``, ``FileSystemConsistent``, ``CrashConsistent`` …, as Azure spells it. ``threat``:
    ``Healthy``, ``UnHealthy``, ``Warning``, ``NotAvailable``, ``Unknown``; ``tiers`` where it is valid."""

    name: str
    time: str | None
    type: str | None
    threat: str | None
    tiers: list[str] | None


class Neighbour(TypedDict):
    """Another VM under the same policy."""

    name: str
    last_backup_status: str | None
    last_backup_time: str | None


class Neighbours(TypedDict):
    """All VMs that the policy starts at the same time, this one not counted."""

    policy: str
    same_time: list[Neighbour]
