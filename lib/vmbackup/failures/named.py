"""Whether Azure itself names a fault that only the guest can show: the one rule behind a dozen causes. Pure.

A job's errors and the vault item's health may carry a string code (in a title or inside a text), an integer code or
only a message in English. Which of them name which cause stands here and, for triage, in ``codes.yaml``; a test holds
the two equal.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from vmbackup.facts.azure import FailedJob, Job, ProtectedItem
from vmbackup.failures.jobs import backup_failed, failed_unlisted, newest_finished
from vmbackup.model import Word

CODES: dict[str, tuple[str, ...]] = {
    "vm_state": (
        "UserErrorVmProvisioningStateFailed",
        "UserErrorVmNotInDesirableState",
        "VmNotInDesirableState",
        "UserErrorPreCheckVmNotInDesirableState",
        "AzureVmOffline",
        "VMExtensionProvisioningError",
        "VMExtensionProvisioningTimeout",
    ),
    "protection": (
        "UserErrorBcmDatasourceNotPresent",
        "UserErrorVmNotFoundV2",
        "BCMV2VMNotFound",
        "ResourceNotFound",
        "UserErrorVmVaultLocationMismatch",
    ),
    "backup_in_progress": ("UserErrorBackupOperationInProgress", "SystemBackupOperationInProgress"),
    "restore_points": ("UserErrorRpCollectionLimitReached", "UserErrorRpCollectionDeleted"),
    "azure_policy": ("UserErrorRequestDisallowedByPolicy", "RequestDisallowedByPolicy"),
    "key_vault": ("UserErrorKeyvaultPermissionsNotConfigured", "UserErrorKeyvaultPermissionNotConfigured"),
    "file_system_freeze": (
        "UserErrorFsFreezeFailed",
        "UserErrorUnableToOpenMount",
        "FailedRetryableFsFreezeFailed",
        "FailedRetryableFsFreezeTimeout",
        "FailedRetryableUnableToOpenMount",
        "FailedSafeFreezeBinaryNotFound",
    ),
    "vss": ("ExtensionFailedVssWriterInBadState", "ExtensionFailedVssServiceInBadState"),
    "com_plus": ("ExtensionSnapshotFailedCOM", "ExtensionInstallationFailedCOM", "ExtensionInstallationFailedMDTC"),
    "vc_redistributable": ("ExtensionVCRedistInstallationFailure",),
    "secure_channel": ("ExtensionSnapshotFailedNoSecureNetwork",),
    "application_control": ("VMRestorePointInternalError",),
    "certificates": ("ExtensionConfigParsingFailure", "FailedHandlerGuestAgentCertificateNotFound"),
}
INTEGERS = {
    320001: "ResourceNotFound",
    380008: "AzureVmOffline",
    380020: "ExtensionVCRedistInstallationFailure",
    400094: "BCMV2VMNotFound",
    400136: "UserErrorVmNotFoundV2",
    400175: "UserErrorVmVaultLocationMismatch",
    400198: "UserErrorKeyvaultPermissionsNotConfigured",
    400288: "UserErrorRpCollectionDeleted",
}
# What distinguishes the messages of these codes where Azure gives no code, in the languages seen; in small letters.
PHRASES = {
    "failed to freeze one or more mount-points": "UserErrorFsFreezeFailed",
    "some mount point is not accessible": "UserErrorUnableToOpenMount",
    "vss writers were in a bad state": "ExtensionFailedVssWriterInBadState",
    "vss (volume shadow copy) service in bad state": "ExtensionFailedVssServiceInBadState",
    "snapshot operation failed due to com+ error": "ExtensionSnapshotFailedCOM",
    "failed due to a com+ error": "ExtensionInstallationFailedCOM",
    "com+ was unable to talk to the microsoft distributed transaction": "ExtensionInstallationFailedMDTC",
    "visual c++ redistributable for visual studio": "ExtensionVCRedistInstallationFailure",
    "failure to create a secure network communication channel": "ExtensionSnapshotFailedNoSecureNetwork",
    "failure in parsing the config for the backup extension": "ExtensionConfigParsingFailure",
    "an invalid policy is configured on the vm": "UserErrorRequestDisallowedByPolicy",
    "sufficient permissions to the key vault": "UserErrorKeyvaultPermissionsNotConfigured",
    "sufficient permissions to key vault": "UserErrorKeyvaultPermissionsNotConfigured",
    "restore point collection max limit": "UserErrorRpCollectionLimitReached",
    "another backup operation is currently in progress": "UserErrorBackupOperationInProgress",
    "is not (actively) protected by azure backup": "UserErrorBcmDatasourceNotPresent",
    "virtual machine and vault are in different region": "UserErrorVmVaultLocationMismatch",
    "virtual machine doesn't exist": "UserErrorVmNotFoundV2",
    "could not perform the operation as vm no longer exists": "ResourceNotFound",
    "vss writers in bad state": "ExtensionFailedVssWriterInBadState",
    "parsing failure of the configuration": "ExtensionConfigParsingFailure",
    "restore points across restore point collections": "UserErrorRpCollectionLimitReached",
    "another operation is currently in progress on this item": "UserErrorBackupOperationInProgress",
    "azure virtual machine not found": "BCMV2VMNotFound",
    "azure virtual machine wasn't found": "BCMV2VMNotFound",
    "berechtigungen für den schlüsseltresor": "UserErrorKeyvaultPermissionsNotConfigured",
    "grenzwert für die sammlung von wiederherstellungspunkten": "UserErrorRpCollectionLimitReached",
    "anzahl der wiederherstellungspunkte über wiederherstellungspunktsammlungen": "UserErrorRpCollectionLimitReached",
    "derzeit ein anderer sicherungsvorgang": "UserErrorBackupOperationInProgress",
    "für dieses element wird ein anderer vorgang ausgeführt": "UserErrorBackupOperationInProgress",
    "wird nicht (aktiv) über azure backup geschützt": "UserErrorBcmDatasourceNotPresent",
    "der virtuelle computer ist nicht vorhanden": "BCMV2VMNotFound",
    "der virtuelle azure-computer wurde nicht gefunden": "BCMV2VMNotFound",
    "da der virtuelle computer nicht mehr vorhanden ist": "ResourceNotFound",
    "eine ungültige richtlinie konfiguriert": "UserErrorRequestDisallowedByPolicy",
    "fehler beim einfrieren mindestens eines bereitstellungspunkts": "UserErrorFsFreezeFailed",
    "fehlerhaften zustands von vss writer-instanzen": "ExtensionFailedVssWriterInBadState",
    "ungültigen status der vss-writer": "ExtensionFailedVssWriterInBadState",
    "fehlerhaften zustands des volumeschattenkopie-diensts": "ExtensionFailedVssServiceInBadState",
    "fehler bei momentaufnahmevorgang aufgrund eines com+-fehlers": "ExtensionSnapshotFailedCOM",
    "der erweiterung aufgrund eines com+-fehlers": "ExtensionInstallationFailedCOM",
    "com+ konnte keine daten mit dem microsoft distributed transaction": "ExtensionInstallationFailedMDTC",
    "visual c++ redistributable für visual studio": "ExtensionVCRedistInstallationFailure",
    "eines sicheren netzwerkkommunikationskanals": "ExtensionSnapshotFailedNoSecureNetwork",
    "analysieren der konfigurationsdatei für die sicherungserweiterung": "ExtensionConfigParsingFailure",
    "fehlers beim analysieren der konfiguration": "ExtensionConfigParsingFailure",
}
# They say that the VM or an extension was not ready, not why: any other cause may be behind them.
_CONSEQUENCE = "vm_state"
_CAUSE_OF = {code.lower(): cause for cause, codes in CODES.items() for code in codes}
_SPELLING = {code.lower(): code for codes in CODES.values() for code in codes}
# Words that are also ordinary error codes of Azure Resource Manager count as a title only, not inside a text.
_TITLE_ONLY = frozenset({"resourcenotfound"})
_WORD = re.compile(r"[A-Za-z][A-Za-z0-9]+")


class Named(Word):
    """What Azure says of one cause: it names it, it names another fault, nothing that decides, nothing failed, or we
    could not read what it says."""

    IT = "it"
    ANOTHER = "another"
    NOTHING = "nothing"
    NO_FAILURE = "no_failure"
    UNREAD = "unread"


@dataclass(frozen=True, slots=True)
class Said:
    """``code`` is the code that was named, ``text`` Azure's words beside it; both empty where there is none."""

    named: Named
    code: str = ""
    text: str = ""


def said_of(cause: str, job: FailedJob | None, jobs: list[Job] | None, item: ProtectedItem | None) -> Said:
    """What the failed backup says of this cause. ``job`` None: none since the last good one, or it was not read; then
    ``jobs``, the list, tells which."""
    newest, failed = newest_finished(jobs), backup_failed(job, jobs)
    if not failed and not failed_unlisted(jobs, item):
        unread = jobs is None or (newest is not None and failed is None)
        return Said(Named.UNREAD if unread else Named.NO_FAILURE)
    found = list(_codes(job, newest, item))
    for code, text in found:
        if _CAUSE_OF.get(code.lower()) == cause:
            return Said(Named.IT, _SPELLING[code.lower()], text)
    for code, text in found:
        if _CAUSE_OF.get(code.lower(), _CONSEQUENCE) != _CONSEQUENCE:
            return Said(Named.ANOTHER, code, text)
    return Said(Named.NOTHING)


def _codes(job: FailedJob | None, listed: Job | None, item: ProtectedItem | None) -> Iterator[tuple[str, str]]:
    """Every code that names a cause, with the words beside it."""
    if job is not None:
        for error in job["errors"]:
            yield from _in_error(error["code"], error["title"], error["text"])
        yield from _in_error(None, None, job["dynamic_message"])
    elif listed is not None:
        yield from _in_error(listed["error_code"], listed["error_title"], None)
    # A health that is good beside a failed backup is known to lag behind: only what it finds wrong counts.
    if item is not None and (item["last_backup_status"] or "").lower() == "failed":
        for detail in item["health_details"]:
            yield from _in_error(detail["code"], detail["title"], detail["message"])


def _in_error(integer: int | None, title: str | None, text: str | None) -> Iterator[tuple[str, str]]:
    beside = " ".join((text or title or "").split())[:300]
    heading, words = (title or "").strip(), text or ""
    if heading.lower() in _CAUSE_OF:
        yield heading, beside
    if integer in INTEGERS:
        yield INTEGERS[integer], beside
    for word in _WORD.findall(f"{heading} {words}"):
        if word.lower() in _CAUSE_OF and word.lower() not in _TITLE_ONLY:
            yield word, beside
    lowered = f"{heading} {words}".lower()
    for phrase, code in PHRASES.items():
        if phrase in lowered:
            yield code, beside
