"""What the retry reads of the vault: this VM's jobs of the last day, its recovery points, and Azure's own clock."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from typing import Any

from vmbackup.arm.client import Arm
from vmbackup.facts.azure import RecoveryPoint

CLOCKS_DIFFER = timedelta(minutes=5)
_MOST_PAGES = 20


def jobs_of_last_day(arm: Arm, values: Mapping[str, Any], now: datetime) -> list[Mapping[str, Any]]:
    """The VM's backup jobs of the last 24 hours, as Azure sends them. Azure's filter wants this very format.

    ``values`` hold ``vault_id``, ``container`` and ``vm_name``.
    """
    start, end = (_filter_time(each) for each in (now - timedelta(days=1), now + CLOCKS_DIFFER))
    query = (
        f"$filter=startTime eq '{start}' and endTime eq '{end}' and operation eq 'Backup' "
        "and backupManagementType eq 'AzureIaasVM'"
    )
    rows, _ = _pages(arm, f"{values['vault_id']}/backupJobs", query.replace(" ", "%20").replace("'", "%27"))
    return [each for each in rows if _mine(each, values, now)]


def recovery_points(arm: Arm, item: str) -> tuple[list[RecoveryPoint], datetime]:
    """The item's recovery points, and Azure's clock."""
    rows, time = _pages(arm, f"{item}/recoveryPoints", "")
    points: list[RecoveryPoint] = [
        {
            "name": str(each.get("name")),
            "time": (each.get("properties") or {}).get("recoveryPointTime"),
            "type": (each.get("properties") or {}).get("recoveryPointType"),
        }
        for each in rows
    ]
    return points, parse_time(time) if time else datetime.now(timezone.utc)


def status(job: Mapping[str, Any]) -> str:
    """The job's status in small letters, "" when there is none."""
    return str((job.get("properties") or {}).get("status") or "").lower()


def started(job: Mapping[str, Any]) -> datetime:
    """When the job started."""
    return parse_time(str((job.get("properties") or {}).get("startTime") or ""))


def parse_time(words: str) -> datetime:
    """An ISO 8601 time of Azure (up to seven decimals), aware; the beginning of time when it is none.

    >>> parse_time("2026-11-23T03:00:00.1234567Z").isoformat()
    '2026-11-23T03:00:00+00:00'
    """
    head, _, rest = words.replace("Z", "").partition(".")
    offset = rest[rest.find("+") :] if "+" in rest else ""
    try:
        found = datetime.fromisoformat(head + offset)
    except ValueError:
        return datetime(1970, 1, 1, tzinfo=timezone.utc)
    return found if found.tzinfo else found.replace(tzinfo=timezone.utc)


def iso(moment: datetime) -> str:
    """An aware time as ISO 8601 UTC, to the second."""
    return moment.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def _mine(job: Mapping[str, Any], values: Mapping[str, Any], now: datetime) -> bool:
    properties = job.get("properties") or {}
    container, own = str(properties.get("containerName") or "").lower(), str(values["container"]).lower()
    by_name = str(properties.get("entityFriendlyName") or "").lower() == str(values["vm_name"]).lower()
    mine = own.endswith(container) or container.endswith(own) if container else by_name
    is_backup = str(properties.get("operation") or "").lower() == "backup"
    return is_backup and mine and started(job) > now - timedelta(days=1)


def _pages(arm: Arm, path: str, query: str) -> tuple[list[Mapping[str, Any]], str | None]:
    answer = arm.ask("GET", path, query=query)
    found, time = [], answer.time
    for _ in range(_MOST_PAGES):
        body = answer.body if isinstance(answer.body, Mapping) else {}
        found += [each for each in body.get("value") or [] if isinstance(each, Mapping)]
        if not body.get("nextLink"):
            break
        answer = arm.ask("GET", str(body["nextLink"]))
    return found, time


def _filter_time(moment: datetime) -> str:
    # Invariant AM/PM: strftime's %p is empty in some locales, and Azure then refuses the filter.
    utc = moment.astimezone(timezone.utc)
    return f"{utc:%Y-%m-%d %I:%M:%S} {'AM' if utc.hour < 12 else 'PM'}"
