"""The shape of every fact: the contract between ``collectors`` (who fill it) and ``checks`` (who read it).

Every key is always present; what Azure did not say is ``None``, never a guess. Times are ISO 8601 UTC strings,
sizes in GiB carry ``_gb``, durations ``_s``. ``FACTS`` maps the name of a fact to its shape.

A list that was not read to its end has ``cut`` among its fact's details (:attr:`~vmbackup.model.Fact.is_cut`), and so
has every fact that was made from it. No check that reads one may say ok.
"""

from __future__ import annotations

from typing import TypedDict

# --- the virtual machine -------------------------------------------------------------------------------------------


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


# --- the network ---------------------------------------------------------------------------------------------------


class IpConfig(TypedDict):
    """``allocation`` is ``Static`` or ``Dynamic`` on the platform; the guest should use DHCP in both cases."""

    name: str
    primary: bool
    private_ip: str | None
    allocation: str | None
    subnet_id: str | None


class Nic(TypedDict):
    """One network interface."""

    id: str
    name: str
    primary: bool
    nsg_id: str | None
    ip_configs: list[IpConfig]


class Rule(TypedDict):
    """One security rule. ``destinations``: prefixes, service tags or ``*``; ``ports``: ``443``, ``80-90``, ``*``."""

    name: str
    nsg: str | None
    layer: str
    direction: str
    access: str
    priority: int
    protocol: str
    destinations: list[str]
    ports: list[str]


class NicRules(TypedDict):
    """The rules of one interface. ``layer`` is ``nic`` or ``subnet``: where both have rules, both must allow."""

    nic: str
    rules: list[Rule]


class Rules(TypedDict):
    """``source``: ``effective`` (computed by Azure) or ``objects`` (read as written: VM stopped, or right missing)."""

    source: str
    nics: list[NicRules]


class Route(TypedDict):
    """One route. ``next_hop``: ``Internet``, ``None``, ``VirtualAppliance``, ``VirtualNetworkGateway``, ``VnetLocal``,
    ``VirtualNetworkServiceEndpoint``, …; ``state``: ``Active`` or ``Invalid``; ``origin``: ``Default``, ``User``, …."""

    prefixes: list[str]
    next_hop: str
    next_hop_ips: list[str]
    origin: str | None
    state: str


class NicRoutes(TypedDict):
    """The routes that hold for one interface."""

    nic: str
    routes: list[Route]


class Routes(TypedDict):
    """``source`` as in :class:`Rules`."""

    source: str
    nics: list[NicRoutes]


class Subnet(TypedDict):
    """One subnet of the VM. ``default_outbound`` None = the platform's default."""

    id: str
    nsg_id: str | None
    route_table_id: str | None
    nat_gateway_id: str | None
    service_endpoints: list[str]
    default_outbound: bool | None


# --- the backup ----------------------------------------------------------------------------------------------------


class Protection(TypedDict):
    """Which vault protects the VM. ``via``: ``backupStatus``, ``resource_graph`` or ``parameter``; ``error_code`` and
    ``error_message`` are what ``backupStatus`` says went wrong."""

    status: str | None
    error_code: str | None
    error_message: str | None
    vault_id: str
    container: str
    item: str
    policy_name: str | None
    via: str


class HealthDetail(TypedDict):
    """One line of the portal's "backup pre-check". ``title`` carries the string code, ``code`` the integer."""

    code: int | None
    title: str | None
    message: str | None
    recommendations: list[str] | None


class ProtectedItem(TypedDict):
    """The VM as the vault sees it. ``disk_luns``/``disk_luns_included``: selective disk backup, None when not used."""

    id: str
    protection_state: str | None
    protection_status: str | None
    health_status: str | None
    health_details: list[HealthDetail]
    last_backup_status: str | None
    last_backup_time: str | None
    last_recovery_point: str | None
    policy_id: str | None
    policy_name: str | None
    source_resource_id: str | None
    soft_deleted: bool
    disk_luns: list[int] | None
    disk_luns_included: bool | None


class Vault(TypedDict):
    """How the vault stores backups. ``redundancy``: ``GeoRedundant``, ``LocallyRedundant``, ``ZoneRedundant``, ….
    ``same_subscription``: as the VM; both are supported."""

    redundancy: str | None
    cross_region_restore: bool | None
    same_subscription: bool


class Policy(TypedDict):
    """The policy. ``type``: ``V1`` (Standard), ``V2`` (Enhanced), None when nobody said; ``times`` are a day's starts,
    ``HH:MM`` in ``time_zone`` (Windows id)."""

    name: str
    type: str | None
    frequency: str | None
    days: list[str]
    times: list[str]
    interval_h: int | None
    time_zone: str | None
    consistency: str | None
    instant_restore_days: int | None
    restore_point_group_prefix: str | None
    restore_point_group_suffix: str | None


class Job(TypedDict):
    """One backup job of this VM as the list shows it."""

    name: str
    operation: str | None
    status: str | None
    start: str | None
    end: str | None
    error_code: int | None
    error_title: str | None
    error_text: str | None


class JobError(TypedDict):
    """One entry of ``errorDetails``. ``text`` is in Azure's language of the day."""

    code: int | None
    title: str | None
    text: str | None
    recommendations: list[str]


class JobTask(TypedDict):
    """One task of a job, such as "Take Snapshot"."""

    name: str
    status: str | None
    duration_s: float | None


class FailedJob(TypedDict):
    """The newest backup job that failed or completed with warnings, in full; ``first_failure`` is the start of the
    oldest failure since the last good job, ``attempts_24h`` counts on-demand jobs of the last day."""

    name: str
    status: str
    start: str | None
    end: str | None
    duration_s: float | None
    errors: list[JobError]
    dynamic_message: str | None
    tasks: list[JobTask]
    first_failure: str | None


class RunningJob(TypedDict):
    """A backup that is not at its end. ``running_s`` is Azure's clock minus its start; ``taking_snapshot``: whether it
    still takes its snapshot, None where its tasks do not say."""

    name: str
    status: str | None
    start: str | None
    running_s: float | None
    taking_snapshot: bool | None


class RecoveryPoint(TypedDict):
    """``type``: ``AppConsistent``, ``FileSystemConsistent``, ``CrashConsistent`` …, as Azure spells it. ``threat``:
    ``Healthy``, ``UnHealthy``, ``Warning``, ``NotAvailable``, ``Unknown``; ``tiers`` where it is valid."""

    name: str
    time: str | None
    type: str | None
    threat: str | None
    tiers: list[str] | None


class Neighbour(TypedDict):
    """Another VM under the same policy."""

    name: str
    last_backup_status: str | None
    last_backup_time: str | None


class Neighbours(TypedDict):
    """All VMs that the policy starts at the same time, this one not counted."""

    policy: str
    same_time: list[Neighbour]


FACTS: dict[str, object] = {
    "vm.model": VmModel,
    "vm.power": VmPower,
    "vm.agent": VmAgent,
    "vm.handlers": list[Handler],
    "vm.extensions": list[Extension],
    "vm.extension_versions": ExtensionVersions,
    "vm.disks": list[Disk],
    "vm.locks": list[Lock],
    "vm.restore_points": list[RestorePointCollection],
    "vm.activity": list[ActivityEvent],
    "vm.health": ResourceHealth,
    "vm.metrics": Metrics,
    "network.nics": list[Nic],
    "network.subnets": list[Subnet],
    "network.rules": Rules,
    "network.routes": Routes,
    "backup.protection": Protection,
    "backup.item": ProtectedItem,
    "backup.vault": Vault,
    "backup.policy": Policy,
    "backup.jobs": list[Job],
    "backup.failed_job": FailedJob,
    "backup.running_job": RunningJob,
    "backup.recovery_points": list[RecoveryPoint],
    "backup.neighbours": Neighbours,
}
