"""What an operator agrees to: the remedy, how it is applied, each VM with its change, and the hash of all that.
Pure."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, TypedDict

from vmbackup import sanitize
from vmbackup.catalog import remedies as catalogue
from vmbackup.facts import schema
from vmbackup.fleet.rollout.waves import waves
from vmbackup.model import Language
from vmbackup.remedies.plan import Plan
from vmbackup.runs.rollout import Planned

SCHEMA = "vmbackup.rollout/1"


@dataclass(frozen=True, slots=True)
class Agreement:
    """``retry`` is whether each VM is backed up afterwards, ``width`` how many VMs at most are changed at the same
    time; ``definition`` is the hash of the remedy itself, its script among it."""

    remedy: str
    max_risk: str
    retry: bool
    definition: str
    width: int
    vms: Sequence[Planned]

    @property
    def waves(self) -> list[list[Planned]]:
        """The waves as planned; where VMs are left out, later VMs move up."""
        return waves(self.vms, self.width)

    def as_json(self) -> dict[str, Any]:
        """The content as plain JSON. A row of parameters should hold no secret; one that does is removed."""
        content = {"schema": SCHEMA, **asdict(self)}
        return dict(sanitize.data(content, sanitize.without_secrets))

    @classmethod
    def from_json(cls, content: object) -> Agreement | None:
        """The agreement from what :meth:`as_json` returned; None for anything else."""
        found: Any = schema.coerce(content, _Agreement)
        if schema.error(found, _Agreement) or found.pop("schema") != SCHEMA:
            return None
        return cls(**found) if found["remedy"] in catalogue.remedies() else None

    @property
    def digest(self) -> str:
        """The hash that the operator confirms: 32 hexadecimal digits."""
        return _hash(self.as_json())


class _Agreement(TypedDict):
    schema: str
    remedy: str
    max_risk: str
    retry: bool
    definition: str
    width: int
    vms: list[Planned]


def definition(remedy: str) -> str:
    """The hash of what a remedy does: where a new version does something else, the plan is another one."""
    entry = catalogue.remedies()[remedy]
    return _hash([entry["change"], catalogue.script(remedy) if entry["script"] else None])


def what(plan: Plan) -> str:
    """What a plan does, always in English, so that the hash does not depend on the language."""
    known = {name: plan.values.get(name) for name in catalogue.placeholders(plan.remedy)}
    return catalogue.words(plan.remedy, "what", Language.EN, **known)


def is_agreed(plan: Plan, vm: Planned) -> bool:
    """Whether this plan, made now, is the change that was agreed to for this VM."""
    return plan.resource.lower() == vm["resource"].lower() and what(plan) == vm["what"]


def _hash(content: Mapping[str, Any] | Sequence[Any]) -> str:
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()[:32]
