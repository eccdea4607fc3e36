"""Long-running operations: 202, then progress counted per poll, never by a clock."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from azuresim import faults
from azuresim.answer import Answer, Json, Refused
from azuresim.ids import offset_stamp

if TYPE_CHECKING:
    from azuresim.routing import Request
    from azuresim.world import World

Done = Callable[[], Any]


@dataclass(slots=True)
class Operation:
    """``polls`` left before it ends; ``done`` runs once at its good end and gives the result body."""

    id: str
    world: World
    polls: int
    done: Done
    started: datetime
    error: tuple[str, str] | None = None
    never: bool = False
    over: bool = False
    result: Any = None
    properties: Json = field(default_factory=dict)

    def poll(self) -> str:
        """One look at it: ``InProgress``, ``Succeeded`` or ``Failed``."""
        # The path of an operation does not name its group: in a fleet the caller may hold another world's lock.
        with self.world.lock:
            return self._poll()

    def _poll(self) -> str:
        if self.never:
            return "InProgress"
        if self.polls > 0:
            self.polls -= 1
            return "InProgress"
        if not self.over:
            self.over = True
            if self.error is None:
                self.result = self._finish()
        return "Failed" if self.error else "Succeeded"

    def _finish(self) -> Any:
        try:
            return self.done()
        except Refused as refused:
            inner = refused.answer.body["error"]
            self.error = (inner["code"], inner["message"])
            return None


# What may stand in a path as it is; names may hold anything else.
_PATH = "/;"


def _url(path: str, name: str) -> str:
    return quote(path.replace("{id}", name), _PATH)


@dataclass(slots=True)
class Operations:
    """All operations of one endpoint, by id."""

    known: dict[str, Operation] = field(default_factory=dict)

    def start(
        self,
        request: Request,
        done: Done,
        status_path: str,
        result_path: str,
        error: tuple[str, str] | None = None,
        polls: int | None = None,
        retry_after: int | None = None,
    ) -> Answer:
        """Accept the request: 202 with both ways to follow it. ``{id}`` in the paths becomes the operation's id."""
        world = request.world
        mode = faults.in_operation(request.fault)
        if mode == "operation_failed" and request.fault:
            error = (request.fault.get("code", "InternalOperationError"), request.fault.get("message", "It failed."))
        operation = Operation(
            id=request.azure.new_id(request, "operation"),
            world=world,
            polls=world.setting("operation_polls", 1) if polls is None else polls,
            done=done,
            started=world.now,
            error=error,
            never=mode == "never_ending",
        )
        self.known[operation.id] = operation
        follow = f"?api-version={request.api_version}"
        return Answer(
            202,
            None,
            {
                "Azure-AsyncOperation": request.base + _url(status_path, operation.id) + follow,
                "Location": request.base + _url(result_path, operation.id) + follow,
                "Retry-After": str(world.setting("retry_after", 0) if retry_after is None else retry_after),
            },
        )

    def get(self, name: str) -> Operation:
        """The operation of this id; 404 when there is none."""
        if name not in self.known:
            raise Refused(404, "OperationNotFound", f"The operation '{name}' was not found.")
        return self.known[name]

    def status(self, name: str) -> Answer:
        """What ``Azure-AsyncOperation`` points to."""
        operation = self.get(name)
        status = operation.poll()
        body: Json = {"startTime": offset_stamp(operation.started), "status": status, "name": operation.id}
        headers = {}
        if status == "InProgress":
            headers["Retry-After"] = str(operation.world.setting("retry_after", 0))
        else:
            body["endTime"] = offset_stamp(operation.world.now)
        if operation.error and status == "Failed":
            body["error"] = {"code": operation.error[0], "message": operation.error[1]}
        elif operation.result is not None:
            body["properties"] = {"output": operation.result}
        return Answer(200, body, headers)

    def result(self, request: Request, name: str) -> Answer:
        """What ``Location`` points to: 202 until it is over, then the result (204 when there is none)."""
        operation = self.get(name)
        status = operation.poll() if not operation.over else ("Failed" if operation.error else "Succeeded")
        if status == "InProgress":
            again = f"{request.base}{quote(request.path, _PATH)}?api-version={request.api_version}"
            return Answer(202, None, {"Location": again, "Retry-After": str(operation.world.setting("retry_after", 0))})
        if operation.error:
            return Answer(200, {"error": {"code": operation.error[0], "message": operation.error[1]}})
        if operation.result is None:
            return Answer(204)
        return Answer(200, operation.result)
