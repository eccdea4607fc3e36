"""The VM's extensions, and the versions of the backup extension that its publisher lists."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from vmbackup.arm.wire import entries, inside, listed, resource, text
from vmbackup.collectors.base import Answers, Ask, collector
from vmbackup.facts.vm import Extension, ExtensionVersions, VmModel
from vmbackup.model import Fact, FactStatus

PUBLISHER = "Microsoft.Azure.RecoveryServices"
TYPES = {"windows": "VMSnapshot", "linux": "VMSnapshotLinux"}
_WEIGHT = {"error": 0, "warning": 1}


@collector("vm.extensions", needs=("_vm",), actions=("Microsoft.Compute/virtualMachines/extensions/read",))
def extensions(ask: Ask, vm: Mapping[str, Any]) -> Answers:
    """The model's list, each with what the instance view says of it."""
    models = ask.known_rows("_extensions")
    if models is None:
        extensions = ask.azure.compute.virtual_machine_extensions
        models = listed(extensions.list(ask.target.resource_group, ask.target.vm_name).as_dict(), "value")
    return {"vm.extensions": read_extensions(models, inside(vm, "properties", "instanceView"))}


def read_extensions(models: list[Any], view: object) -> list[Extension]:
    """Join model and instance view by name; an extension that only one of them lists is kept."""
    views = {(text(each, "name") or "").lower(): each for each in entries(view, "extensions")}
    names = {(text(each, "name") or "").lower() for each in models}
    joined = [_extension(model, views.get((text(model, "name") or "").lower())) for model in models]
    return joined + [_extension({}, view) for name, view in views.items() if name not in names]


def _extension(model: object, view: object) -> Extension:
    properties = inside(resource(model), "properties")
    view = view or inside(properties, "instanceView")
    # The view joins publisher and type, and has the whole version where the model only has "1.0".
    publisher, _, kind = (text(view, "type") or "").rpartition(".")
    status = _weightiest(entries(view, "statuses"))
    return {
        "name": text(model, "name") or text(view, "name") or "",
        "publisher": text(properties, "publisher") or publisher or None,
        "type": text(properties, "type") or kind or None,
        "version": text(view, "typeHandlerVersion") or text(properties, "typeHandlerVersion"),
        "provisioning_state": text(properties, "provisioningState"),
        "code": text(status, "code"),
        "level": text(status, "level"),
        "message": text(status, "message"),
    }


def _weightiest(statuses: list[Any]) -> Any:
    return min(statuses, key=lambda each: _WEIGHT.get((text(each, "level") or "").lower(), 2), default=None)


@collector(
    "vm.extension_versions",
    needs=("vm.model",),
    actions=("Microsoft.Compute/locations/publishers/artifacttypes/types/versions/read",),
)
def extension_versions(ask: Ask, model: VmModel) -> Answers:
    """What the publisher lists in the VM's region."""
    kind = TYPES.get(model["os"] or "")
    if kind is None:
        return {"vm.extension_versions": Fact(FactStatus.SKIPPED, why="needs", details={"fact": "vm.model"})}
    images = ask.azure.compute.virtual_machine_extension_images
    found = images.list_versions(model["location"], PUBLISHER, kind)
    return {"vm.extension_versions": read_versions(kind, [each.as_dict() for each in found])}


def read_versions(kind: str, wires: Sequence[object]) -> ExtensionVersions:
    """The versions of this type that a publisher lists, the oldest first."""
    versions = [text(wire, "name") or "" for wire in wires]
    return {"type": kind, "versions": sorted(filter(None, versions), key=_numbers)}


def _numbers(version: str) -> list[int]:
    return [int(part) if part.isdigit() else -1 for part in version.split(".")]
