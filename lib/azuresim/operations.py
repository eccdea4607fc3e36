"""Long-running operations: 202, then progress counted per poll, never by a clock."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from azuresim.answer import Answer, Json, Refused
from azuresim.ids import offset_stamp
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


@dataclass(slots=True)
class Operations:
    """All operations of one endpoint, by id."""

    known: dict[str, Operation] = field(default_factory=dict)

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
        headers: dict[str, str] = {}
        if status == "InProgress":
            headers = operation.world.wait
        else:
            body["endTime"] = offset_stamp(operation.world.now)
        if operation.error and status == "Failed":
            body["error"] = {"code": operation.error[0], "message": operation.error[1]}
        elif operation.result is not None:
            body["properties"] = {"output": operation.result}
        return Answer(200, body, headers)
