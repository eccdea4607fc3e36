"""Which way the snapshot takes, and whether it needs Azure Storage from the VM. No check of its own.

The extension asks the host for the snapshot and goes to Azure Storage itself only where the host does not offer it.
Status 76 and the code NoNetwork say that every snapshot failed, whichever way it took: only where the host was not the
way can the network to Storage be to blame.
"""

from __future__ import annotations

from typing import Literal

from vmbackup.catalog.knowledge import version
from vmbackup.catalog.signatures import Strength
from vmbackup.facts.backup import FailedJob, Job, ProtectedItem
from vmbackup.facts.guest import GuestExtension, GuestLogs, GuestProbe
from vmbackup.facts.linux import LinuxVmbackupConf
from vmbackup.facts.vm import Disk, VmAgent, VmModel
from vmbackup.failures.jobs import backup_failed, is_over
from vmbackup.failures.signatures import signs_of_failure, signs_of_status
from vmbackup.versions import compare

NO_NETWORK = ("no_network", "snapshot_no_network")
"""The signatures that only say that every snapshot failed."""
# Where the agent is not heard, the extension is not started: no backup came as far as its snapshot.
_BEFORE_THE_SNAPSHOT = ("agent_unreachable",)
Need = Literal["no_network", "old_agent", "write_accelerator", "none", "host", "unclear"]
_HOST_ONLY_SECURITY = ("trustedlaunch", "confidentialvm")
_HOST_ONLY_DISKS = ("ultrassd_lrs", "premiumv2_lrs")
_BY_HOST = ("presnapshot_ok", "snapshot_through_host", "host_snapshot_error")

FACTS = (
    "vm.model",
    "vm.disks",
    "vm.agent",
    "backup.failed_job",
    "backup.jobs",
    "backup.item",
    "guest.probe",
    "guest.extension",
    "guest.logs",
    "guest.vmbackup_conf",
)
"""What :func:`need` reads, in the order of its parameters."""


def need(
    model: VmModel | None,
    disks: list[Disk] | None,
    agent: VmAgent | None,
    job: FailedJob | None,
    jobs: list[Job] | None,
    item: ProtectedItem | None,
    probe: GuestProbe | None,
    extension: GuestExtension | None,
    logs: GuestLogs | None,
    conf: LinuxVmbackupConf | None,
) -> Need:
    """Why this VM's backup needs a way to Azure Storage of its own. ``none``: it does not; ``host``: it failed, but on
    its way through the host; ``unclear``: nobody knows."""
    os = model["os"] if model else None
    age = compare(agent["version"] if agent else None, version(f"{os}_agent_minimum")) if os else None
    no_network = _names_no_network(job, item, extension)
    accelerated = any(disk["write_accelerator"] for disk in disks or [])
    if no_network and not accelerated:
        return _after_no_network(model, disks, jobs, probe, logs, conf)
    if (accelerated or age == -1) and _names_another(job, item):
        return "unclear"
    if accelerated:
        return "write_accelerator"
    if age == -1:
        return "old_agent"
    told = no_network is False or backup_failed(job, jobs) is False
    return "none" if told and age is not None and disks is not None else "unclear"


def _after_no_network(
    model: VmModel | None,
    disks: list[Disk] | None,
    jobs: list[Job] | None,
    probe: GuestProbe | None,
    logs: GuestLogs | None,
    conf: LinuxVmbackupConf | None,
) -> Need:
    forced = ((model["security_type"] if model else None) or "").lower() in _HOST_ONLY_SECURITY
    method = ((conf["values"] if conf else None) or {}).get("snapshotmethod", "").lower()
    if forced or method == "onlyhost" or any((disk["sku"] or "").lower() in _HOST_ONLY_DISKS for disk in disks or []):
        return "host"
    patterns = logs["patterns"] if logs is not None else None
    if any(id in (patterns or {}) and not is_over((patterns or {})[id]["last"], jobs) for id in _BY_HOST):
        return "host"
    # A log that was to be read and was not could show the host.
    unread = (
        disks is None or model is None or model["security_type"] is None or (probe is not None and patterns is None)
    )
    return "unclear" if unread else "no_network"


def _names_another(job: FailedJob | None, item: ProtectedItem | None) -> bool:
    """Whether Azure names a fault that is not the network's."""
    found = signs_of_failure(job, None, item if job is None else None)
    return any(sign.strength is Strength.NAMES and "no_internet" not in sign.causes for sign in found)


def _names_no_network(
    job: FailedJob | None, item: ProtectedItem | None, extension: GuestExtension | None
) -> bool | None:
    """True: Azure or the extension says that it did not reach Azure Storage; False: another fault is named; None: no
    word that decides. The vault item's health is asked where no job is known."""
    found = signs_of_failure(job, None, item if job is None else None)
    if any("no_internet" in sign.causes for sign in (*found, *signs_of_status(extension))):
        return True
    another = any(sign.strength is Strength.NAMES or sign.id in _BEFORE_THE_SNAPSHOT for sign in found)
    return False if another else None
