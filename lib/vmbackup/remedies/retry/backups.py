"""What the vault says about one VM's backups: its points and its jobs, read now. Errors are those of ``arm.client``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Any

from azure.core.exceptions import AzureError

from vmbackup import clock
from vmbackup.arm.client import Arm, Response
from vmbackup.arm.connection import Azure
from vmbackup.arm.errors import REFUSALS, ResponseLost, Unreadable, refusal, words
from vmbackup.arm.paging import Listing
from vmbackup.arm.wire import flag, text
from vmbackup.collectors.jobs import job_in_full, jobs_of, read_job
from vmbackup.collectors.recovery_points import points_of
from vmbackup.facts.backup import Job, Protection, RecoveryPoint
from vmbackup.model import Target

LONG_AGO = datetime(1970, 1, 1, tzinfo=timezone.utc)


@dataclass(slots=True)
class Backups:
    """One VM's backups. ``on_demand`` tells for each job read last whether it was started on demand."""

    azure: Azure
    target: Target
    protected: Protection
    vault_id: str
    on_demand: dict[str, bool | None] = field(default_factory=dict)

    def points(self) -> list[RecoveryPoint]:
        """The recovery points. Raises RequestRefused or ResponseLost, as all here."""
        return _read(lambda: points_of(self.azure, self.protected))

    def jobs(self) -> list[Job]:
        """The jobs of the last day, newest first."""
        wires = _read(lambda: jobs_of(self.azure, self.target, self.protected, days=1))
        jobs = [read_job(wire) for wire in wires]
        ordered = [flag(wire, "properties", "isUserTriggered") for wire in wires]
        self.on_demand = {job["name"]: by_hand for job, by_hand in zip(jobs, ordered, strict=True)}
        return [job for job in jobs if began(job) > self.azure.now() - timedelta(days=1)]

    def job(self, name: str) -> Response:
        """One job in full."""
        return job_in_full(Arm.on(self.azure), self.vault_id, name)


def began(job: Job) -> datetime:
    """When a job began; long ago where it does not say."""
    return clock.parse(job["start"]) or LONG_AGO


def status(response: Response) -> str:
    """The status of a job in full, in small letters."""
    return (text(response.body, "properties", "status") or "").lower()


def _read(ask: Callable[[], Listing]) -> list[Any]:
    """The whole list that a collector reads, with the errors of ``arm.client``."""
    try:
        listing = ask()
    except REFUSALS as error:
        raise refusal(error) from error
    except (AzureError, Unreadable, TimeoutError) as error:
        raise ResponseLost(words(error)) from error
    if listing.is_cut:
        raise ResponseLost("why.vault_list_endless")
    return listing.entries
