"""The facts that Azure tells, by name, with their shapes."""

from __future__ import annotations

from vmbackup.facts.backup import (
    FailedJob,
    Job,
    Neighbours,
    Policy,
    ProtectedItem,
    Protection,
    RecoveryPoint,
    RunningJob,
    Vault,
)
from vmbackup.facts.network import (
    Nic,
    Routes,
    Rules,
    Subnet,
)
from vmbackup.facts.vm import (
    ActivityEvent,
    Disk,
    Extension,
    ExtensionVersions,
    Handler,
    Lock,
    Metrics,
    ResourceHealth,
    RestorePointCollection,
    VmAgent,
    VmModel,
    VmPower,
)

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
