"""What Azure tells of the VM itself: the facts ``vm.*`` (see :mod:`vmbackup.facts`)."""

from __future__ import annotations

from typing import TypedDict


class VmModel(TypedDict):
    """What the VM is meant to be. Without an osProfile, both flags about agent and extensions are None.

    ``age_s`` is Azure's clock minus the time at which the VM was created.
    """

    id: str
    name: str
    computer_name: str | None
    vm_id: str | None
    location: str
    os: str | None
    os_name: str | None
    size: str | None
    provisioning_state: str | None
    has_os_profile: bool
    allow_extension_operations: bool | None
    provision_vm_agent: bool | None
    boot_diagnostics: bool | None
    security_type: str | None
    age_s: float | None
    nic_ids: list[str]


class VmPower(TypedDict):
    """``power`` is the part after ``PowerState/``; ``provisioning`` the whole ``ProvisioningState/…`` code."""

    power: str | None
    provisioning: str | None
    provisioning_message: str | None


class VmAgent(TypedDict):
    """What the agent last reported. ``age_s`` is Azure's clock minus ``reported_at``; None where there is no time."""

    version: str | None
    code: str | None
    level: str | None
    display_status: str | None
    message: str | None
    reported_at: str | None
    age_s: float | None


class Handler(TypedDict):
    """One extension handler as the agent reports it (``instanceView.vmAgent.extensionHandlers``)."""

    type: str
    version: str | None
    code: str | None
    level: str | None
    display_status: str | None
    message: str | None


class Extension(TypedDict):
    """One extension of the VM: the model's state and what the instance view says of it (None: not listed there)."""

    name: str
    publisher: str | None
    type: str | None
    version: str | None
    provisioning_state: str | None
    code: str | None
    level: str | None
    message: str | None


class ExtensionVersions(TypedDict):
    """The versions of the backup extension that its publisher lists in the VM's region, oldest first."""

    type: str
    versions: list[str]


class Disk(TypedDict):
    """One disk. ``lun`` None = OS disk; ``encryption``: ``none``, ``ade`` (in the guest) or None when nobody said.

    ``network_access``: ``AllowAll``, ``AllowPrivate`` or ``DenyAll``; ``data_access_auth``: ``AzureActiveDirectory``
    where reading the disk's data asks for a sign-in; ``security_type`` as Azure spells it. What the managed disk itself
    says is None where it could not be read, or does not say it.
    """

    name: str
    role: str
    lun: int | None
    id: str | None
    managed: bool
    size_gb: int | None
    sku: str | None
    encryption: str | None
    shared: bool | None
    write_accelerator: bool
    ephemeral: bool
    network_access: str | None
    public_access: str | None
    data_access_auth: str | None
    security_type: str | None
    excluded_by: str | None


class Lock(TypedDict):
    """A management lock. ``scope`` is the resource id it sits on; ``level`` is ``CanNotDelete`` or ``ReadOnly``."""

    name: str
    level: str
    scope: str


class RestorePointCollection(TypedDict):
    """A restore point collection of this VM; ``restore_points`` is None when their list could not be read.

    Others than Azure Backup make some too. ``interval_h`` are the hours that mostly lie between its points.
    """

    id: str
    name: str
    resource_group: str
    provisioning_state: str | None
    restore_points: int | None
    interval_h: float | None


class ActivityEvent(TypedDict):
    """One row of the activity log."""

    time: str
    operation: str
    status: str | None
    caller: str | None
    resource_id: str | None
    code: str | None
    message: str | None


class ResourceHealth(TypedDict):
    """``state``: ``Available``, ``Unavailable``, ``Degraded`` or ``Unknown``."""

    state: str
    reason: str | None
    summary: str | None
    since: str | None


class Series(TypedDict):
    """One metric over the window. ``points`` are ``[time, value]``, minutes without a value are left out."""

    unit: str
    aggregation: str
    points: list[tuple[str, float]]


class Metrics(TypedDict):
    """Platform metrics over the failed job's snapshot window; ``window`` says where the window comes from:
    ``snapshot_task``, ``job`` or ``last_hour``. Series without a single value are present with empty ``points``."""

    start: str
    end: str
    window: str
    series: dict[str, Series]
