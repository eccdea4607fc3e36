"""Errors of Azure Backup as its jobs show them: string code -> (integer code, message, recommendation).

Integers come from recorded answers; 0 where none was ever seen.
"""

from __future__ import annotations

from typing import NamedTuple


class Failure(NamedTuple):
    """One error of Azure Backup."""

    integer: int
    message: str
    recommendation: str


_RETRY = "Retry the backup operation. If the issue persists, contact Microsoft support."

FAILURES: dict[str, Failure] = {
    "UserErrorGuestAgentStatusUnavailable": Failure(
        400196,
        "VM agent is unable to communicate with the Azure Backup Service.",
        "Ensure the VM has network connectivity and the VM agent is latest and running.",
    ),
    "ExtensionSnapshotFailedNoNetwork": Failure(
        400206,
        "Snapshot operation failed due to no network connectivity on the virtual machine.",
        "Ensure that VM has network access.",
    ),
    "ExtensionOperationFailedForManagedDisks": Failure(
        0, "VMSnapshot extension operation failed.", "Ensure that the VM agent is running and healthy."
    ),
    "GuestAgentSnapshotTaskStatusError": Failure(
        400039,
        "Could not communicate with the VM agent for snapshot status.",
        "Ensure that the VM agent is running and latest.",
    ),
    "BackUpOperationFailed": Failure(
        400002, "Backup failed with an internal error - Please retry the operation in a few minutes.", _RETRY
    ),
    "UserErrorUnsupportedDiskSize": Failure(
        0,
        "The configured disk size(s) is currently not supported by Azure Backup.",
        "Exclude the disk or reduce its size.",
    ),
    "UserErrorVmProvisioningStateFailed": Failure(
        0, "The VM is in failed provisioning state", "Ensure that the VM is in a succeeded provisioning state."
    ),
    "UserErrorVmNotInDesirableState": Failure(
        0, "VM is not in a state that allows backups.", "Bring the VM into a running or stopped state and retry."
    ),
    "UserErrorRpCollectionLimitReached": Failure(
        0,
        "The Restore Point collection max limit has reached.",
        "Remove the lock on the restore point resource group or delete restore points.",
    ),
    "UserErrorKeyVaultPermissionsNotConfigured": Failure(
        400198,
        "Azure Backup Service does not have sufficient permissions to Key Vault for Backup of Encrypted Virtual "
        "Machines.",
        "Grant the backup service get, list and backup on keys and secrets.",
    ),
    "UserErrorBackupOperationInProgress": Failure(
        0,
        "Unable to initiate backup as another backup operation is currently in progress",
        "Wait until the running operation has finished.",
    ),
    "UserErrorBcmDatasourceNotPresent": Failure(
        0,
        "Backup failed: This virtual machine is not (actively) protected by Azure Backup.",
        "Resume the protection of the virtual machine.",
    ),
    "UserErrorCrpReportedUserError": Failure(
        400349,
        "Backup failed due to an error. For details, see Job Error Message Details.",
        "See the details of the job.",
    ),
    "UserErrorRequestDisallowedByPolicy": Failure(
        0,
        "An invalid policy is configured on the VM which is preventing Snapshot operation.",
        "Change the effect of the policy or create the resource group of the restore points by hand.",
    ),
    "UserErrorFsFreezeFailed": Failure(
        0,
        "Failed to freeze one or more mount-points of the VM to take a file-system consistent snapshot.",
        "Check the file systems of all mount points.",
    ),
    "UserErrorUnableToOpenMount": Failure(
        0,
        "Some mount point is not accessible.",
        "Check if all mount points of fstype Ext3/4, ReiserFS, JFS, XFS are accessible.",
    ),
    "ExtensionFailedVssWriterInBadState": Failure(
        0,
        "Snapshot operation failed because VSS writers were in a bad state.",
        "Restart the services of VSS writers that are in a bad state.",
    ),
    "ExtensionSnapshotFailedCOM": Failure(
        0,
        "Snapshot operation failed due to COM+ error",
        "Restart the COM+ System Application (COMSysApp), then the VM.",
    ),
    "ExtensionVCRedistInstallationFailure": Failure(
        380020,
        "Snapshot operation failed due to failure in installation of Visual C++ Redistributable for Visual Studio "
        "2013.",
        "Install the Visual C++ Redistributable by hand.",
    ),
    "ExtensionSnapshotFailedNoSecureNetwork": Failure(
        0,
        "The snapshot operation failed because of failure to create a secure network communication channel.",
        "Enable strong cryptography for .NET.",
    ),
    "ExtensionStuckInDeletionState": Failure(
        0, "Extension state is not supportive to the backup operation", "Uninstall the backup extension and retry."
    ),
    "UserErrorVmNotFoundV2": Failure(400136, "Virtual machine doesn't exist.", "Stop protection or restore the VM."),
    "UserErrorJobSuccessfullyCancelled": Failure(400158, "Job is cancelled.", ""),
}
