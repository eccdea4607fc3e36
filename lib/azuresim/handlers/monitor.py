"""Azure Monitor: platform metrics and the activity log."""

from __future__ import annotations

from datetime import datetime, timedelta
from urllib.parse import unquote

from azuresim.answer import Answer, Json, Refused, ok
from azuresim.defaults import BURSTABLE_ONLY, METRICS
from azuresim.handlers.compute import VM
from azuresim.ids import guid, number, parse_time, seconds_stamp, stamp
from azuresim.odata import terms
from azuresim.routing import Request, route
from azuresim.world import World

_MINUTE = timedelta(minutes=1)
_LONGEST = timedelta(days=31)
_INTERVALS = {
    "PT1M": 1,
    "PT5M": 5,
    "PT15M": 15,
    "PT30M": 30,
    "PT1H": 60,
    "PT6H": 360,
    "PT12H": 720,
    "P1D": 1440,
}
_EVENTS = "/subscriptions/{sub}/providers/Microsoft.Insights/eventtypes/management/values"


@route("GET", VM + "/providers/Microsoft.Insights/metrics", "Microsoft.Insights/metrics/read")
def list_metrics(request: Request) -> Answer:
    """The metrics that the request names, over its timespan. An unknown name: 400 as Azure says it, not wrapped."""
    world, machine = request.world, request.machine
    names = [name for name in _said(request, "metricnames", "Percentage CPU").split(",") if name]
    known = {name.lower(): name for name in METRICS}
    for name in names:
        if name.lower() not in known:
            message = (
                "Failed to find metric configuration for provider: Microsoft.Compute, resource Type: virtualMachines, "
                f"metric: {name}, Valid metrics: {','.join(METRICS)}"
            )
            return Answer(400, {"code": "BadRequest", "message": message})
    start, end = _timespan(request, world)
    interval = request.query.get("interval", "PT1M")
    if interval.upper() not in _INTERVALS or end - start > _LONGEST or end < start:
        return Answer(400, {"code": "BadRequest", "message": "Detected invalid time grain or time range input."})
    step = timedelta(minutes=_INTERVALS[interval.upper()])
    wanted = [word.strip().lower() for word in request.query.get("aggregation", "Average").split(",")]
    return ok(
        {
            "cost": 0,
            "timespan": f"{seconds_stamp(start)}/{seconds_stamp(end)}",
            "interval": interval,
            "namespace": "Microsoft.Compute/virtualMachines",
            "resourceregion": world.location,
            "value": [metric_json(world, machine, known[name.lower()], start, end, step, wanted) for name in names],
        }
    )


def _said(request: Request, name: str, default: str) -> str:
    # az encodes these values twice, and Azure puts up with it.
    return unquote(request.query.get(name, default))


def _timespan(request: Request, world: World) -> tuple[datetime, datetime]:
    text = _said(request, "timespan", "")
    if not text:
        return world.ago(1), world.now
    try:
        start, end = (parse_time(part.replace(" ", "+")) for part in text.split("/"))
    except ValueError:
        raise Refused(400, "BadRequest", f"Invalid timespan: {text}.") from None
    return start, end


def metric_json(
    world: World, machine: Json, name: str, start: datetime, end: datetime, step: timedelta, wanted: list[str]
) -> Json:
    """A metric of a VM on the wire."""
    unit, _ = METRICS[name]
    first = start.replace(second=0, microsecond=0)
    data = []
    for index in range(int((end - first) / step)):
        moment = first + index * step
        value = value_at(world, machine, name, moment)
        data.append({"timeStamp": seconds_stamp(moment)} | ({} if value is None else dict.fromkeys(wanted, value)))
    return {
        "id": f"{world.vm_id(machine)}/providers/Microsoft.Insights/metrics/{name}",
        "type": "Microsoft.Insights/metrics",
        "name": {"value": name, "localizedValue": name},
        "displayDescription": name,
        "unit": unit,
        "timeseries": [{"metadatavalues": [], "data": data}],
        "errorCode": "Success",
    }


def value_at(world: World, machine: Json, name: str, moment: datetime) -> float | None:
    """The average of a minute; None where Azure has no value: VM off, wrong size, or the world says so."""
    given = machine["metrics"].get(name, METRICS[name][1])
    burstable = machine["vm"]["size"].startswith("Standard_B")
    if given is None or (name in BURSTABLE_ONLY and not burstable) or moment > world.now:
        return None
    if machine["vm"]["power"] != "running" and name != "VmAvailabilityMetric":
        return None
    if isinstance(given, dict):
        given = given["snapshot"] if _in_snapshot(machine, moment) else given["base"]
    # A little life, the same in every run: up to two per cent either way.
    wobble = (number(401, machine["name"], name, moment) - 200) / 10_000
    return round(float(given) * (1 + wobble), 3)


def _in_snapshot(machine: Json, moment: datetime) -> bool:
    """Whether a scheduled run that failed was taking its snapshot then (minute resolution)."""
    for job in machine["jobs"]:
        if job["errors"] and not job["user_triggered"]:
            end = job["start"] + timedelta(seconds=job["snapshot_s"])
            if job["start"] - _MINUTE <= moment <= end:
                return True
    return False


# --- activity log --------------------------------------------------------------------------------------------------


@route("GET", _EVENTS, "Microsoft.Insights/eventtypes/values/read")
def activity_log(request: Request) -> Answer:
    """The events that the filter lets through, newest first. Azure wants a time range and one kind of filter."""
    found = terms(request.query.get("$filter", ""))
    if not any(name == "eventtimestamp" and operator in ("ge", "gt") for name, operator, _ in found):
        raise Refused(400, "BadRequest", "Query parameter $filter must have a start time: eventTimestamp ge '...'.")
    events = [
        _event(world, vm, event) for world in request.candidates for vm in world.machines for event in vm["activity"]
    ]
    for name, operator, value in found:
        events = [event for event in events if _fits(event, name, operator, value)]
    events.sort(key=lambda event: str(event["eventTimestamp"]), reverse=True)
    return request.page(events)


def _fits(event: Json, name: str, operator: str, value: str) -> bool:
    if name == "eventtimestamp":
        moment, wanted = parse_time(event["eventTimestamp"]), parse_time(value)
        return {"ge": moment >= wanted, "gt": moment > wanted, "le": moment <= wanted, "lt": moment < wanted}.get(
            operator, moment == wanted
        )
    if name in ("resourceuri", "resourceid"):
        return bool(event["resourceId"].lower() == value.lower())
    if name == "resourcegroupname":
        return bool(event["resourceGroupName"].lower() == value.lower())
    if name == "resourceprovider":
        return bool(event["resourceProviderName"]["value"].lower() == value.lower())
    if name == "correlationid":
        return bool(event["correlationId"] == value)
    if name in ("eventchannels", "levels", "status"):
        return True
    raise Refused(400, "BadRequest", f"The filter {name} is not supported.")


def _event(world: World, machine: Json, event: Json) -> Json:
    status = event.get("status", "Succeeded")
    operation = event.get("operation", "Microsoft.Compute/virtualMachines/write")
    moment = world.ago(event["hours_ago"])
    own = guid(world.seed, world.name, machine["name"], operation, event["hours_ago"])
    group = event.get("group") or world.resource_group
    in_group = f"/subscriptions/{world.subscription}/resourceGroups/{group}" if "group" in event else ""
    resource = event.get("resource") or in_group or world.vm_id(machine)
    properties = {
        key: event[source] for key, source in (("statusCode", "code"), ("statusMessage", "message")) if source in event
    }
    return {
        "eventDataId": own,
        "correlationId": event.get("correlation") or guid(own, "correlation"),
        "operationId": guid(own, "operation"),
        "id": f"{resource}/events/{own}/ticks/{number(10**18, own)}",
        "caller": event.get("caller", "operator@contoso.example"),
        "channels": "Operation",
        "level": "Error" if status == "Failed" else "Informational",
        "eventTimestamp": stamp(moment),
        "submissionTimestamp": stamp(moment + _MINUTE),
        "subscriptionId": world.subscription,
        "resourceGroupName": group,
        "resourceId": resource,
        "resourceProviderName": {"value": "Microsoft.Compute", "localizedValue": "Microsoft.Compute"},
        "resourceType": {
            "value": "Microsoft.Compute/virtualMachines",
            "localizedValue": "Microsoft.Compute/virtualMachines",
        },
        "operationName": {"value": operation, "localizedValue": operation},
        "eventName": {"value": "EndRequest", "localizedValue": "End request"},
        "category": {"value": "Administrative", "localizedValue": "Administrative"},
        "status": {"value": status, "localizedValue": status},
        "subStatus": {"value": event.get("code", ""), "localizedValue": event.get("code", "")},
        "properties": properties,
    }
