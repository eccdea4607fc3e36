"""Which requests a remedy may send: those of its entry, filled with values that belong to this VM. Pure.

A path is never taken from a file. Its values come from Azure, and even so each must be what its name says: a resource
of this type, of this VM or beside it in its subscription, in one piece.
"""

from __future__ import annotations

import re
import string
from collections.abc import Callable, Mapping
from typing import Any

from vmbackup.arm.client import names_operation
from vmbackup.model import RemedyRefused, Target
from vmbackup.parameters import VAULT_ID, VM_ID
from vmbackup.remedies.plan import Plan
from vmbackup.remedies.preflight import Refusal
from vmbackup.resource_ids import resource_name

# One part of a path: not empty, no dots that lead elsewhere, nothing that ends the path.
_PART = r"(?!(?:\.{1,2}|\s*)(?:/|\Z))[^/\\?#%\x00-\x1f\x7f]+"
_GROUP = rf"/subscriptions/{_PART}/resourceGroups/{_PART}"
_COLLECTION = rf"{_GROUP}/providers/Microsoft\.Compute/restorePointCollections/{_PART}"
_LOCK = rf"/providers/Microsoft\.Authorization/locks/{_PART}"
_TYPES: Mapping[str, str] = {
    "vm_id": VM_ID.pattern,
    "nsg_id": rf"{_GROUP}/providers/Microsoft\.Network/networkSecurityGroups/{_PART}",
    "route_table_id": rf"{_GROUP}/providers/Microsoft\.Network/routeTables/{_PART}",
    "subnet_id": rf"{_GROUP}/providers/Microsoft\.Network/virtualNetworks/{_PART}/subnets/{_PART}",
    "vault_id": VAULT_ID.pattern,
    "item_id": (rf"{VAULT_ID.pattern}/backupFabrics/Azure/protectionContainers/{_PART}/protectedItems/{_PART}"),
    "collection_id": _COLLECTION,
    "lock_id": rf"(/subscriptions/{_PART}|{_GROUP}|{_COLLECTION}){_LOCK}",
}


def permitted(plan: Plan) -> tuple[tuple[str, str], ...]:
    """Method and path of each request that the plan may send, in order. Raises RemedyRefused for a plan with a value
    that is not what its name promises."""
    return tuple(_filled(template, plan) for template in plan.entry["change"]["requests"])


def followable(url: str, values: Mapping[str, Any], target: Target) -> bool:
    """Whether an address that was read from a file is that of an operation in the VM's subscription or its vault."""
    vault = str(values.get("vault_id") or "")
    return names_operation(url, target.subscription_id, vault if VAULT_ID.fullmatch(vault) else "")


def belonging(name: str, values: Mapping[str, Any], target: Target, language: str) -> str:
    """A value that is safe in the path of a change. Raises RemedyRefused for any other."""
    value = str(values.get(name) or "")
    of_its_type = re.fullmatch(_TYPES.get(name, _PART), value, re.IGNORECASE)
    if not of_its_type or not _BELONGS.get(name, _anywhere)(value.lower(), values, target):
        raise RemedyRefused(Refusal("out_of_scope", {"name": name, "value": value or "-"}).words(language))
    return value


def _filled(template: str, plan: Plan) -> tuple[str, str]:
    method, _, path = template.partition(" ")
    parts = [
        before + (belonging(name, plan.values, plan.target, plan.language) if name else "")
        for before, name, _, _ in string.Formatter().parse(path)
    ]
    return method, "".join(parts)


# Whether a value that is of its type belongs to the VM; it comes in small letters.


def _anywhere(value: str, values: Mapping[str, Any], target: Target) -> bool:
    return True


def _the_vm(value: str, values: Mapping[str, Any], target: Target) -> bool:
    return value == target.vm_id.lower()


def _in_subscription(value: str, values: Mapping[str, Any], target: Target) -> bool:
    return value.startswith(f"/subscriptions/{target.subscription_id}/".lower())


def _its_vault(value: str, values: Mapping[str, Any], target: Target) -> bool:
    return not target.vault_id or value == target.vault_id.rstrip("/").lower()


def _its_item(value: str, values: Mapping[str, Any], target: Target) -> bool:
    """An item's name ends with the names of the VM's resource group and of the VM."""
    vault = str(values.get("vault_id") or "").lower()
    ours = [target.resource_group.lower(), target.vm_name.lower()]
    return value.startswith(f"{vault}/") and resource_name(value).split(";")[-2:] == ours


def _its_lock(value: str, values: Mapping[str, Any], target: Target) -> bool:
    """Whether it covers a collection of the VM's restore points."""
    scope = value.partition("/providers/microsoft.authorization/locks/")[0]
    locked = str(values.get("locked_collection_id") or "").lower()
    return _in_subscription(f"{scope}/", values, target) and f"{locked}/".startswith(f"{scope}/")


_BELONGS: Mapping[str, Callable[[str, Mapping[str, Any], Target], bool]] = {
    "vm_id": _the_vm,
    "nsg_id": _in_subscription,
    "route_table_id": _in_subscription,
    "subnet_id": _in_subscription,
    "vault_id": _its_vault,
    "item_id": _its_item,
    "collection_id": _in_subscription,
    "lock_id": _its_lock,
}
