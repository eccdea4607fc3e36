"""202 Accepted: a request becomes an operation, which the caller follows by two addresses."""

from __future__ import annotations

from urllib.parse import quote

from azuresim import faults
from azuresim.answer import Answer
from azuresim.operations import Done, Operation
from azuresim.routing import Request

# What may stand in a path as it is; names may hold anything else.
_PATH = "/;"


def _url(path: str, name: str) -> str:
    return quote(path.replace("{id}", name), _PATH)


def start(
    request: Request,
    done: Done,
    status_path: str,
    result_path: str,
    error: tuple[str, str] | None = None,
) -> Answer:
    """Accept the request: 202 with both ways to follow it. ``{id}`` in the paths becomes the operation's id."""
    world = request.world
    mode = faults.in_operation(request.fault)
    if mode == "operation_failed" and request.fault:
        error = (request.fault.get("code", "InternalOperationError"), request.fault.get("message", "It failed."))
    operation = Operation(
        id=request.new_id("operation"),
        world=world,
        polls=world.setting("operation_polls", 1),
        done=done,
        started=world.now,
        error=error,
        never=mode == "never_ending",
    )
    request.azure.operations.known[operation.id] = operation
    follow = f"?api-version={request.api_version}"
    return Answer(
        202,
        None,
        {
            "Azure-AsyncOperation": request.base + _url(status_path, operation.id) + follow,
            "Location": request.base + _url(result_path, operation.id) + follow,
            **world.wait,
        },
    )


def no_location(accepted: Answer) -> dict[str, str]:
    """The headers of a change that answers with the resource at once, and has no result elsewhere."""
    return {name: value for name, value in accepted.headers.items() if name != "Location"}


def result(request: Request, name: str) -> Answer:
    """What ``Location`` points to: 202 until it is over, then the result (204 when there is none)."""
    operation = request.azure.operations.get(name)
    status = operation.poll() if not operation.over else ("Failed" if operation.error else "Succeeded")
    if status == "InProgress":
        again = f"{request.base}{quote(request.path, _PATH)}?api-version={request.api_version}"
        return Answer(202, None, {"Location": again, **operation.world.wait})
    if operation.error:
        return Answer(200, {"error": {"code": operation.error[0], "message": operation.error[1]}})
    if operation.result is None:
        return Answer(204)
    return Answer(200, operation.result)
