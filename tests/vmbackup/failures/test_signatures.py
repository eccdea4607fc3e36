"""Signs of a failure are recognised wherever they show, and what nobody knows is a sign too."""

from __future__ import annotations

from typing import Any

import pytest

from judging import failed_job, item, job, model
from vmbackup.catalog.signatures import Strength
from vmbackup.failures.places import FACTS_OF, places, unread
from vmbackup.failures.recognition import matches, recognise
from vmbackup.failures.signatures import UNRECOGNISED, Sign, said, signs
from vmbackup.model import Evidence, Fact, FactStatus


def ids(text: str | int, where: str | None = None) -> list[str]:
    return [signature.id for signature in recognise(text, where)]


def evidence(**facts: Any) -> Evidence:
    """Facts are named with ``__`` for the dot."""
    return {name.replace("__", "."): Fact(FactStatus.OK, data) for name, data in facts.items()}


def only(found: list[Sign]) -> Sign:
    assert len(found) == 1, found
    return found[0]


@pytest.mark.parametrize(
    ("text", "id"),
    [
        ("Snapshot operation failed due to COM+ error", "com_plus_snapshot"),
        ('Restore Point creation failed due to COM+ error. Please restart', "com_plus_snapshot"),
        ("Fehler bei Momentaufnahmevorgang aufgrund eines COM+-Fehlers", "com_plus_snapshot"),
        ("Restore Point creation failed due to VSS Writers in bad state. Restart VSS Writer services", "vss_writers"),
        ("Restore Point creation failed due to inadequate VM resources. Increase VM resources", "inadequate_resources"),
        ("Restore Point creation failed due to no network connectivity on the virtual machine.", "no_network"),
        ("RestorePoint creation failed since a concurrent 'Create RestorePoint' operation", "too_many_backups"),
        ("Keyvault associated with DiskEncryptionSet not found.", "key_vault_missing"),
        ("Creation of Restore Point of a Virtual Machine with Shared disks is not supported.", "shared_disk"),
        ("The storage type is not supported by Azure backup.", "storage_type_unsupported"),
        ("Uma política inválida (UserErrorRequestDisallowedByPolicy)", "policy_denies"),
        ("バックアップは UserErrorSharedDiskBackupNotSupported で失敗しました", "shared_disk"),
    ],
)  # fmt: skip
def test_what_distinguishes_is_enough(text: str, id: str) -> None:
    assert ids(text, "job") == [id]


def test_inside_a_wrapper() -> None:
    text = "VMRestorePointClientError: Restore Point creation failed due to COM+ error."
    found = signs(
        evidence(backup__failed_job=failed_job(400349, "UserErrorCrpReportedUserError", dynamic_message=text))
    )
    assert [(sign.id, sign.strength) for sign in found] == [
        ("crp_reported", Strength.WRAPPER),
        ("crp_reported", Strength.WRAPPER),
        ("com_plus_snapshot", Strength.NAMES),
    ]


@pytest.mark.parametrize(
    ("code", "causes"),
    [
        ("UserErrorUltraDiskOrPremiumSSDV2BackupOnGRSVaultNotSupported", ("disks",)),
        ("UserErrorSharedDiskSomethingNew", ("disks",)),
        ("UserErrorDiskEncryptionSetStateInvalid", ("key_vault",)),
        ("ExtensionFailedVssProviderTimeout", ("vss",)),
        ("UserErrorResourceLockFound", ("restore_points",)),
        ("UserErrorGuestNetworkIsolated", ("no_internet",)),
    ],
)
def test_a_code_that_nobody_knows_is_guessed_from_the_words_inside(code: str, causes: tuple[str, ...]) -> None:
    sign = only(said(code, "job"))
    assert (sign.causes, sign.strength, sign.guessed, sign.code) == (causes, Strength.POINTS, True, "")


@pytest.mark.parametrize(
    "word", ["BitLockerBlockedSomething", "UserErrorClockBlocked", "UserErrorSomethingQuiteDifferent"]
)
def test_no_guess_from_a_part_of_a_word(word: str) -> None:
    assert ids(word) == []


def test_what_nobody_knows_is_a_sign_too() -> None:
    found = signs(
        evidence(
            backup__failed_job=failed_job(499999, None, dynamic_message="Something that no list has"),
            backup__item=item(health_details=[{"code": 4711, "title": None, "message": "New in 2027"}]),
            guest__extension=extension(code=999, message="?"),
        )
    )
    assert [(sign.id, sign.where, sign.text) for sign in found] == [
        (UNRECOGNISED, "job", "499999"),
        (UNRECOGNISED, "job", "Something that no list has"),
        (UNRECOGNISED, "health", "4711 New in 2027"),
        (UNRECOGNISED, "extension", "999 ?"),
    ]
    assert found[-1].causes == ("extension",)


def extension(**changes: Any) -> dict[str, Any]:
    return {
        "name": "Microsoft.Azure.RecoveryServices.VMSnapshotLinux",
        "versions": ["1.0.9220.0"],
        "newest": "1.0.9220.0",
        "status": "success",
        "code": 1,
        "message": "Enable Succeeded",
        "operation": "Enable",
        "seq": 7,
        "at": None,
    } | changes


@pytest.mark.parametrize(
    ("changes", "id"),
    [
        ({"code": 2, "message": "Snapshots are inconsistent"}, ["snapshot_inconsistent", "extension_error"]),
        ({"code": 121, "message": None}, ["freeze_failed"]),
        ({"code": 76, "message": "StatusCode.FailedRetryableSnapshotFailedNoNetwork,"}, ["snapshot_no_network"]),
        ({"status": "error", "code": None, "message": "no words for it"}, [UNRECOGNISED]),
        ({}, []),
    ],
)  # fmt: skip
def test_the_extension_s_status(changes: dict[str, Any], id: list[str]) -> None:
    assert [sign.id for sign in signs(evidence(guest__extension=extension(**changes)))] == id


def test_other_jobs_and_times() -> None:
    failed = {**job("Failed", "2026-11-20T22:00:00Z", "ConfigureBackup"), "error_title": "UserErrorVmNotFoundV2"}
    restore = {
        **job("Failed", "2026-11-21T22:00:00Z", "Restore"),
        "error_title": "UserErrorSharedDiskBackupNotSupported",
    }
    sign = only(signs(evidence(backup__jobs=[job(), failed, restore])))
    assert (sign.id, sign.time) == ("vm_not_found", "2026-11-20T22:00:00Z")


def test_logs_have_their_own_times_and_good_lines_are_no_signs() -> None:
    patterns = {
        "no_space": {"count": 3, "last": "2026-11-22T23:00:00Z"},
        "heartbeat": {"count": 9, "last": None},
        "firewall_forbids": {"count": 1, "last": "11/22/2026 23:00:00"},
    }
    found = signs(evidence(guest__logs={"patterns": patterns}))
    assert [(sign.id, sign.where, sign.time) for sign in found] == [
        ("no_space", "agent_log", "2026-11-22T23:00:00Z"),
        ("firewall_forbids", "windows_log", "2026-11-22T23:00:00Z"),
    ]


def test_a_pasted_piece_of_a_log() -> None:
    text = "2023/06/26 INFO x\n2023/06/26 ERROR OSError: [Errno 28] No space left on device\n"
    sign = only(signs(evidence(backup__pasted={"text": text})))
    assert (sign.id, sign.where) == ("no_space", "pasted")
    assert sign.text == "2023/06/26 ERROR OSError: [Errno 28] No space left on device"


def test_run_command_says_why() -> None:
    fact = Fact(FactStatus.FAILED, why="refused", details={"code": "VMAgentStatusCommunicationError", "message": "x"})
    assert only(signs({"guest.probe": fact})).where == "run_command"


def test_ordinary_codes_count_alone_only() -> None:
    assert ids("ResourceNotFound", "job") == ["vm_no_longer_exists"]
    assert ids('{"code": "ResourceNotFound"}', "job") == ["vm_no_longer_exists"]
    assert ids("The disk answered ResourceNotFound and more", "job") == []


def test_the_same_words_mean_something_only_where_they_are_looked_for() -> None:
    assert ids("No space left on device", "agent_log") == ["no_space"]
    assert ids("No space left on device", "health") == []


def test_sources_that_were_not_read() -> None:
    linux, windows = ({"vm__model": model(os=os)} for os in ("linux", "windows"))
    assert "guest.logs" in unread("guest_disk_space", {})
    assert "guest.logs" in unread("guest_disk_space", evidence(guest__logs={"patterns": None}))
    assert "guest.logs" not in unread("guest_disk_space", evidence(guest__logs={"patterns": {}}))
    assert "guest.serial_log" in unread("certificates", evidence(**linux))
    assert "guest.serial_log" not in unread("certificates", evidence(**windows))
    assert "guest.crashes" in unread("vss", evidence(**windows))
    assert {name for place in places("vss") for name in FACTS_OF[place]} >= {"backup.failed_job", "backup.item"}


def test_events() -> None:
    crash = {
        "kind": "program",
        "name": "IaaSBcdrExtension.exe",
        "count": 1,
        "last": "2026-11-22T23:00:00Z",
        "detail": None,
    }
    service = {**crash, "kind": "service", "name": "Windows Azure Guest Agent"}
    unknown = {**crash, "name": "other.exe"}
    block = {"source": "AppLocker", "event_id": 8004, "program": "IaaSBcdrExtension.exe", "count": 1, "last": None}
    facts = evidence(
        guest__crashes={"days": 7, "events": [crash, service, unknown]},
        guest__application_control={"blocked": [block], "antivirus": []},
    )
    found = [sign.id for sign in signs(facts)]
    assert found == ["extension_program_crashed", "agent_program_crashed", UNRECOGNISED, "extension_program_crashed"]
    assert ids("Faulting application name: WindowsAzureGuestAgent.exe, version: 2.7.41491.1193") == [
        "agent_program_crashed"
    ]
    assert ids("VSS is a service") == []


def test_a_match_quotes_its_line() -> None:
    found = matches("one\nT:S snapshot result: errorcode: 409\nthree")
    assert {match.line for match in found if match.by == "pattern"} == {"T:S snapshot result: errorcode: 409"}


def listed(**changes: Any) -> dict[str, Any]:
    return {
        "name": "VMSnapshot",
        "publisher": "Microsoft.Azure.RecoveryServices",
        "type": "VMSnapshot",
        "version": "1.0",
        "provisioning_state": "Failed",
        "code": "ProvisioningState/failed/121",
        "level": "Error",
        "message": None,
    } | changes


def test_the_numbers_are_those_of_the_linux_extension() -> None:
    windows, linux = listed(), listed(type="VMSnapshotLinux")
    assert [sign.id for sign in signs(evidence(vm__extensions=[windows]))] == [UNRECOGNISED]
    assert [sign.id for sign in signs(evidence(vm__extensions=[linux]))] == ["freeze_failed"]
    other = listed(publisher="Microsoft.Compute", type="VMAccessAgent")
    assert signs(evidence(vm__extensions=[other])) == []


def test_a_handler_s_number_is_the_agent_s() -> None:
    full_type = "Microsoft.Azure.RecoveryServices.VMSnapshotLinux"
    handler = {"type": full_type, "version": "1.0", "code": "ProvisioningState/NotReady/17", "level": "Error"}
    found = signs(
        evidence(vm__handlers=[{**handler, "display_status": "Not Ready", "message": "Enable failed for plugin"}])
    )
    assert [sign.id for sign in found] == ["handler_failed"]
