"""Cause: the backup extension fails to update or load."""

from __future__ import annotations

from typing import Any

from vmbackup.catalog.knowledge import version as known_version
from vmbackup.checks.base import Judgement, check, guest_only, not_applicable, ok, problem, unknown
from vmbackup.checks.consistency import wants_crash_only
from vmbackup.checks.shared.agent_state import reports_now
from vmbackup.checks.shared.extension_state import (
    extension_failed,
    handler_failed,
    is_in_transition,
    is_installing,
    is_of_other_system,
    is_reported,
    judged_state,
    states,
)
from vmbackup.checks.shared.left_over_state import left_over_linux, left_over_windows
from vmbackup.facts.backup import FailedJob, Job, Policy, ProtectedItem
from vmbackup.facts.guest import GuestExtension, GuestLogs, GuestProbe
from vmbackup.facts.linux import LinuxAgentState, LinuxScriptPlugin, LinuxVmbackupConf
from vmbackup.facts.vm import Disk, Extension, ExtensionVersions, Handler, VmAgent, VmModel, VmPower
from vmbackup.facts.windows import ExtensionState, Service
from vmbackup.failures.jobs import backup_failed
from vmbackup.failures.signatures import full_type, is_backup_extension, signs_of_status
from vmbackup.versions import compare, parse

# The backup extension of the other system.
_FOREIGN = {"linux": "vmsnapshot", "windows": "vmsnapshotlinux"}
_SERVICE = "iaasvmprovider"


@check("vm.model")
def extension_operations_are_allowed(model: VmModel) -> Judgement:
    """The VM's model allows extensions to be run."""
    if model["allow_extension_operations"] is False:
        return problem()
    if model["allow_extension_operations"]:
        return ok()
    return unknown() if model["has_os_profile"] else ok("no_os_profile")


@check("vm.extensions", "vm.handlers", optional=("vm.disks", "vm.model"))
def vmsnapshot_extension_is_healthy(
    extensions: list[Extension] | None,
    handlers: list[Handler] | None,
    disks: list[Disk] | None,
    model: VmModel | None,
) -> Judgement:
    """The backup extension is not failed, not stuck while being removed, and its handler is ready.

    Why: on managed disks Azure hides the extension; that it is not listed is no fault there, and no sight of it either.
    """
    ours = [extension for extension in extensions or [] if is_backup_extension(full_type(extension))]
    handler = [handler for handler in handlers or [] if is_backup_extension(handler["type"])]
    for extension in ours:
        if model is not None and (extension["type"] or "").lower() == _FOREIGN.get(model["os"] or ""):
            return problem("other_system", name=extension["name"], type=extension["type"])
        judged = judged_state(extension)
        if judged is not None:
            return judged
    for each in handler:
        if is_installing(each):
            return unknown("in_transition", state=each["message"] or "Installing")
        if handler_failed(each):
            return problem("handler", state=each["display_status"] or each["code"], message=each["message"] or "-")
        if not states(each) & {"ready", "succeeded"}:
            return unknown("other_state", state=each["display_status"] or each["code"] or "-")
    if ours or handler:
        return ok()
    if disks and all(disk["managed"] for disk in disks):
        return not_applicable("not_listed")
    return unknown("not_listed_unmanaged") if disks else unknown("not_listed_disks_unknown")


@check("vm.extensions", "vm.handlers", optional=("vm.extension_versions", "guest.extension", "vm.model"))
def vmsnapshot_version_is_current(
    extensions: list[Extension] | None,
    handlers: list[Handler] | None,
    listed: ExtensionVersions | None,
    guest: GuestExtension | None,
    model: VmModel | None,
) -> Judgement:
    """The backup extension's version is one that its publisher still lists.

    Why: the service updates the extension with a backup, so a version that is merely not the newest is no fault. One
    older than everything listed, or the Linux version that the article called the latest, shows that updating fails.
    """
    versions = [handler["version"] for handler in handlers or [] if is_backup_extension(handler["type"])]
    versions += [extension["version"] for extension in extensions or [] if is_backup_extension(full_type(extension))]
    versions += [guest["newest"]] if guest else []
    # The model gives "1.0" where only the instance view knows all four numbers.
    installed = next((version for version in versions if len(parse(version) or ()) > 2), None)
    if installed is None:
        return unknown("not_listed")
    if model is None or model["os"] is None:
        return unknown("system_unknown", version=installed)
    linux = model["os"] == "linux"
    article = known_version("article_vmsnapshot_linux")
    if linux and (compare(installed, article) or 0) <= 0:
        return problem("article_version", version=installed, article=article)
    if listed is None or not listed["versions"]:
        return unknown("list_unanswered", version=installed)
    return _against_list(installed, listed["versions"])


def _against_list(installed: str, versions: list[str]) -> Judgement:
    ordered = sorted((version for version in versions if parse(version)), key=lambda version: parse(version) or ())
    if not ordered:
        return unknown("list_unanswered", version=installed)
    oldest, newest = ordered[0], ordered[-1]
    if (compare(installed, newest) or 0) >= 0:
        return ok(version=installed, newest=newest)
    if (compare(installed, oldest) or 0) < 0:
        return problem(version=installed, oldest=oldest, newest=newest)
    if any(compare(installed, version) == 0 for version in ordered):
        return ok("older_but_listed", version=installed, newest=newest)
    return unknown("between", version=installed, newest=newest)


@check("vm.extensions", "vm.handlers", optional=("vm.power", "vm.model"))
def no_other_extension_has_failed(
    extensions: list[Extension] | None, handlers: list[Handler] | None, power: VmPower | None, model: VmModel | None
) -> Judgement:
    """No other extension of the VM is failed, and every other handler is ready.

    Why: any extension that has not succeeded can keep the backup extension from running (T1). Most do no harm: only
    where the VM itself is failed for it, as a failed extension can do to it, is one the reason.
    """
    others = [extension for extension in extensions or [] if not is_backup_extension(full_type(extension))]
    for extension in others:
        if extension_failed(extension):
            state = extension["code"] or extension["provisioning_state"]
            shown = {"name": extension["name"], "state": state, "message": extension["message"] or "-"}
            known = extension["publisher"] is not None and extension["type"] is not None
            return problem(**shown) if known and _vm_failed(power) else unknown("failed", **shown)
    other_handlers = [handler for handler in handlers or [] if not is_backup_extension(handler["type"])]
    for handler in other_handlers:
        if handler_failed(handler) and not is_installing(handler):
            state = handler["display_status"] or handler["code"]
            return unknown("handler", name=handler["type"], state=state, message=handler["message"] or "-")
    for extension in others:
        seen = (extension["code"] or "").partition("/")[2]
        state = seen if is_in_transition(extension) else extension["provisioning_state"] or seen
        if state.lower() != "succeeded":
            return unknown("in_transition", name=extension["name"], state=state or "-")
    for handler in other_handlers:
        if is_installing(handler):
            return unknown("in_transition", name=handler["type"], state=handler["message"] or "Installing")
    foreign = next((each for each in others if is_of_other_system(each, model)), None)
    if foreign is not None:
        return unknown("other_system", name=foreign["name"], type=foreign["type"])
    silent = next((each for each in others if handlers and not is_reported(each, handlers)), None)
    if silent is not None:
        return unknown("without_handler", name=silent["name"])
    return ok(count=len(others)) if others else ok("none")


def _vm_failed(power: VmPower | None) -> bool:
    return "/failed" in ((power["provisioning"] if power else None) or "").lower()


@check(optional=("guest.services", "backup.item", "backup.policy"), os="windows")
def backup_provider_service_can_start(
    services: dict[str, Service] | None, item: ProtectedItem | None, policy: Policy | None
) -> Judgement:
    """The service IaaSVmProvider is there once a backup has been made, and it is not disabled.

    Why: the first backup installs it, and it rests between backups: that it is stopped is no fault. A policy that wants
    crash-consistent points alone never installs it.
    """
    if services is None:
        return guest_only()
    service = next((entry for name, entry in services.items() if name.lower() == _SERVICE), None)
    if service is None or service["exists"] is None:
        return unknown("not_told")
    if not service["exists"]:
        if wants_crash_only(policy):
            return ok("not_needed")
        if item is not None and item["last_recovery_point"]:
            return problem("missing")
        return ok("not_yet_installed") if item is not None else unknown("missing_maybe_never_backed_up")
    if service["start"] == "Disabled":
        return problem()
    if service["path_ok"] is False:
        return problem("broken_path")
    return unknown("not_told") if service["start"] is None else ok(start=service["start"])


@check(
    optional=(
        "guest.extension",
        "guest.agent_state",
        "backup.failed_job",
        "backup.jobs",
        "guest.vmbackup_conf",
        "vm.power",
        "vm.agent",
    ),
    os="linux",
)
def vmsnapshot_linux_is_loaded(
    guest: GuestExtension | None,
    state: LinuxAgentState | None,
    job: FailedJob | None,
    jobs: list[Job] | None,
    conf: LinuxVmbackupConf | None,
    power: VmPower | None,
    agent: VmAgent | None,
) -> Judgement:
    """VMSnapshotLinux lies in /var/lib/waagent, can read its settings, and the agent has enabled its newest version.

    Why: an agent that does not report cannot have loaded it either; then that it is missing follows from the agent.
    """
    if conf is not None and conf["encoding_ok"] is False:
        return problem("conf_encoding")
    if guest is None:
        return guest_only()
    if guest["versions"] is None:
        return unknown("not_told")
    newest = guest["newest"] or (guest["versions"][-1] if guest["versions"] else None)
    if newest is None:
        if not backup_failed(job, jobs):
            return unknown("not_yet_installed")
        return problem("not_installed") if reports_now(power, agent) else unknown("agent_silent")
    handler = next((each for each in (state["handlers"] if state else None) or [] if each["version"] == newest), None)
    if handler is None or handler["state"] is None:
        return unknown("not_told")
    if handler["state"] != "Enabled":
        return problem(version=newest, state=handler["state"])
    if conf is None or not (conf["present"] is False or conf["encoding_ok"]):
        return unknown("conf_unread")
    if guest["code"] is None:
        return unknown("not_told")
    if signs_of_status(guest):
        return unknown("loaded_but_failed", version=newest, code=guest["code"], message=guest["message"] or "-")
    return ok(version=newest)


@check(
    optional=(
        "guest.probe",
        "guest.logs",
        "guest.extension",
        "guest.extension_state",
        "backup.failed_job",
        "backup.jobs",
    )
)
def no_old_state_blocks_the_extension(
    probe: GuestProbe | None,
    logs: GuestLogs | None,
    extension: GuestExtension | None,
    state: ExtensionState | None,
    job: FailedJob | None,
    jobs: list[Job] | None,
) -> Judgement:
    """Nothing that an earlier version of the backup extension left behind keeps the agent from installing it.

    How it is measured: on Linux the agent's log says "Downgrade not allowed"; on Windows the registry knows a version
    newer than every folder. A backup that succeeded since then shows that nothing is blocked.
    """
    if probe is None:
        return guest_only()
    if backup_failed(job, jobs) is False:
        return ok("nothing_failed")
    return left_over_windows(state, extension) if probe["os"] == "windows" else left_over_linux(logs, job, jobs)


@check(optional=("guest.script_plugin", "backup.failed_job", "backup.jobs"), os="linux")
def snapshot_scripts_let_the_backup_go_on(
    scripts: LinuxScriptPlugin | None, job: FailedJob | None, jobs: list[Job] | None
) -> Judgement:
    """No script that is to run before or after the snapshot keeps the backup from going on.

    Why: the extension refuses scripts that are missing, that others may read or that are not root's. It then goes on
    without them, unless continueBackupOnFailure is false (VMB: ScriptRunner.py, PluginHost.py).
    """
    if scripts is None or scripts["present"] is None:
        return guest_only()
    if not scripts["present"]:
        return ok("none")
    faults, goes_on = scripts["faults"], scripts["continue_on_failure"]
    if faults is None or goes_on is None:
        return unknown("not_told")
    shown: dict[str, Any] = {"pre": scripts["pre_script"] or "-", "post": scripts["post_script"] or "-"}
    shown["faults"] = faults
    if not faults:
        return ok(**shown)
    # What is wrong with the configuration itself never ends a backup.
    ends = not goes_on and any(fault.startswith(("pre_", "post_")) for fault in faults)
    if not ends:
        return ok("without_scripts", **shown)
    return unknown("would_end", **shown) if backup_failed(job, jobs) is False else problem("refused", **shown)
