"""The VM's disks: what the VM says of each, completed with what the managed disk itself says."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from azure.core.exceptions import ResourceNotFoundError

from vmbackup.arm.call import gather
from vmbackup.arm.errors import Unreadable, not_found
from vmbackup.arm.wire import flag, inside, listed, resource, text, whole
from vmbackup.collectors.base import Answers, Ask, collector
from vmbackup.facts.vm import Disk
from vmbackup.resource_ids import resource_group, resource_name

_BYTES_PER_GB = 1024**3


@collector("vm.disks", needs=("_vm",), actions=("Microsoft.Compute/disks/read",))
def disks(ask: Ask, vm: Mapping[str, Any]) -> Answers:
    """The disks of the VM; each managed one is asked for its size, kind and encryption, all at once."""
    attached = attached_disks(vm)
    answers = gather([partial(_managed_disk, ask, each) for _, each in attached])
    return {
        "vm.disks": [read_disk(role, each, managed) for (role, each), managed in zip(attached, answers, strict=True)]
    }


def _managed_disk(ask: Ask, attached: object) -> Any:
    resource_id = text(attached, "managedDisk", "id")
    if resource_id is None:
        return None
    group, name = resource_group(resource_id), resource_name(resource_id)
    try:
        return ask.azure.compute.disks.get(group or ask.target.resource_group, name or "").as_dict()
    except ResourceNotFoundError as error:
        if not not_found(error):
            raise
        # An ephemeral disk is not a resource of its own; for any other missing disk only the VM's data is left.
        return None


def attached_disks(vm: object) -> list[tuple[str, Any]]:
    """``("os", …)`` first, then ``("data", …)`` in the order of the model. Raises Unreadable where one is not told."""
    profile = inside(vm, "properties", "storageProfile")
    return [("os", resource(inside(profile, "osDisk"))), *(("data", each) for each in listed(profile, "dataDisks"))]


def read_disk(role: str, attached: object, managed: object = None) -> Disk:
    """One disk, from the VM's reference to it and the answer of ``GET disk`` (None for unmanaged ones)."""
    properties = inside(managed, "properties")
    is_managed = isinstance(inside(attached, "managedDisk"), Mapping)
    if not is_managed and not isinstance(inside(attached, "vhd"), Mapping):
        raise Unreadable("a disk that is neither a managed disk nor a blob")
    return {
        "name": text(attached, "name") or text(managed, "name") or "",
        "role": role,
        "lun": whole(attached, "lun") if role == "data" else None,
        "id": text(attached, "managedDisk", "id") or text(attached, "vhd", "uri"),
        "managed": is_managed,
        "size_gb": _size_gb(attached, properties),
        "sku": text(managed, "sku", "name") or text(attached, "managedDisk", "storageAccountType"),
        "encryption": _encryption(attached, managed),
        "shared": _shared(properties, is_managed),
        "write_accelerator": flag(attached, "writeAcceleratorEnabled") is True,
        "ephemeral": text(attached, "diffDiskSettings", "option") is not None,
        "network_access": text(properties, "networkAccessPolicy"),
        "public_access": text(properties, "publicNetworkAccess"),
        "data_access_auth": text(properties, "dataAccessAuthMode"),
        "security_type": text(properties, "securityProfile", "securityType"),
        "excluded_by": None,
    }


def _size_gb(attached: object, properties: object) -> int | None:
    size = whole(properties, "diskSizeGB") or whole(attached, "diskSizeGB")
    in_bytes = whole(properties, "diskSizeBytes")
    return size if size is not None or in_bytes is None else -(-in_bytes // _BYTES_PER_GB)


def _encryption(attached: object, managed: object) -> str | None:
    collections = (
        inside(managed, "properties", "encryptionSettingsCollection"),
        inside(attached, "encryptionSettings"),
    )
    enabled = [flag(each, "enabled") for each in collections if each is not None]
    if any(enabled):
        return "ade"
    return "none" if None not in enabled and inside(managed, "properties") else None


def _shared(properties: object, managed: bool) -> bool | None:
    if not managed:
        return False
    if not properties:
        return None
    if inside(properties, "maxShares") is None:
        return False
    shares = whole(properties, "maxShares")
    return None if shares is None else shares > 1
