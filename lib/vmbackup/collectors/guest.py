"""What only the VM itself can tell: the guest script through Run Command, its pasted output, and boot diagnostics.

The script only reads, but it runs as root or System and goes through the agent, which may be broken. So it runs only
when requested or needed, never when it cannot arrive, and under its own deadline. This is the one collector that makes
something run; it changes nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from importlib import resources
from typing import Any

from vmbackup.arm.audience import ForeignHost
from vmbackup.arm.blob import newest_part
from vmbackup.arm.call import calling
from vmbackup.arm.client import Arm, Response, accepted, names_operation
from vmbackup.arm.connection import Azure
from vmbackup.arm.errors import OperationFailed, RequestRefused, ResponseLost, Unreadable, as_fact, cut
from vmbackup.arm.run_command import run_command_error, run_command_output
from vmbackup.arm.wire import text
from vmbackup.catalog.knowledge import number
from vmbackup.collectors.base import ABSENT, cut_at, recorded
from vmbackup.failures.recognition import lines_at
from vmbackup.guest.document import GuestDocument, GuestOutputError, decode, require_belongs_to
from vmbackup.guest.serial_log import parse_linux_boot, parse_windows_health
from vmbackup.model import Evidence, Fact, FactStatus, Target, data_of

ACTION = "Microsoft.Compute/virtualMachines/runCommand/action"
BOOT_ACTION = "Microsoft.Compute/virtualMachines/retrieveBootDiagnosticsData/action"
_COMMANDS = {"windows": "RunPowerShellScript", "linux": "RunShellScript"}
SCRIPTS = {"windows": "collect_windows.ps1", "linux": "collect_linux.sh", "linux-logs": "collect_logs_linux.sh"}
_LARGEST_LOG = 8 * 1024**2
_INCOMPLETE = ("nothing", "html", "cut_off_", "corrupt_", "two_documents", "too_large")
# Azure no longer knows the operation: it ended long ago, or the address is wrong.
_FORGOTTEN = (400, 404, 410)
FORCED = ("agent_not_ready", "agent_silent")
"""The obstacles that ``probe: force`` ignores: Azure may be wrong about the agent."""
_GENERAL = {"denied", "not_found", "conflict", "throttled", "timeout", "server_error", "refused"}

Keep = Callable[[Mapping[str, str]], object]


def script(os: str) -> str:
    """One of SCRIPTS, as it runs and as an operator may paste it."""
    return resources.files("vmbackup.guest").joinpath("scripts").joinpath(SCRIPTS[os]).read_text("utf-8")


def obstacle(evidence: Evidence) -> Fact | None:
    """The fact that says why Run Command cannot bring the script into the guest, or None."""
    model, power, agent = (data_of(evidence, name) for name in ("vm.model", "vm.power", "vm.agent"))
    if model is None or model["os"] not in _COMMANDS:
        return _skipped("needs", fact="vm.model")
    if power is None or power["power"] != "running":
        return _skipped("vm_not_running", power=str(power["power"] if power else None))
    if model["allow_extension_operations"] is False:
        return _skipped("extension_operations_disallowed")
    if agent is None or (agent["display_status"] or "").lower() != "ready":
        return _skipped("agent_not_ready", status=str(agent["display_status"] if agent else None))
    if agent["age_s"] is not None and agent["age_s"] > number("heartbeat_stale_s"):
        return _skipped("agent_silent", minutes=str(round(agent["age_s"] / 60)))
    return None


def probe(
    azure: Azure,
    target: Target,
    evidence: Evidence,
    deadline_s: float,
    left: Mapping[str, str],
    keep: Keep,
) -> dict[str, Fact]:
    """Run the guest script in the VM and return its facts, or ``guest.probe`` alone with the reason why not.

    ``keep`` is called with the addresses of the operation once it runs, and with none once it has ended: one that was
    interrupted, or not seen to its end in time, is ``left`` to the next probe instead of being started twice.
    """
    os = (data_of(evidence, "vm.model") or {})["os"]
    begun = time.monotonic()
    with calling(target.vm_id, deadline_s) as call:
        try:
            with azure.alone(target.vm_id):
                output = run_command_output(_run(Arm.on(azure), target, os, left, keep))
            facts = from_text(output, evidence)
        except GuestOutputError as error:
            facts = {"guest.probe": _no_document(error)}
        except Exception as error:
            facts = {"guest.probe": _classified(error, deadline_s)}
    took_ms = round((time.monotonic() - begun) * 1000)
    return {name: recorded(fact, call, took_ms) for name, fact in facts.items()}


def from_text(pasted: str | bytes, evidence: Evidence) -> dict[str, Fact]:
    """The facts in the script's output, however it got here. Raises GuestOutputError when it is not this VM's."""
    document = decode(pasted)
    model = data_of(evidence, "vm.model")
    if model is not None:
        require_belongs_to(document, model["vm_id"], model["computer_name"], model["os"])
    return _facts(document)


def _facts(document: GuestDocument) -> dict[str, Fact]:
    about = {key: value for key, value in asdict(document).items() if key not in ("facts", "unreadable")}
    about |= {"errors": list(document.errors), "cut": list(document.cut)}
    how = (f"guest script on {document.host}",)
    facts = {"guest.probe": Fact(FactStatus.OK, about, how=how, taken_at=document.at)}
    for key, data in document.facts.items():
        facts[f"guest.{key}"] = Fact(FactStatus.OK, data, how=how, taken_at=document.at)
    for key, fault in document.unreadable.items():
        facts[f"guest.{key}"] = Fact(FactStatus.FAILED, why="unreadable", details={"detail": fault}, how=how)
    for key in document.cut:
        facts[f"guest.{key}"] = Fact(FactStatus.SKIPPED, why="cut", how=how)
    return facts


# --- Run Command ---------------------------------------------------------------------------------------------------


def _run(arm: Arm, target: Target, os: str, left: Mapping[str, str], keep: Keep) -> Any:
    # The address comes from a file that anyone may have edited: it must be an operation of this subscription.
    if left and all(names_operation(url, target.subscription_id) for url in left.values()):
        try:
            return _end(arm, accepted(left), keep)
        except (RequestRefused, ResponseLost) as error:
            if not _is_forgotten(error):
                raise
    command = {"commandId": _COMMANDS[os], "script": script(os).splitlines()}
    response = arm.request("POST", f"{target.vm_id}/runCommand", command)
    keep(response.addresses)
    return _end(arm, response, keep)


def _is_forgotten(error: Exception) -> bool:
    """Whether Azure does not know the operation, or its address is not Azure's."""
    return getattr(error, "status", None) in _FORGOTTEN or isinstance(error.__cause__, ForeignHost)


def _end(arm: Arm, response: Response, keep: Keep) -> Any:
    """The operation's result. Once it has ended, successfully or not, there is nothing left to resume."""
    ended = arm.finish(response)
    if ended.how == "timeout":
        raise TimeoutError
    keep({})
    if ended.how != "succeeded":
        raise OperationFailed(ended.code, ended.message)
    return ended.body


def _no_document(error: GuestOutputError) -> Fact:
    """Nobody copied or pasted what Run Command returned: advice about that is of no use here."""
    if error.reason.startswith(_INCOMPLETE):
        return _failed("run_command_no_document", fault=error.reason)
    return _failed(error.key.removeprefix("why."), **error.values)


def _classified(error: Exception, seconds: float) -> Fact:
    general = as_fact(error, (ACTION,), seconds)
    refused = error.__cause__ if isinstance(error, ResponseLost) else error
    if not isinstance(refused, RequestRefused):
        return general
    status = None if isinstance(refused, OperationFailed) else refused.status
    reason = run_command_error(status, refused.code, refused.message)
    if reason not in _GENERAL:
        return _failed(f"run_command_{reason}", message=cut(refused.message))
    return general


# --- boot diagnostics ----------------------------------------------------------------------------------------------


def boot_diagnostics(azure: Azure, target: Target, evidence: Evidence, deadline_s: float) -> dict[str, Fact]:
    """The last the platform saw on the serial port; it needs no agent. The log's address is a secret, never kept."""
    model = data_of(evidence, "vm.model")
    name = "guest.boot_report" if model and model["os"] == "windows" else "guest.serial_log"
    with calling(target.vm_id, deadline_s) as call:
        try:
            log, is_cut = _serial_console_log(azure, target)
            found: Any = (
                parse_windows_health(log) if name == "guest.boot_report" else parse_linux_boot(log, _known_lines)
            )
            fact = ABSENT if found is None else Fact(FactStatus.OK, found)
            fact = cut_at(fact, f"{_LARGEST_LOG // 1024**2} MB") if is_cut else fact
        except Exception as error:
            fact = as_fact(error, (BOOT_ACTION,), deadline_s)
    return {name: recorded(fact, call)}


def _known_lines(text: str) -> Iterator[tuple[str, str]]:
    return lines_at(text, "serial")


def _serial_console_log(azure: Azure, target: Target) -> tuple[bytes, bool]:
    """Its end: a long log begins with an older boot."""
    path = f"{target.vm_id}/retrieveBootDiagnosticsData"
    answer = Arm.on(azure).request("POST", path, query="sasUriExpirationTimeInMinutes=5")
    address = text(answer.body, "serialConsoleLogBlobUri")
    if address is None:
        raise Unreadable("Azure names no serial log")
    return newest_part(azure.session, address, _LARGEST_LOG)


def _skipped(why: str, **details: str) -> Fact:
    return Fact(FactStatus.SKIPPED, why=why, details=details)


def _failed(why: str, **details: str) -> Fact:
    return Fact(FactStatus.FAILED, why=why, details=details)
