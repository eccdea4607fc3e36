"""The VMs whose backup failed, one row each, out of failed jobs and the vaults' word on the last backup. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from vmbackup import clock
from vmbackup.failures.triage import section_of
from vmbackup.resource_ids import resource_group, resource_name


@dataclass(frozen=True, slots=True)
class FailedVm:
    """One VM and its newest failed job. ``last_good`` is None where it is not known, ``recovered_at`` where no backup
    has completed since, ``job`` where no failed job is listed."""

    vm_id: str | None
    name: str
    vault_id: str = ""
    job: Mapping[str, Any] | None = None
    failed_since: str | None = None
    last_good: str | None = None
    recovered_at: str | None = None

    @property
    def key(self) -> str:
        """What tells it from any other VM."""
        return (self.vm_id or f"{self.vault_id}/{self.name}").lower()

    @property
    def group(self) -> str:
        """Its resource group, "" where no job names it."""
        return resource_group(self.vm_id)

    @property
    def section(self) -> str:
        """The runbook section that its failure belongs to, as far as the job says; else the general one."""
        return section_of(*((self.job or {}).get(name) for name in ("title", "code", "text")))

    @property
    def code(self) -> str:
        """The newest job's code, as Azure writes it."""
        job = self.job or {}
        return " ".join(str(word) for word in (job.get("code"), job.get("title")) if word)


def failed_vms(jobs: Sequence[Mapping[str, Any]], backups: Sequence[Mapping[str, Any]]) -> list[FailedVm]:
    """One row for each VM of the failed jobs, the still failing ones first, then by the time of the newest job.

    ``jobs`` are newest first. Jobs that name no VM id are told apart by vault and name.
    """
    of_vm: dict[tuple[str, ...], list[Mapping[str, Any]]] = {}
    for job in jobs:
        of_vm.setdefault(_key(job), []).append(job)
    rows = [_row(failed, [each for each in backups if _same_vm(each, failed[0])]) for failed in of_vm.values()]
    return sorted(rows, key=lambda row: row.recovered_at is not None)


def vm_without_jobs(vm_id: str, backups: Sequence[Mapping[str, Any]]) -> FailedVm:
    """The row of a VM that was named, and has no failed job that may be seen."""
    last_good = _newest(each["last_good"] for each in backups if _same_vm(each, {"vm_id": vm_id}))
    return FailedVm(vm_id, resource_name(vm_id), last_good=last_good)


def _key(job: Mapping[str, Any]) -> tuple[str, ...]:
    return (job["vm_id"].lower(),) if job["vm_id"] else (job["vault_id"].lower(), job["vm_name"].lower())


def _same_vm(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    return bool(one["vm_id"] and other["vm_id"] and one["vm_id"].lower() == other["vm_id"].lower())


def _row(failed: Sequence[Mapping[str, Any]], backups: Sequence[Mapping[str, Any]]) -> FailedVm:
    newest = failed[0]
    completed, last_good = (_newest(each[name] for each in backups) for name in ("completed", "last_good"))
    recovered = completed if completed and newest["time"] and completed > newest["time"] else None
    last_good = recovered or last_good
    begin = "" if recovered else last_good or ""
    times = [job["time"] for job in failed if job["time"] and job["time"] > begin]
    since = min(times, default=newest["time"])
    return FailedVm(newest["vm_id"], newest["vm_name"], newest["vault_id"], newest, since, last_good, recovered)


def _newest(times: Any) -> str | None:
    return max(filter(None, map(clock.stamp, times)), default=None)
