"""The rule a dozen causes share: what Azure names in the failed backup decides where the guest was not examined."""

from __future__ import annotations

from typing import Any

import pytest

from judging import DENIED, NO_NETWORK, failed_job, item, job, judge, outcome
from vmbackup.checks.shared.named_fault import names_no_network

OWN_CODE = {
    "file_systems_can_be_frozen": "UserErrorFsFreezeFailed",
    "vss_writers_are_stable": "ExtensionFailedVssWriterInBadState",
    "com_plus_services_can_run": "ExtensionSnapshotFailedCOM",
    "vc_redistributable_can_be_installed": "ExtensionVCRedistInstallationFailure",
    "secure_channel_can_be_made": "ExtensionSnapshotFailedNoSecureNetwork",
    "windows_certificates_are_usable": "ExtensionConfigParsingFailure",
    "linux_certificates_are_usable": "FailedHandlerGuestAgentCertificateNotFound",
}
NOT_NAMED_BY_AZURE = [
    "backup_extension_may_run",
    "backup_extension_finds_its_python",
    "guest_has_room_for_the_agent",
    "guest_clock_is_right",
]
LINUX = {"file_systems_can_be_frozen", "linux_certificates_are_usable", "backup_extension_finds_its_python"}


def os_of(check: str) -> str:
    return "linux" if check in LINUX else "windows"


@pytest.mark.parametrize("check", OWN_CODE)
def test_azure_names_this_fault(check: str) -> None:
    named = {"backup__failed_job": failed_job(None, OWN_CODE[check]), "backup__jobs": [job("Failed")]}
    finding = judge(check, os_of(check), **named)
    assert (str(finding.verdict), finding.reason, finding.values["code"]) == ("problem", "problem", OWN_CODE[check])


@pytest.mark.parametrize("check", [*OWN_CODE, *NOT_NAMED_BY_AZURE])
@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({"backup__failed_job": failed_job(400175, "UserErrorVmVaultLocationMismatch")}, ("ok", "another_fault")),
        ({"backup__failed_job": failed_job(400196)}, ("unknown", "guest_only")),
        ({"backup__failed_job": failed_job(400002, "BackUpOperationFailed")}, ("unknown", "guest_only")),
        ({"backup__failed_job": failed_job(400349, "UserErrorCrpReportedUserError")}, ("unknown", "guest_only")),
        ({"backup__failed_job": failed_job(None, None)}, ("unknown", "guest_only")),
        ({"backup__failed_job": failed_job(499999, None)}, ("unknown", "guest_only")),
        ({"backup__failed_job": failed_job(None, "UserErrorNobodyKnowsThisOne")}, ("unknown", "guest_only")),
        ({"backup__failed_job": failed_job(None, "UserErrorVmProvisioningStateFailed")}, ("unknown", "guest_only")),
        ({"backup__failed_job": None, "backup__jobs": [job()]}, ("ok", "nothing_failed")),
        ({"backup__failed_job": None, "backup__jobs": []}, ("ok", "nothing_failed")),
        ({"backup__failed_job": None, "backup__jobs": [job("Paused")]}, ("unknown", "unknown")),
        ({"backup__failed_job": DENIED, "backup__jobs": DENIED}, ("unknown", "unknown")),
        ({"backup__failed_job": DENIED, "backup__jobs": [job("Failed")]}, ("unknown", "guest_only")),
        ({}, ("unknown", "unknown")),
    ],
)
def test_without_the_guest(check: str, facts: dict[str, Any], expected: tuple[str, str]) -> None:
    assert outcome(check, os_of(check), **facts) == expected


@pytest.mark.parametrize("check", OWN_CODE)
def test_the_other_system_is_not_concerned(check: str) -> None:
    other = "windows" if check in LINUX else "linux"
    assert outcome(check, other) == ("not_applicable", "other_os")


FREEZE = "file_systems_can_be_frozen"
WRITER_MESSAGE = "Failed to freeze one or more mount-points of the VM to take a file-system consistent snapshot."


def error(code: int | None = None, title: str | None = None, text: str | None = None) -> dict[str, Any]:
    return {"code": code, "title": title, "text": text, "recommendations": []}


@pytest.mark.parametrize(
    "said",
    [
        failed_job(None, "usererrorfsfreezefailed"),
        failed_job(errors=[error(text=WRITER_MESSAGE)]),
        failed_job(errors=[error(title="Backup failed", text="StatusCode.FailedRetryableFsFreezeTimeout,")]),
        failed_job(400349, "UserErrorCrpReportedUserError", dynamic_message="code UserErrorUnableToOpenMount: no"),
    ],
)
def test_where_the_code_may_stand(said: dict[str, Any]) -> None:
    assert outcome(FREEZE, backup__failed_job=said) == ("problem", "problem")


HEALTH = [{"code": None, "title": "UserErrorFsFreezeFailed", "message": WRITER_MESSAGE}]


@pytest.mark.parametrize(
    ("last", "expected"), [("Failed", ("problem", "problem")), ("Completed", ("unknown", "guest_only"))]
)
def test_health_counts_only_beside_a_failed_backup(last: str, expected: tuple[str, str]) -> None:
    vault = item(last_backup_status=last, health_details=HEALTH)
    assert outcome(FREEZE, backup__failed_job=failed_job(), backup__item=vault) == expected


def test_a_good_health_is_no_other_fault() -> None:
    good = [{"code": 400239, "title": "IaasVmHealthGreenDefault", "message": "OK"}]
    vault = item(last_backup_status="Failed", health_details=good)
    assert outcome(FREEZE, backup__failed_job=failed_job(), backup__item=vault) == ("unknown", "guest_only")


def test_the_list_of_jobs_helps_where_the_job_itself_cannot_be_read() -> None:
    listed = job("Failed") | {"error_title": "UserErrorFsFreezeFailed"}
    assert outcome(FREEZE, backup__failed_job=DENIED, backup__jobs=[listed]) == ("problem", "problem")


def test_an_ordinary_word_of_resource_manager_inside_a_text_is_no_other_fault() -> None:
    said = failed_job(errors=[error(400196, "UserErrorGuestAgentStatusUnavailable", "ResourceNotFound: no NIC")])
    assert outcome(FREEZE, backup__failed_job=said) == ("unknown", "guest_only")


def health(code: int | None, title: str | None) -> dict[str, Any]:
    return item(health_details=[{"code": code, "title": title, "message": None}])


def status(code: int, word: str = "error") -> dict[str, Any]:
    return {
        "name": "VMSnapshotLinux",
        "versions": [],
        "newest": None,
        "status": word,
        "code": code,
        "message": None,
        "operation": None,
        "seq": 1,
    }


@pytest.mark.parametrize(
    ("failed", "vault_item", "extension", "expected"),
    [
        (NO_NETWORK, None, None, True),
        (failed_job(None, "ExtensionSnapshotFailedNoNetwork"), None, None, True),
        (
            failed_job(None, None, dynamic_message="StatusCode.FailedRetryableSnapshotFailedRestrictedNetwork,"),
            None,
            None,
            True,
        ),
        (failed_job(), None, None, False),
        (failed_job(None, None), None, None, None),
        (failed_job(errors=[]), None, None, None),
        (None, health(400206, None), None, True),
        (None, health(None, "ExtensionSnapshotFailedNoNetwork"), None, True),
        (None, health(400239, "IaasVmHealthGreenDefault"), None, None),
        (None, None, status(76), True),
        (None, None, status(761), True),
        (None, None, status(76, "success"), True),
        (None, None, status(1, "success"), None),
        (None, None, None, None),
    ],
)
def test_a_failure_names_the_network_or_does_not(
    failed: Any, vault_item: Any, extension: Any, expected: bool | None
) -> None:
    assert names_no_network(failed, vault_item, extension) is expected
