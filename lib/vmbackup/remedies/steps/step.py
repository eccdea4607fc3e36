"""One request of a remedy and the look that tells whether it is done."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from vmbackup.arm.client import Arm, Response
from vmbackup.model import RemedyRefused

State = Literal["done", "running", "todo", "broken"]
_SETTLED = "succeeded"


@dataclass(frozen=True, slots=True)
class Seen:
    """What a look showed. ``shown`` goes into the receipt; ``body`` is the resource, for changes that keep the rest."""

    state: State
    shown: Mapping[str, Any]
    body: Any = None


@dataclass(frozen=True, slots=True)
class Step:
    """One request and its look.

    ``repeatable``: sending it again, when it is open whether it arrived, does no harm. ``proof`` is the look once Azure
    reported success, where that differs.
    """

    method: str
    path: str
    body: Callable[[Any], Any] | None
    look: Callable[[Arm], Seen]
    repeatable: bool = True
    proof: Callable[[Arm], Seen] | None = None


def there(arm: Arm, path: str) -> Response:
    """The resource. Raises RemedyRefused when there is none."""
    answer = arm.request("GET", path)
    if answer.status == 404:
        raise RemedyRefused(f"{path} is not there.")
    return answer


def properties(answer: Response) -> Mapping[str, Any]:
    """The resource's properties, empty when it has none."""
    found = answer.body.get("properties") if isinstance(answer.body, Mapping) else None
    return found if isinstance(found, Mapping) else {}


def settled(properties: Mapping[str, Any]) -> State:
    """The state of a resource that is as it should be: done once its provisioning has succeeded."""
    state = str(properties.get("provisioningState") or _SETTLED).lower()
    return "done" if state == _SETTLED else "broken" if state == "failed" else "running"


def name_of(path: str) -> str:
    """The last part of a path."""
    return path.rsplit("/", 1)[-1]
