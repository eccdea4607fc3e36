"""The backup extension fails to update or load."""

from __future__ import annotations

from typing import Any

import pytest

from judging import DENIED, agent, disk, failed_job, item, job, model, outcome, policy, power

PUBLISHER = "Microsoft.Azure.RecoveryServices"


def extension(type: str = "VMSnapshotLinux", **changes: Any) -> dict[str, Any]:
    return {
        "name": type,
        "publisher": PUBLISHER if type.startswith("VMSnapshot") else "Microsoft.Azure.Monitor",
        "type": type,
        "version": "1.0",
        "provisioning_state": "Succeeded",
        "code": "ProvisioningState/succeeded",
        "level": "Info",
        "message": None,
    } | changes


def handler(type: str = f"{PUBLISHER}.VMSnapshotLinux", **changes: Any) -> dict[str, Any]:
    return {
        "type": type,
        "version": "1.0.9225.0",
        "code": "ProvisioningState/succeeded",
        "level": "Info",
        "display_status": "Ready",
        "message": "Plugin enabled",
    } | changes


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, ("ok", "ok")),
        ({"allow_extension_operations": False}, ("problem", "problem")),
        ({"allow_extension_operations": None}, ("unknown", "unknown")),
        ({"allow_extension_operations": None, "has_os_profile": False}, ("ok", "no_os_profile")),
    ],
)
def test_the_model_allows_extensions(changes: dict[str, Any], expected: tuple[str, str]) -> None:
    assert outcome("extension_operations_are_allowed", vm__model=model(**changes)) == expected


NOT_READY = {"code": "ProvisioningState/NotReady/1009", "display_status": "Not Ready", "message": "Enable failed"}


@pytest.mark.parametrize(
    ("extensions", "handlers", "disks", "expected"),
    [
        ([extension()], [handler()], [disk()], ("ok", "ok")),
        ([extension("VMSnapshot")], [], [disk()], ("ok", "ok")),
        ([], [], [disk()], ("not_applicable", "not_listed")),
        ([extension("AzureMonitorLinuxAgent")], [], [disk()], ("not_applicable", "not_listed")),
        ([], [], [disk(managed=False)], ("unknown", "not_listed_unmanaged")),
        ([], [], DENIED, ("unknown", "not_listed_disks_unknown")),
        ([extension(provisioning_state="Failed")], [], [disk()], ("problem", "problem")),
        ([extension(code="ProvisioningState/failed/1")], [], [disk()], ("problem", "problem")),
        ([extension(level="Error")], [], [disk()], ("problem", "problem")),
        ([extension(provisioning_state="Deleting")], [], [disk()], ("problem", "deleting")),
        ([extension(provisioning_state="Updating", code=None)], [], [disk()], ("unknown", "in_transition")),
        ([extension(provisioning_state="Paused")], [], [disk()], ("unknown", "other_state")),
        ([extension(provisioning_state=None, code=None)], [], [disk()], ("unknown", "other_state")),
        ([extension(provisioning_state=None)], [], [disk()], ("ok", "ok")),
        ([], [handler(code=None, display_status="Paused")], [disk()], ("unknown", "other_state")),
        ([], [handler(**NOT_READY)], [disk()], ("problem", "handler")),
        ([], [handler(code=None, display_status="Unresponsive")], [disk()], ("problem", "handler")),
        ([], [handler(code="21", level="Warning", display_status="Not Ready")], [disk()], ("problem", "handler")),
        (
            [],
            [handler(code="ProvisioningState/Installing", display_status="Installing")],
            [disk()],
            ("unknown", "in_transition"),
        ),
        (DENIED, [], [disk()], ("unknown", "unanswered")),
    ],
)
def test_the_backup_extension_is_healthy_or_hidden(
    extensions: Any, handlers: Any, disks: Any, expected: tuple[str, str]
) -> None:
    facts = {"vm__extensions": extensions, "vm__handlers": handlers, "vm__disks": disks}
    assert outcome("vmsnapshot_extension_is_healthy", **facts) == expected


def guest(**changes: Any) -> dict[str, Any]:
    return {
        "name": "VMSnapshotLinux",
        "versions": ["1.0.9225.0"],
        "newest": "1.0.9225.0",
        "status": "success",
        "code": 1,
        "message": None,
        "operation": None,
        "seq": 3,
    } | changes


def listed(*versions: str) -> dict[str, Any]:
    return {"type": "VMSnapshotLinux", "versions": list(versions)}


LISTED = listed("1.0.9124.0", "1.0.9170.0", "1.0.9225.0")


@pytest.mark.parametrize(
    ("version", "versions", "expected"),
    [
        ("1.0.9225.0", LISTED, ("ok", "ok")),
        ("1.0.10000.0", LISTED, ("ok", "ok")),
        ("1.0.9170.0", LISTED, ("ok", "older_but_listed")),
        ("1.0.9150.0", LISTED, ("unknown", "between")),
        ("1.0.9100.0", LISTED, ("problem", "problem")),
        ("1.0.91.0", listed("1.0.91.0", "1.0.9225.0"), ("problem", "article_version")),
        ("1.0.91.0", DENIED, ("problem", "article_version")),
        ("1.0.9225.0", DENIED, ("unknown", "list_unanswered")),
        ("1.0.9225.0", listed(), ("unknown", "list_unanswered")),
        ("1.0.9225.0", listed("nonsense"), ("unknown", "list_unanswered")),
        ("1.0", LISTED, ("unknown", "not_listed")),
        (None, LISTED, ("unknown", "not_listed")),
    ],
)
def test_a_version_is_old_when_its_publisher_dropped_it(
    version: str | None, versions: Any, expected: tuple[str, str]
) -> None:
    facts = {
        "vm__extensions": [],
        "vm__handlers": [handler(version=version)],
        "vm__extension_versions": versions,
        "vm__model": model(),
    }
    assert outcome("vmsnapshot_version_is_current", **facts) == expected


def test_the_guest_knows_the_version_that_azure_hides() -> None:
    facts = {"vm__extensions": [], "vm__handlers": [], "vm__extension_versions": LISTED, "vm__model": model()}
    assert outcome("vmsnapshot_version_is_current", **facts) == ("unknown", "not_listed")
    assert outcome("vmsnapshot_version_is_current", guest__extension=guest(), **facts) == ("ok", "ok")


def test_the_articles_version_is_no_measure_on_windows() -> None:
    windows = handler(f"{PUBLISHER}.VMSnapshot", version="1.0.91.0")
    facts = {
        "vm__extensions": [],
        "vm__handlers": [windows],
        "vm__extension_versions": listed("1.0.91.0", "1.0.92.0"),
        "vm__model": model(os="windows"),
    }
    assert outcome("vmsnapshot_version_is_current", "windows", **facts) == ("ok", "older_but_listed")


OTHER = "AzureMonitorLinuxAgent"


@pytest.mark.parametrize(
    ("extensions", "handlers", "expected"),
    [
        ([extension(OTHER)], [handler("Microsoft.Azure.Monitor." + OTHER)], ("ok", "ok")),
        ([], [], ("ok", "none")),
        ([extension(provisioning_state="Failed")], [], ("ok", "none")),
        ([extension(OTHER, provisioning_state="Failed")], [], ("unknown", "failed")),
        ([extension(OTHER, provisioning_state="failed")], [], ("unknown", "failed")),
        ([extension(OTHER, code="ProvisioningState/failed/1012", level="Error")], [], ("unknown", "failed")),
        ([extension(OTHER)], [handler("Microsoft.Other", **NOT_READY)], ("unknown", "handler")),
        (
            [],
            [handler("Microsoft.Other", code="ProvisioningState/Installing", display_status="Installing")],
            ("unknown", "in_transition"),
        ),
        ([extension(OTHER, provisioning_state="Creating", code=None)], [], ("unknown", "in_transition")),
        ([extension(OTHER, provisioning_state=None, code=None)], [], ("unknown", "in_transition")),
        ([extension(OTHER, provisioning_state=None)], [], ("ok", "ok")),
        ([extension(OTHER, code="ProvisioningState/transitioning")], [], ("unknown", "in_transition")),
        ([extension(OTHER, provisioning_state="Canceled", code=None)], [], ("unknown", "failed")),
        ([extension("AzureMonitorWindowsAgent")], [], ("unknown", "other_system")),
        ([extension(OTHER)], [handler("Microsoft.Other")], ("unknown", "without_handler")),
        ([], DENIED, ("unknown", "unanswered")),
    ],
)
def test_another_failed_extension_may_hold_up_the_backup(
    extensions: Any, handlers: Any, expected: tuple[str, str]
) -> None:
    facts = {"vm__extensions": extensions, "vm__handlers": handlers, "vm__model": model()}
    assert outcome("no_other_extension_has_failed", **facts) == expected


def test_another_extension_is_the_reason_where_the_vm_is_failed_for_it() -> None:
    facts = {"vm__extensions": [extension(OTHER, provisioning_state="Failed")], "vm__handlers": []}
    failed = power() | {"provisioning": "ProvisioningState/failed/VMExtensionProvisioningError"}
    assert outcome("no_other_extension_has_failed", vm__power=failed, **facts) == ("problem", "problem")


def services(**changes: Any) -> dict[str, Any]:
    service = {"exists": True, "state": "Stopped", "start": "Manual", "path_ok": True, "account": None} | changes
    return {"IaasVmProvider": service}


CRASH_ONLY = {"consistency": "OnlyCrashConsistent"}
MISSING = services(exists=False, state=None, start=None, path_ok=None)


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({"guest__services": services()}, ("ok", "ok")),
        ({"guest__services": services(start="Automatic", state="Running")}, ("ok", "ok")),
        ({"guest__services": services(start="Disabled")}, ("problem", "problem")),
        ({"guest__services": services(path_ok=False)}, ("problem", "broken_path")),
        ({"guest__services": MISSING, "backup__item": item()}, ("problem", "missing")),
        (
            {"guest__services": MISSING, "backup__item": item(), "backup__policy": policy() | CRASH_ONLY},
            ("ok", "not_needed"),
        ),
        ({"guest__services": MISSING, "backup__item": item(), "backup__policy": policy()}, ("problem", "missing")),
        ({"guest__services": MISSING, "backup__item": item(last_recovery_point=None)}, ("ok", "not_yet_installed")),
        ({"guest__services": MISSING}, ("unknown", "missing_maybe_never_backed_up")),
        ({"guest__services": {}}, ("unknown", "not_told")),
        ({"guest__services": services(start=None)}, ("unknown", "not_told")),
        ({}, ("unknown", "guest_only")),
    ],
)
def test_the_provider_service_may_rest_but_not_be_disabled(facts: dict[str, Any], expected: tuple[str, str]) -> None:
    assert outcome("backup_provider_service_can_start", "windows", **facts) == expected


def state(word: str | None = "Enabled") -> dict[str, Any]:
    handlers = [{"version": "1.0.9225.0", "state": word, "status_file": True}]
    return {"readable": True, "transport_certificate": True, "private_keys": 1, "handlers": handlers}


FAILED = {"backup__failed_job": failed_job()}
REPORTS = {"vm__power": power(), "vm__agent": agent()}
FAILED_AGAIN = ("unknown", "loaded_but_failed")
NONE = guest(versions=[], newest=None)
PLAIN = {"guest__vmbackup_conf": {"present": True, "encoding_ok": True, "values": {}}}


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({"guest__extension": guest(), "guest__agent_state": state()} | PLAIN, ("ok", "ok")),
        (
            {"guest__extension": guest(code=402), "guest__agent_state": state()} | PLAIN,
            ("unknown", "loaded_but_failed"),
        ),
        ({"guest__extension": guest(code=1), "guest__agent_state": state()} | PLAIN, ("ok", "ok")),
        ({"guest__extension": guest(code=1), "guest__agent_state": state()}, ("unknown", "conf_unread")),
        ({"guest__extension": guest(), "guest__agent_state": state("Installed")}, ("problem", "problem")),
        ({"guest__extension": guest(), "guest__agent_state": state(None)}, ("unknown", "not_told")),
        ({"guest__extension": guest()}, ("unknown", "not_told")),
        ({"guest__extension": guest(versions=None, newest=None)}, ("unknown", "not_told")),
        ({"guest__extension": NONE} | FAILED, ("unknown", "agent_silent")),
        ({"guest__extension": NONE} | FAILED | REPORTS, ("problem", "not_installed")),
        ({"guest__extension": NONE, "backup__jobs": [job()]}, ("unknown", "not_yet_installed")),
        ({}, ("unknown", "guest_only")),
    ],
)
def test_the_linux_extension_is_loaded(facts: dict[str, Any], expected: tuple[str, str]) -> None:
    assert outcome("vmsnapshot_linux_is_loaded", **facts) == expected


def test_settings_that_are_no_plain_text_keep_the_linux_extension_from_loading() -> None:
    conf = {"present": True, "encoding_ok": False, "values": {}}
    assert outcome("vmsnapshot_linux_is_loaded", guest__vmbackup_conf=conf) == ("problem", "conf_encoding")
    plain = conf | {"encoding_ok": True}
    assert outcome("vmsnapshot_linux_is_loaded", guest__vmbackup_conf=plain) == ("unknown", "guest_only")


FAILING = {"backup__failed_job": failed_job(), "backup__jobs": [job("Failed")]}
GOOD = {"backup__failed_job": None, "backup__jobs": [job()]}
GOOD_THEN_FAILING = FAILING | {"backup__jobs": [job("Failed"), job(start="2026-11-21T22:00:00Z")]}


def seen(os: str, **facts: Any) -> dict[str, Any]:
    return {"guest__probe": {"os": os}, **facts}


def lines(*patterns: str) -> dict[str, Any]:
    found = {name: {"count": 1, "last": "2018-03-05T14:31:57Z"} for name in patterns}
    return {"patterns": found, "since": {"waagent.log": "2018-03-01T00:00:00Z"}}


def windows(*folders: str, entry: str = "1.0.92.0", folder: bool | None = False, state: str = "Enabled") -> Any:
    name = "Microsoft.Azure.RecoveryServices.VMSnapshot"
    known = {"handlers": [{"name": f"{name}_{entry}", "state": state, "folder": folder}], "cut": []}
    there = {"name": name, "versions": list(folders), "newest": folders[-1] if folders else None}
    return seen("windows", guest__extension_state=known, guest__extension=there)


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        (seen("linux", guest__logs=lines("downgrade", "handler_status_failed")) | FAILING, ("problem", "downgrade")),
        (seen("linux", guest__logs=lines("handler_status_failed")) | FAILING, ("unknown", "handler_status")),
        (seen("linux", guest__logs=lines("downgrade", "handler_status_failed")) | GOOD_THEN_FAILING, ("ok", "ok")),
        (seen("linux", guest__logs=lines("downgrade")) | GOOD, ("ok", "nothing_failed")),
        (seen("linux", guest__logs=lines()) | FAILING, ("ok", "ok")),
        (
            seen("linux", guest__logs=lines() | {"since": {"waagent.log": "2026-11-23T00:00:00Z"}}) | FAILING,
            ("unknown", "log_too_short"),
        ),
        (seen("linux", guest__logs=lines() | {"since": None}) | FAILING, ("unknown", "log_too_short")),
        (seen("linux", guest__logs={"patterns": None}) | FAILING, ("unknown", "not_told")),
        (seen("linux") | FAILING, ("unknown", "not_told")),
        (windows("1.0.91.0") | FAILING, ("problem", "newer_entry")),
        (windows() | FAILING, ("problem", "newer_entry")),
        (windows("1.0.91.0", folder=None) | FAILING, ("unknown", "not_told")),
        (
            windows("1.0.93.0") | {"guest__extension_state": {"handlers": [], "cut": None}} | FAILING,
            ("unknown", "not_told"),
        ),
        (windows("1.0.91.0", state="NotInstalled") | FAILING, ("ok", "ok")),
        (windows("1.0.93.0") | FAILING, ("ok", "ok")),
        (seen("windows", guest__logs=lines()) | FAILING, ("unknown", "not_told")),
        (FAILING, ("unknown", "guest_only")),
        (GOOD, ("unknown", "guest_only")),
    ],
)
def test_what_earlier_versions_left_behind(facts: dict[str, Any], expected: tuple[str, str]) -> None:
    os = facts["guest__probe"]["os"] if "guest__probe" in facts else "linux"
    assert outcome("no_old_state_blocks_the_extension", os, **facts) == expected


def scripts(*faults: str, **changes: Any) -> dict[str, Any]:
    fact = {"present": True, "pre_script": "/pre.sh", "post_script": "/post.sh", "continue_on_failure": False}
    return {"guest__script_plugin": fact | {"freeze": True, "timeout_s": 30, "faults": list(faults)} | changes}


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        (scripts(present=False) | FAILING, ("ok", "none")),
        (scripts() | FAILING, ("ok", "ok")),
        (scripts("pre_missing") | FAILING, ("problem", "refused")),
        (scripts("pre_missing") | GOOD, ("unknown", "would_end")),
        (scripts("pre_missing", continue_on_failure=True) | FAILING, ("ok", "without_scripts")),
        (scripts("config_mode") | FAILING, ("ok", "without_scripts")),
        (scripts(faults=None) | FAILING, ("unknown", "not_told")),
        (scripts("post_mode", continue_on_failure=None) | FAILING, ("unknown", "not_told")),
        (scripts(present=None) | FAILING, ("unknown", "guest_only")),
        (FAILING, ("unknown", "guest_only")),
    ],
)
def test_scripts_that_the_extension_refuses_end_a_backup_only_where_they_must_not_fail(
    facts: dict[str, Any], expected: tuple[str, str]
) -> None:
    assert outcome("snapshot_scripts_let_the_backup_go_on", **facts) == expected
