"""Resource Graph: protected items and backup jobs of the table RecoveryServicesResources, VMs, their extensions and
their health. Enough of KQL to tell which rows are meant; what a query does to them afterwards beyond simple
projections is left to the caller."""

from __future__ import annotations

import re
from typing import Any

from azuresim.answer import Answer, Json, Refused
from azuresim.handlers.backup_items import item_json
from azuresim.handlers.backup_jobs import job_json
from azuresim.handlers.compute import extension_json, vm_json
from azuresim.handlers.health import status_json
from azuresim.ids import dotted, opaque
from azuresim.permissions import allowed
from azuresim.routing import Request, route
from azuresim.world import World

_VAULTS = "Microsoft.RecoveryServices/Vaults"
_VM_ID = re.compile(r"/subscriptions/[^'\"\s]+/virtualMachines/[^'\"\s]+", re.IGNORECASE)
_STATUS = re.compile(r"properties\.status\)?\s*(?:==|=~)\s*['\"](\w+)['\"]", re.IGNORECASE)
_STATUSES = re.compile(r"properties\.status\)?\s*in~?\s*\(([^)]*)\)", re.IGNORECASE)
_OPERATION = re.compile(r"properties\.operation\)?\s*(?:==|=~)\s*['\"](\w+)['\"]", re.IGNORECASE)
_SINCE = re.compile(r"ago\((\d+)([dhm])\)", re.IGNORECASE)


@route("POST", "/providers/Microsoft.ResourceGraph/resources")
def query(request: Request) -> Answer:
    """Rows that the caller may read, in pages of ``options.$top``."""
    text = str(request.body.get("query", ""))
    asked = [str(name).lower() for name in request.body.get("subscriptions") or []]
    options = request.body.get("options") or {}
    question = (text, *asked)
    # The rows of a query are kept from its first page to its last.
    rows = request.azure.queries.pop(question, None) if options.get("$skipToken") else None
    if rows is None:
        rows = _answered(request.candidates, text, asked)
    top = int(options.get("$top") or 1000)
    page_size = min((world.setting("page_size", 20) for world in request.candidates), default=20)
    size = min(top, page_size)
    starts = {opaque(f"row{start}"): start for start in range(0, len(rows) + 1, size)}
    start = starts.get(str(options.get("$skipToken") or ""), 0)
    body: Json = {
        "totalRecords": len(rows),
        "count": len(rows[start : start + size]),
        "data": rows[start : start + size],
        "facets": [],
        "resultTruncated": "false",
    }
    if start + size < len(rows):
        request.azure.queries[question] = rows
        body["$skipToken"] = opaque(f"row{start + size}")
    quota = {"x-ms-user-quota-remaining": "14", "x-ms-user-quota-resets-after": "00:00:05"}
    return Answer(200, body, quota)


def _answered(worlds: list[World], text: str, subscriptions: list[str]) -> list[Json]:
    rows = [row for world in worlds for row in _rows(world, text)]
    rows = [row for row in rows if not subscriptions or row["subscriptionId"] in subscriptions]
    if projection := re.search(r"\|\s*project\s+([^|]+)", text, re.IGNORECASE):
        rows = [_projected(row, projection.group(1)) for row in rows]
    return rows


def _rows(world: World, text: str) -> list[Json]:
    lowered = text.lower()
    if "protecteditems" in lowered:
        rows = _items(world)
    elif "backupjobs" in lowered:
        rows = _jobs(world, text)
    elif "availabilitystatuses" in lowered:
        rows = _health(world)
    elif "microsoft.compute/virtualmachines/extensions" in lowered:
        rows = _extensions(world)
    elif "microsoft.compute/virtualmachines" in lowered:
        rows = _vms(world)
    else:
        raise Refused(
            400, "BadRequest", "The simulator's Resource Graph knows items, jobs, VMs, extensions and health only."
        )
    if wanted := _VM_ID.search(text):
        name = wanted.group(0).lower()
        rows = [row for row in rows if name in (row["_vm"], row["id"])]
    return [{key: value for key, value in row.items() if key != "_vm"} for row in rows]


def _vms(world: World) -> list[Json]:
    if not allowed(world, "Microsoft.Compute/virtualMachines/read"):
        return []
    return [_row(world, machine, vm_json(world, machine, False)) for machine in world.machines]


def _health(world: World) -> list[Json]:
    if not allowed(world, "Microsoft.ResourceHealth/availabilityStatuses/read"):
        return []
    return [_row(world, machine, status_json(world, machine, "current")) for machine in world.machines]


def _extensions(world: World) -> list[Json]:
    if not allowed(world, "Microsoft.Compute/virtualMachines/extensions/read"):
        return []
    each = [(machine, entry) for machine in world.machines for entry in machine["extensions"] if entry["listed"]]
    return [_row(world, machine, extension_json(world, machine, entry)) for machine, entry in each]


def _items(world: World) -> list[Json]:
    if not allowed(world, f"{_VAULTS}/backupFabrics/protectionContainers/protectedItems/read"):
        return []
    protected = [machine for machine in world.machines if machine["item"] is not None]
    return [_row(world, machine, _with_source(world, machine, item_json(world, machine))) for machine in protected]


def _jobs(world: World, text: str) -> list[Json]:
    if not allowed(world, f"{_VAULTS}/backupJobs/read"):
        return []
    statuses = {match.lower() for match in _STATUS.findall(text)}
    for group in _STATUSES.findall(text):
        statuses |= {word.strip(" '\"").lower() for word in group.split(",")}
    operations = {match.lower() for match in _OPERATION.findall(text)}
    # The table keeps jobs of fourteen days.
    since = world.ago(14 * 24)
    for count, unit in _SINCE.findall(text):
        since = max(since, world.ago(int(count) * {"d": 24, "h": 1, "m": 1 / 60}[unit.lower()]))
    return [
        _row(world, machine, _with_source(world, machine, job_json(world, machine, job, False)))
        for machine in world.machines
        for job in machine["jobs"]
        if job["start"] >= since
        and (not statuses or job["status"].lower() in statuses)
        and (not operations or job["operation"].lower() in operations)
    ]


def _with_source(world: World, machine: Json, body: Json) -> Json:
    source = {"resourceID": world.vm_id(machine), "datasourceType": "AzureIaasVM"}
    properties = {**body["properties"], "dataSourceInfo": source}
    if "protectionState" in properties:
        properties["currentProtectionState"] = properties["protectionState"]
    return {**body, "properties": properties}


def _row(world: World, machine: Json, body: Json) -> Json:
    own = body["id"].lower()
    _, _, subscription, _, group, *_ = own.split("/")
    return {
        **body,
        "id": own,
        "type": body["type"].lower(),
        "resourceGroup": group,
        "subscriptionId": subscription,
        "location": world.location,
        "_vm": world.vm_id(machine).lower(),
    }


def _projected(row: Json, columns: str) -> Json:
    projected: Json = {}
    for column in columns.split(","):
        name, _, source = (part.strip() for part in column.partition("="))
        path = re.sub(r"^(?:tostring|tolower|todatetime|toint)\((.*)\)$", r"\1", source or name)
        projected[name] = _value(row, path)
    return projected


def _value(row: Json, path: str) -> Any:
    return row.get(path) if "." not in path else dotted(row, path)
