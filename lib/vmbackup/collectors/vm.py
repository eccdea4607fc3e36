"""The virtual machine: its model, its power state, its agent and what the agent reports of extension handlers."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any

from vmbackup import clock
from vmbackup.arm.client import Arm
from vmbackup.arm.errors import RequestRefused, cut, not_found
from vmbackup.arm.wire import entries, flag, inside, resource, text
from vmbackup.collectors.base import ABSENT, Answers, Ask, collector
from vmbackup.facts.vm import Handler, VmAgent, VmModel, VmPower
from vmbackup.model import SetupError

_LONG_AGO = datetime.min.replace(tzinfo=timezone.utc)


@collector(
    "_vm",
    "vm.model",
    "vm.power",
    "vm.agent",
    "vm.handlers",
    actions=("Microsoft.Compute/virtualMachines/read", "Microsoft.Compute/virtualMachines/instanceView/read"),
)
def virtual_machine(ask: Ask) -> Answers:
    """One GET with the instance view; its raw form is passed on to the collectors of disks and extensions."""
    target = ask.target
    try:
        wire = Arm.on(ask.azure).read(target.vm_id, **{"$expand": "instanceView"})
    except RequestRefused as error:
        if not not_found(error):
            raise
        raise SetupError(
            "error.unknown_vm",
            vm=target.vm_name,
            group=target.resource_group,
            code=error.code,
            message=cut(error.message),
        ) from None
    view = inside(wire, "properties", "instanceView")
    agent = read_agent(view, ask.azure.heard())
    return {
        "_vm": wire,
        "vm.model": read_model(wire, ask.azure.heard()),
        "vm.power": read_power(view),
        "vm.agent": ABSENT if agent is None else agent,
        "vm.handlers": read_handlers(view),
    }


def read_model(wire: object, now: datetime | None = None) -> VmModel:
    """``{"id": "/subscriptions/…", "location": "westeurope", "properties": {"osProfile": {…}, …}}``."""
    vm = resource(wire)
    properties = inside(vm, "properties") or {}
    profile = inside(properties, "osProfile")
    view = inside(properties, "instanceView")
    created = clock.parse(text(properties, "timeCreated"))
    return {
        "id": text(vm, "id") or "",
        "name": text(vm, "name") or "",
        "computer_name": text(profile, "computerName") or text(view, "computerName"),
        "vm_id": text(properties, "vmId"),
        "location": text(vm, "location") or "",
        "os": _operating_system(properties, view),
        "os_name": _os_name(view) or _image(properties),
        "size": text(properties, "hardwareProfile", "vmSize"),
        "provisioning_state": text(properties, "provisioningState"),
        "has_os_profile": isinstance(profile, Mapping) and bool(profile),
        "allow_extension_operations": flag(profile, "allowExtensionOperations"),
        "provision_vm_agent": _first_flag(profile, ("windowsConfiguration", "linuxConfiguration"), "provisionVMAgent"),
        "boot_diagnostics": flag(properties, "diagnosticsProfile", "bootDiagnostics", "enabled"),
        # A VM without it is of the type Standard.
        "security_type": text(properties, "securityProfile", "securityType") or "Standard",
        "age_s": (now - created).total_seconds() if now and created else None,
        "nic_ids": _nic_ids(properties),
    }


def _operating_system(properties: object, view: object) -> str | None:
    system = text(properties, "storageProfile", "osDisk", "osType") or ""
    if system.lower() in ("windows", "linux"):
        return system.lower()
    profile = inside(properties, "osProfile")
    for name in ("windows", "linux"):
        if isinstance(inside(profile, f"{name}Configuration"), Mapping):
            return name
    named = (text(view, "osName") or "").lower()
    return "windows" if "windows" in named else ("linux" if named else None)


def _os_name(view: object) -> str | None:
    name, version = text(view, "osName"), text(view, "osVersion")
    return f"{name} {version}" if name and version and version not in name else name


def _image(properties: object) -> str | None:
    """The system by the image that the VM was made from: a stopped agent does not tell its name."""
    named = inside(properties, "storageProfile", "imageReference")
    return " ".join(filter(None, (text(named, "offer"), text(named, "sku")))) or None


def _first_flag(profile: object, configurations: tuple[str, ...], name: str) -> bool | None:
    for configuration in configurations:
        found = flag(profile, configuration, name)
        if found is not None:
            return found
    return None


def _nic_ids(properties: object) -> list[str]:
    references = entries(properties, "networkProfile", "networkInterfaces")
    references.sort(key=lambda each: flag(each, "properties", "primary") is not True)
    return [found for found in (text(each, "id") for each in references) if found]


def read_power(view: object) -> VmPower:
    """``{"statuses": [{"code": "ProvisioningState/succeeded"}, {"code": "PowerState/running"}]}``.

    >>> read_power({"statuses": [{"code": "PowerState/deallocated"}]})["power"]
    'deallocated'
    """
    power = provisioning = message = None
    for status in entries(view, "statuses"):
        code = text(status, "code") or ""
        kind, _, state = code.partition("/")
        if kind.lower() == "powerstate":
            power = state.lower() or None
        elif kind.lower() == "provisioningstate" and provisioning is None:
            provisioning, message = code, text(status, "message")
    return {"power": power, "provisioning": provisioning, "provisioning_message": message}


def read_agent(view: object, now: datetime | None = None) -> VmAgent | None:
    """The agent's newest status in the instance view, with its age where ``now`` is given; None when Azure lists no
    agent."""
    agent = inside(view, "vmAgent")
    if not isinstance(agent, Mapping) or not agent:
        return None
    statuses = [status for status in entries(agent, "statuses") if isinstance(status, Mapping)]
    newest: Mapping[str, Any] = max(statuses, key=lambda each: clock.parse(text(each, "time")) or _LONG_AGO, default={})
    reported = clock.parse(text(newest, "time"))
    return {
        "version": text(agent, "vmAgentVersion"),
        "code": text(newest, "code"),
        "level": text(newest, "level"),
        "display_status": text(newest, "displayStatus"),
        "message": text(newest, "message"),
        "reported_at": clock.stamp(reported),
        "age_s": (now - reported).total_seconds() if now and reported else None,
    }


def read_handlers(view: object) -> list[Handler]:
    """The extension handlers that the agent reports; a handler without a type is left out."""
    handlers = [each for each in entries(view, "vmAgent", "extensionHandlers") if text(each, "type")]
    return [
        {
            "type": text(each, "type") or "",
            "version": text(each, "typeHandlerVersion"),
            "code": text(each, "status", "code"),
            "level": text(each, "status", "level"),
            "display_status": text(each, "status", "displayStatus"),
            "message": text(each, "status", "message"),
        }
        for each in handlers
    ]
