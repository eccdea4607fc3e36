"""Where the compute and the network service tell how an accepted request went on."""

from __future__ import annotations

from azuresim import accepted
from azuresim.answer import Answer
from azuresim.operations import Done
from azuresim.routing import Request, route

COMPUTE = "/subscriptions/{sub}/providers/Microsoft.Compute/locations/{location}"
NETWORK = "/subscriptions/{sub}/providers/Microsoft.Network/locations/{location}"


def start(request: Request, place: str, done: Done, error: tuple[str, str] | None = None) -> Answer:
    """202 with the paths of the service at ``place``. ``done`` gives the result or None."""
    here = place.replace("{sub}", request.world.subscription).replace("{location}", request.world.location)
    return accepted.start(request, done, here + "/operations/{id}", here + "/operationResults/{id}", error)


@route("GET", COMPUTE + "/operations/{operation}")
@route("GET", NETWORK + "/operations/{operation}")
def operation_status(request: Request) -> Answer:
    """Where Azure-AsyncOperation points."""
    return request.azure.operations.status(request.params["operation"])


@route("GET", COMPUTE + "/operationResults/{operation}")
@route("GET", NETWORK + "/operationResults/{operation}")
def operation_result(request: Request) -> Answer:
    """Where Location points."""
    return accepted.result(request, request.params["operation"])
