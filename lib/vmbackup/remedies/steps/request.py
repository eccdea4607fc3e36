"""One request of a remedy, and the observation that shows whether it is done."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from vmbackup.arm.client import Arm, Response
from vmbackup.arm.errors import RequestRefused

State = Literal["done", "running", "todo", "broken"]
_SUCCEEDED = "succeeded"


@dataclass(frozen=True, slots=True)
class Observation:
    """How the resource is now. ``shown`` goes into the receipt; ``body`` is the resource, for changes that keep the
    rest of it."""

    state: State
    shown: Mapping[str, Any]
    body: Any = None


@dataclass(frozen=True, slots=True)
class Request:
    """One request of a remedy.

    ``body`` makes its content from the resource as it was observed. ``repeatable``: it does no harm to send it again
    when it is not known whether it arrived. ``proof`` is the observation once Azure reported success, where that
    differs.
    """

    method: str
    path: str
    body: Callable[[Any], Any] | None
    observe: Callable[[Arm], Observation]
    repeatable: bool = True
    proof: Callable[[Arm], Observation] | None = None


def get_existing(arm: Arm, path: str) -> Response:
    """The resource. Raises RequestRefused when there is none."""
    response = arm.request("GET", path)
    if not response.found:
        raise RequestRefused(404, "NotFound", path)
    return response


def properties(response: Response) -> Mapping[str, Any]:
    """The resource's properties, empty when it has none."""
    found = response.body.get("properties") if isinstance(response.body, Mapping) else None
    return found if isinstance(found, Mapping) else {}


def provisioning_state(properties: Mapping[str, Any]) -> State:
    """The state of a resource that is as it should be: done once its provisioning has succeeded."""
    state = str(properties.get("provisioningState") or _SUCCEEDED).lower()
    return "done" if state == _SUCCEEDED else "broken" if state == "failed" else "running"


def deletion(path: str, shows: str) -> Request:
    """The request that deletes a resource; ``shows`` is its name in the receipt."""

    def observe(arm: Arm) -> Observation:
        response = arm.request("GET", path)
        if not response.found:
            return Observation("done", {shows: "absent"})
        state = str(properties(response).get("provisioningState") or "there")
        return Observation("running" if state.lower() == "deleting" else "todo", {shows: state})

    return Request("DELETE", path, None, observe)
