"""A code or a message leads to its runbook, however it was copied; what is not known says so."""

from __future__ import annotations

import random
import time

import pytest

from vmbackup.catalog.signatures import signatures
from vmbackup.failures.triage import as_json, triage

S1, S2, S3 = "agent_unreachable", "snapshot_no_network", "snapshot_extension_failed"
S4, S5, S6 = "agent_not_responsive", "internal_error", "disk_not_supported"

SECTION_OF_CODE = {
    "UserErrorGuestAgentStatusUnavailable": S1,
    "ExtensionSnapshotFailedNoNetwork": S2,
    "ExtensionOperationFailedForManagedDisks": S3,
    "ExtentionOperationFailed": S3,
    "ExtentionOperationFailedForManagedDisks": S3,
    "GuestAgentSnapshotTaskStatusError": S4,
    "BackUpOperationFailed": S5,
    "BackUpOperationFailedV2": S5,
    "CloudInternalError": S5,
    "UserErrorUnsupportedDiskSize": S6,
}
SECTION_OF_INTEGER = {
    400196: S1,
    380016: S1,
    380008: S1,
    400206: S2,
    380020: S3,
    400349: S3,
    400039: S4,
    400002: S5,
    130001: S5,
    1073871825: S5,
    400288: S5,
}
SECTION_OF_MESSAGE = {
    "VM Agent unable to communicate with Azure Backup": S1,
    "VM agent is unable to communicate with the Azure Backup Service.": S1,
    "VM-Agent kann nicht mit Azure Backup kommunizieren": S1,
    "Snapshot operation failed due to no network connectivity on the virtual machine": S2,
    "Fehler beim Momentaufnahmevorgang aufgrund fehlender Netzwerkkonnektivität auf dem virtuellen Computer": S2,
    "VMSnapshot extension operation failed": S3,
    "VMSnapshot extension operation failed for managed disks": S3,
    "Fehler beim Vorgang der VMSnapshot-Erweiterung": S3,
    "Unable to perform the operation as the VM Agent is not responsive": S4,
    "Could not communicate with the VM agent for snapshot status": S4,
    "Der Vorgang kann nicht ausgeführt werden, da der VM-Agent nicht reagiert.": S4,
    "Keine Kommunikation mit dem VM-Agent zum Abrufen des Momentaufnahmestatus möglich": S4,
    "Backup failed with an internal error - Please retry the operation in a few minutes": S5,
    "Backup failed with an internal error.": S5,
    "Microsoft Azure Backup encountered an internal error.": S5,
    "Interner Fehler bei der Sicherung – versuchen Sie, den Vorgang nach einigen Minuten zu wiederholen.": S5,
    "The specified Disk configuration is not supported": S6,
    "The configured disk size(s) is currently not supported by Azure Backup.": S6,
    "Currently Azure Backup does not support disk sizes greater than 1023GB": S6,
    "Currently Azure Backup does not support disk sizes greater than 4095GB": S6,
    "Die angegebene Datenträgerkonfiguration wird nicht unterstützt.": S6,
    "Die konfigurierte(n) Datenträgergröße(n) wird/werden von Azure Backup derzeit nicht unterstützt.": S6,
    # As older portals and the German documentation put it.
    "Guest Agent Status Unavailable": S1,
    "Virtual machine agent is not present on the virtual machine": S1,
    "Fehler bei der Installation der Azure Recovery Services-Erweiterung für das ausgewählte Element.": S1,
    "Recovery Services extension operation failed": S3,
    "Snapshot operation failed due to VSS Writers in bad state": S3,
    "Fehler beim Momentaufnahmevorgang aufgrund eines fehlerhaften Zustands von VSS Writer-Instanzen.": S3,
    "Fehler bei Momentaufnahmevorgang aufgrund eines COM+-Fehlers": S3,
    "Snapshot VM sub task timed out": S4,
    "Zeitüberschreitung bei Momentaufnahme für VM-Unteraufgabe.": S4,
    "The number of restore points across restore point collections and resource groups for a VM cannot exceed 18.": S5,
    "Auf der VM wurde eine ungültige Richtlinie konfiguriert, die den Momentaufnahmevorgang verhindert.": S5,
}


def cause_of(failure: str | int) -> tuple[str | None, str | None]:
    triaged = triage(failure)
    return triaged.section, triaged.candidates[0].cause


@pytest.mark.parametrize(("code", "section"), SECTION_OF_CODE.items())
def test_codes_of_the_six_sections(code: str, section: str) -> None:
    for written in (code, code.lower(), code.upper(), f"Error code: {code}", f'{{"code":"{code}"}}', f"({code})."):
        triaged = triage(written)
        assert (triaged.section, triaged.candidates[0].matched_by) == (section, "code"), written


@pytest.mark.parametrize(("integer", "section"), SECTION_OF_INTEGER.items())
def test_integers(integer: int, section: str) -> None:
    for written in (integer, str(integer), f" {integer}\n", f"Fehlercode: {integer}", f'"errorCode":{integer},'):
        triaged = triage(written)
        assert (triaged.section, triaged.candidates[0].matched_by) == (section, "integer"), written


def mangled(message: str) -> list[str]:
    return [
        message,
        message.upper(),
        message.lower().rstrip("."),
        f"„{message}“",
        message.replace(" ", "\u00a0"),
        message.replace("-", "–").replace("–", "—"),
        message.replace("ä", "ae").replace("ö", "oe").replace("ü", "ue").replace("ß", "ss"),
        message.replace("ä", "a").replace("ö", "o").replace("ü", "u").replace("ß", "ss"),
        message.replace("ä", "&auml;").replace("ö", "&#246;").replace("ü", "&uuml;").replace("ß", "&szlig;"),
        message.replace(" ", "\n", 3),
        f"Job failed at 22:00\r\nError Message\r\n{message}\r\nRecommended Action\r\nRetry the operation.",
        f"Fehlermeldung: {message} (Aktivitäts-ID: 4f8e907c-4dea-4a98-b49a-e3daf89a9497)",
    ]


@pytest.mark.parametrize(("message", "section"), SECTION_OF_MESSAGE.items())
def test_messages_however_copied(message: str, section: str) -> None:
    for written in mangled(message):
        triaged = triage(written)
        assert (triaged.section, triaged.candidates[0].matched_by) == (section, "message"), written


def test_everything_in_the_table_leads_back_to_where_it_stands() -> None:
    for signature in signatures().values():
        words = [message.text for message in signature.messages if "job" in signature.places]
        for said in (*signature.codes, *signature.integers, *words):
            places = {(each.section, each.cause) for each in triage(said).candidates}
            assert {(section, signature.cause) for section in signature.sections or (None,)} <= places, said


@pytest.mark.parametrize(
    ("failure", "section", "cause"),
    [
        ("UserErrorVmProvisioningStateFailed", S3, "vm_state"),
        ("The VM is in failed provisioning state", S3, "vm_state"),
        ("UserErrorRpCollectionLimitReached", S5, "restore_points"),
        ("Der maximale Grenzwert für die Sammlung von Wiederherstellungspunkten wurde erreicht.", S5, "restore_points"),
        ("UserErrorRequestDisallowedByPolicy", S5, "azure_policy"),
        ("UserErrorFsFreezeFailed", S3, "file_system_freeze"),
        ("ExtensionFailedVssWriterInBadState", S3, "vss"),
        ("Snapshot operation failed due to COM+ error", S3, "com_plus"),
        ("ExtensionSnapshotFailedNoSecureNetwork", S2, "secure_channel"),
        ("StatusCode.FailedRetryableSnapshotFailedRestrictedNetwork,", S2, "no_internet"),
        ("121", S3, "file_system_freeze"),
        ("UserErrorKeyvaultPermissionsNotConfigured", None, "key_vault"),
        ("USERERRORKEYVAULTPERMISSIONSNOTCONFIGURED", None, "key_vault"),
        ("UserErrorBackupOperationInProgress", None, "backup_in_progress"),
        ("UserErrorBcmDatasourceNotPresent", None, "protection"),
        ("320001", None, "protection"),
        ("400239", None, None),
    ],
)
def test_codes_that_name_a_cause(failure: str, section: str | None, cause: str | None) -> None:
    assert cause_of(failure) == (section, cause)


def test_a_code_of_no_section_names_the_cause_and_offers_the_general_walk() -> None:
    assert as_json(triage("UserErrorKeyVaultPermissionsNotConfigured")) == {
        "section": None,
        "candidates": [
            {
                "section": None,
                "cause": "key_vault",
                "score": 1.0,
                "matched_by": "code",
                "matched": "UserErrorKeyvaultPermissionsNotConfigured",
                "notebook": "05_internal_error",
            }
        ],
    }


@pytest.mark.parametrize(
    ("failure", "section"),
    [
        ("Error CodeUserErrorGuestAgentStatusUnavailableError MessageVM agent", S1),
        ("FehlercodeGuestAgentSnapshotTaskStatusError", S4),
        ("UserErrorGuestAgentStatus\n> Unavailable", S1),
        ("UserErrorGuestAgentStatusUnavailble", S1),
        ("ExtensionSnapshotFailedNoNetwrok", S2),
        ("Snapshot operation failed due to no network connec…", S2),
        ("Der Vorgang kann nicht ausgeführt werden, da der...", S4),
        ("Could not comunicate with the VM agent for snapshot staus", S4),
        ("VM Agent kann nicht mit Azure Backup kommuniziern", S1),
        ("Currently Azure Backup does not support disk sizes greater than 32767GB", S6),
        ("Die Datenträgerkonfiguration wird nicht unterstützt", S6),
        ("Could not communicate with the VM agent for snapshot status - Snapshot VM sub task timed out", S4),
    ],
)
def test_damaged_codes_and_messages(failure: str, section: str) -> None:
    assert triage(failure).section == section


@pytest.mark.parametrize(
    ("failure", "sections"),
    [
        ("UserErrorGuestAgentStatusUnavailable, ExtensionSnapshotFailedNoNetwork", [S1, S2]),
        ("400196 400206", [S1, S2]),
        ("VM Agent is unresponsive.", [S1, S4]),
        ("VM Guest Agent Status: NotReady", [S1, S4]),
        ("Der Status des Gast-Agents ist unbekannt", [S1, S4]),
    ],
)
def test_what_fits_two_sections_names_none_and_ranks_both(failure: str, sections: list[str]) -> None:
    triaged = triage(failure)
    assert triaged.section is None
    assert [candidate.section for candidate in triaged.candidates] == sections


def test_a_beginning_that_many_messages_share_is_ambiguous() -> None:
    triaged = triage("Snapshot operation failed due to …")
    assert triaged.section is None
    assert {candidate.section for candidate in triaged.candidates} == {S2, S3}


@pytest.mark.parametrize(
    ("failure", "section"),
    [
        ("BackUpOperationFailed: UserErrorFsFreezeFailed", S3),
        ("UserErrorCrpReportedUserError: RequestDisallowedByPolicy", S5),
        ("Backup failed with an internal error. VM Agent unable to communicate with Azure Backup", S1),
        ("GuestAgentSnapshotTaskStatusError 400196", S4),
        ("400206: VM Agent unable to communicate with Azure Backup", S2),
    ],
)
def test_what_says_more_weighs_more(failure: str, section: str) -> None:
    triaged = triage(failure)
    assert triaged.section == section
    assert len({candidate.matched for candidate in triaged.candidates}) == 2


@pytest.mark.parametrize(
    "failure",
    [
        "",
        " \n\t",
        "?",
        "0",
        "12",
        "-400196",
        "400196.5",
        "1400196",
        "4001960000000000000000",
        "Backup failed",
        "internal error",
        "Snapshot operation failed",
        "VM agent",
        "The VM agent is running and healthy and communicates with Azure Backup",
        "The operation failed. Please retry the operation in a few minutes",
        "Azure Backup konnte eine Momentaufnahme nicht erstellen",
        "Lorem ipsum dolor sit amet, consectetur adipiscing elit, sed do eiusmod tempor incididunt",
        "could not resolve host: example.com port 443",
        "4f400196-4dea-4a98-b49a-e3d400206497",
        "/subscriptions/400196/resourceGroups/400206",
        "UserErrorSomethingQuiteDifferent",
        "<script>alert(1)</script>",
        "日本語のエラーメッセージ",
        "\x00\x01\x02",
    ],
)
def test_what_is_not_known_says_so(failure: str) -> None:
    triaged = triage(failure)
    assert (triaged.section, triaged.candidates) == (None, ())
    assert as_json(triaged) == {"section": None, "candidates": []}


def test_random_words_are_never_recognised() -> None:
    source = random.Random(7)
    words = sorted({word for message in SECTION_OF_MESSAGE for word in message.split()})
    recognised = [
        text for text in (" ".join(source.choices(words, k=12)) for _ in range(300)) if triage(text).section is not None
    ]
    assert recognised == []


def test_the_given_text_never_comes_back() -> None:
    hostile = "<img src=x> UserErrorGuestAgentStatusUnavailable ${jndi}"
    assert "jndi" not in str(as_json(triage(hostile)))


def test_the_same_text_gives_the_same_answer() -> None:
    text = "Snapshot operation failed due to …"
    assert as_json(triage(text)) == as_json(triage(text))


@pytest.mark.parametrize(
    "part", ["VM foo 12345 Größe <b>x</b> UserError ", "<", "aaaa ", "&amp;", "ä ", "Ã¤", "\\u0041"]
)
def test_five_megabytes_take_no_second(part: str) -> None:
    pasted = part * (5_000_000 // len(part)) + " GuestAgentSnapshotTaskStatusError "
    triage("warm")
    began = time.process_time()
    triaged = triage(pasted)
    assert time.process_time() - began < 1.0
    assert triaged.section == S4


@pytest.mark.parametrize(
    ("failure", "first", "second"),
    [
        ("UserErrorVmNotInDesirableState", S1, S4),
        ("VM is not in a state that allows backups.", S1, S4),
        ("380008", S1, S4),
        ("UserErrorCrpReportedUserError", S3, S5),
    ],
)
def test_a_code_that_fits_two_runbooks_ranks_the_second_behind(failure: str, first: str, second: str) -> None:
    triaged = triage(failure)
    assert triaged.section == first
    assert [candidate.section for candidate in triaged.candidates] == [first, second]
