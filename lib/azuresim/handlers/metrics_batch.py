"""Azure Monitor's own hosts, one in each region: the metrics of many VMs in one answer."""

from __future__ import annotations

from datetime import datetime, timedelta

from azuresim import permissions
from azuresim.answer import Answer, Json, Refused, ok
from azuresim.defaults import METRICS
from azuresim.handlers.monitor import metric_json
from azuresim.ids import parse_time, seconds_stamp
from azuresim.routing import Request, route
from azuresim.world import World

_MOST = 50
_BATCH = "/subscriptions/{sub}/metrics:getBatch"
_READ = "Microsoft.Insights/metrics/read"


@route("POST", _BATCH, _READ, metrics=True)
@route("POST", "/{region}" + _BATCH, _READ, metrics=True)
def batch(request: Request) -> Answer:
    """The metrics of at most fifty VMs of this region, over one time, for whoever may read them in the subscription. Of
    a VM that there is not, nothing is said."""
    region = request.params.get("region") or request.headers.get("host", "").partition(".")[0]
    asked = [str(each).lower() for each in request.body.get("resourceids") or []]
    names = [name for name in request.query.get("metricnames", "").split(",") if name]
    known = {name.lower(): name for name in METRICS}
    if not 0 < len(asked) <= _MOST:
        raise Refused(400, "BadRequest", f"Between 1 and {_MOST} resource ids are expected, not {len(asked)}.")
    if unknown := [name for name in names if name.lower() not in known]:
        raise Refused(400, "BadRequest", f"Failed to find metric configuration for metric: {unknown[0]}")
    found = [each for vm_id in asked for each in _found(request, vm_id)]
    for world, _ in found:
        if world.location != region:
            raise Refused(400, "BadRequest", f"The region of the endpoint, {region}, is not that of the resources.")
        if not permissions.allowed(world, _READ):
            raise permissions.refusal(request.azure.seed, _READ, f"/subscriptions/{world.subscription}/metrics")
    start, end = (parse_time(request.query[name]) for name in ("starttime", "endtime"))
    return ok(
        {"values": [_item(world, vm, [known[each.lower()] for each in names], start, end) for world, vm in found]}
    )


def _found(request: Request, vm_id: str) -> list[tuple[World, Json]]:
    worlds = request.azure.of_group(request.params["sub"], (vm_id.split("/") + [""] * 5)[4])
    return [(world, vm) for world in worlds for vm in world.machines if world.vm_id(vm).lower() == vm_id]


def _item(world: World, machine: Json, names: list[str], start: datetime, end: datetime) -> Json:
    step = timedelta(minutes=1)
    return {
        "starttime": seconds_stamp(start),
        "endtime": seconds_stamp(end),
        "interval": "PT1M",
        "namespace": "microsoft.compute/virtualmachines",
        "resourceregion": world.location,
        "resourceid": world.vm_id(machine),
        "value": [metric_json(world, machine, name, start, end, step, ["average"]) for name in names],
    }
