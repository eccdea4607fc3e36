"""Least privilege: which rights each capability needs, as custom role definitions, and what the identity lacks.

Computed from what the collectors declare and from ``remedies.yaml``. Capabilities are ``diagnose``,
``diagnose_guest``, ``retry`` and the id of every remedy that takes rights in Azure, also by hand. Several at once are
joined by ``+``.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from vmbackup import catalog, collectors
from vmbackup.arm.client import Arm
from vmbackup.arm.errors import RequestRefused, ResponseLost
from vmbackup.arm.permissions import Permission, granted, lacking
from vmbackup.catalog import remedies as catalogue
from vmbackup.checks.base import load
from vmbackup.collectors.base import COLLECTORS
from vmbackup.model import Evidence, RunbookError, SetupError, Target, data_of
from vmbackup.parameters import no_such

_COMPUTE, _VAULTS = "Microsoft.Compute", "Microsoft.RecoveryServices/Vaults"
_ITEM = f"{_VAULTS}/backupFabrics/protectionContainers/protectedItems"

GUEST_ACTIONS = (
    f"{_COMPUTE}/virtualMachines/runCommand/action",
    f"{_COMPUTE}/virtualMachines/retrieveBootDiagnosticsData/action",
)
RETRY_ACTIONS = (
    f"{_COMPUTE}/virtualMachines/instanceView/read",
    f"{_VAULTS}/backupJobs/cancel/action",
    f"{_VAULTS}/backupJobs/operationsStatus/read",
    f"{_VAULTS}/backupJobs/read",
    f"{_ITEM}/backup/action",
    f"{_ITEM}/operationsStatus/read",
    f"{_ITEM}/read",
    f"{_ITEM}/recoveryPoints/read",
)


@dataclass(frozen=True, slots=True)
class MissingRights:
    """What the identity lacks for one capability. ``unknown`` are the causes that stay unknown without it, ``refused``
    those whose remedy this is. ``unreadable`` are the actions at whose place its rights could not be read."""

    capability: str
    missing: tuple[str, ...]
    unknown: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()
    unreadable: tuple[str, ...] = ()


def actions() -> dict[str, tuple[str, ...]]:
    """Every capability with its actions, sorted."""
    diagnose = tuple(sorted({action for asked in collectors.actions().values() for action in asked}))
    found = {
        "diagnose": diagnose,
        "diagnose_guest": tuple(sorted({*diagnose, *GUEST_ACTIONS})),
        "retry": tuple(sorted(RETRY_ACTIONS)),
    }
    for remedy, entry in catalogue.remedies().items():
        if entry["actions"]:
            found[remedy] = tuple(sorted(entry["actions"]))
    return found


def role(capability: str, subscription_id: str) -> dict[str, object]:
    """The custom role for one capability, as ``az role definition create`` reads it. Raises SetupError."""
    held = _held(capability)
    return {
        "Name": f"vmbackup {capability}",
        "IsCustom": True,
        "Description": f"What vmbackup needs for {capability}, and nothing else.",
        "Actions": held,
        "NotActions": [],
        "DataActions": [],
        "NotDataActions": [],
        "AssignableScopes": [f"/subscriptions/{subscription_id}"],
    }


def _held(capability: str) -> list[str]:
    known = actions()
    for name in capability.split("+"):
        if name in catalogue.remedies() and name not in known:
            raise SetupError("error.no_right_needed", name=name)
        if name not in known:
            raise no_such("unknown_capability", name, known)
    return sorted({action for name in capability.split("+") for action in known[name]})


def as_json(capability: str, subscription_id: str) -> str:
    """The role as JSON."""
    return json.dumps(role(capability, subscription_id), indent=2)


def as_bicep(capability: str) -> str:
    """The role as a Bicep file for a deployment to a subscription."""
    made = role(capability, "")
    held = "\n".join(f"          '{action}'" for action in _held(capability))
    return f"""targetScope = 'subscription'

resource role 'Microsoft.Authorization/roleDefinitions@2022-04-01' = {{
  name: guid(subscription().id, '{made["Name"]}')
  properties: {{
    roleName: '{made["Name"]}'
    description: '{made["Description"]}'
    type: 'CustomRole'
    permissions: [
      {{
        actions: [
{held}
        ]
        notActions: []
      }}
    ]
    assignableScopes: [
      subscription().id
    ]
  }}
}}

output roleId string = role.id
"""


def missing_rights(
    arm: Arm, target: Target, vault_id: str | None, evidence: Evidence | None = None
) -> list[MissingRights] | RunbookError:
    """What the signed-in identity lacks, one row per capability; or why its rights could not be read.

    Rights count where they hold: on the VM, on the vault, in the resource groups of disks and network that ``evidence``
    names, or on the subscription, whichever the action needs.
    """
    places = _places(target, vault_id, evidence or {})
    held: dict[str, list[Permission]] = {}
    unread: RunbookError = ResponseLost("why.permissions_unreadable")
    for scope in dict.fromkeys(scope for scopes in places.values() for scope in scopes):
        try:
            held[scope] = granted(arm, scope)
        except (RequestRefused, ResponseLost) as error:
            unread = error
    if not held:
        return unread
    return [_missing(capability, needed, places, held) for capability, needed in actions().items()]


def _missing(
    capability: str,
    needed: tuple[str, ...],
    places: Mapping[str, tuple[str, ...]],
    held: Mapping[str, list[Permission]],
) -> MissingRights:
    at = {action: next(scopes for start, scopes in places.items() if action.startswith(start)) for action in needed}
    missing = tuple(a for a in needed if any(scope in held and lacking([a], held[scope]) for scope in at[a]))
    unreadable = tuple(a for a in needed if a not in missing and any(scope not in held for scope in at[a]))
    unknown = unknown_causes(missing) if capability in ("diagnose", "diagnose_guest") else ()
    return MissingRights(capability, missing, unknown, _cured_by(capability) if missing else (), unreadable)


def _places(target: Target, vault_id: str | None, evidence: Evidence) -> dict[str, tuple[str, ...]]:
    """Where the actions that begin with these words are needed; the first beginning that fits counts."""
    subscription = f"/subscriptions/{target.subscription_id}"
    network, disks = _groups(target, evidence)
    return {
        _VAULTS: (vault_id or subscription,),
        f"{_COMPUTE}/virtualMachines": (target.vm_id,),
        "Microsoft.Insights/metrics": (target.vm_id,),
        "Microsoft.ResourceHealth/availabilityStatuses": (target.vm_id,),
        f"{_COMPUTE}/disks": disks,
        "Microsoft.Network/": network,
        "": (subscription,),
    }


def _groups(target: Target, evidence: Evidence) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The resource groups of the VM's network and of its disks; the VM's own where the evidence does not tell."""
    nics, subnets = data_of(evidence, "network.nics") or [], data_of(evidence, "network.subnets") or []
    network = [each[key] for each in nics for key in ("id", "nsg_id")]
    network += [each[key] for each in subnets for key in ("id", "nsg_id", "route_table_id")]
    disks = [each["id"] for each in data_of(evidence, "vm.disks") or []]
    return _groups_of(network, target), _groups_of(disks, target)


def _groups_of(ids: Iterable[str | None], target: Target) -> tuple[str, ...]:
    found = {each.lower().partition("/providers/")[0] for each in ids if each}
    return tuple(sorted(found)) or (target.vm_id.partition("/providers/")[0],)


def _cured_by(capability: str) -> tuple[str, ...]:
    """The causes with a check that this remedy cures."""
    entry = catalogue.remedies().get(capability)
    cured = {name.partition(":")[0] for name in entry["checks"]} if entry else set()
    return tuple(cause for cause, its in catalog.causes().items() if cured & set(its["checks"]))


def unknown_causes(missing: tuple[str, ...]) -> tuple[str, ...]:
    """The causes with a check whose required fact, or whose look into the guest, takes one of these actions."""
    dark, closed = _dark(missing), GUEST_ACTIONS[0] in missing
    known, words = load(), catalog.checks()

    def unanswered(check: str) -> bool:
        return bool(set(known[check].requires) & dark) or (closed and words[check]["needs_guest"])

    return tuple(cause for cause, entry in catalog.causes().items() if any(map(unanswered, entry["checks"])))


def _dark(missing: tuple[str, ...]) -> set[str]:
    """The facts without an answer: those that need a missing action, and those that need such a fact first."""
    dark: set[str] = set()
    while True:
        more = {
            fact
            for each in COLLECTORS
            if not each.answers_without(missing) or set(each.needs) & dark
            for fact in each.gives
        }
        if more <= dark:
            return dark
        dark |= more
