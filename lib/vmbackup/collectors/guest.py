"""What only the VM itself can tell: the guest script through Run Command, its pasted output, and boot diagnostics.

The script only reads, but it runs as root or System and travels through the agent that may be broken. So it runs only
when asked to or needed, never when it cannot arrive, and under a deadline of its own. This is the one collector that
makes something run; it changes nothing.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import requests
from azure.core.exceptions import HttpResponseError
from azure.core.rest import HttpRequest

from vmbackup.arm.connection import Azure
from vmbackup.arm.errors import as_fact, code_and_message, cut, status_of
from vmbackup.arm.pipeline import asking
from vmbackup.arm.run_command import run_command_error, run_command_output
from vmbackup.arm.wire import inside, text
from vmbackup.collectors.base import ABSENT
from vmbackup.guest.document import GuestDocument, GuestOutputError, decode, require_belongs_to
from vmbackup.guest.serial_log import serial_log, vm_health_report
from vmbackup.limits import HEARTBEAT_STALE_S
from vmbackup.model import Evidence, Fact, FactStatus, SetupError, Target

ACTION = "Microsoft.Compute/virtualMachines/runCommand/action"
BOOT_ACTION = "Microsoft.Compute/virtualMachines/retrieveBootDiagnosticsData/action"
_COMMANDS = {"windows": "RunPowerShellScript", "linux": "RunShellScript"}
SCRIPTS = {"windows": "collect_windows.ps1", "linux": "collect_linux.sh", "linux-logs": "collect_logs_linux.sh"}
_LARGEST_LOG_MB = 8
# Azure knows the operation no more: it ended long ago, or this is not its address.
_FORGOTTEN = (400, 404, 410)
FORCED = ("agent_not_ready", "agent_silent")
"""The obstacles that ``probe: force`` tries in spite of: Azure may be wrong about the agent."""
_GENERAL = {"denied", "not_found", "conflict", "throttled", "timeout", "server_error", "refused"}


def script(os: str) -> str:
    """One of SCRIPTS, as it runs and as an operator may paste it."""
    return resources.files("vmbackup.guest").joinpath("scripts").joinpath(SCRIPTS[os]).read_text("utf-8")


def obstacle(evidence: Evidence) -> Fact | None:
    """Why Run Command could not bring the script into the guest: the fact that says so, or None."""
    model, power, agent = (_data(evidence, name) for name in ("vm.model", "vm.power", "vm.agent"))
    if model is None or model["os"] not in _COMMANDS:
        return _skipped("needs", fact="vm.model")
    if power is None or power["power"] != "running":
        return _skipped("vm_not_running", power=str(power["power"] if power else None))
    if model["allow_extension_operations"] is False:
        return _skipped("extension_operations_disallowed")
    if agent is None or (agent["display_status"] or "").lower() != "ready":
        return _skipped("agent_not_ready", status=str(agent["display_status"] if agent else None))
    if agent["age_s"] is not None and agent["age_s"] > HEARTBEAT_STALE_S:
        return _skipped("agent_silent", minutes=str(round(agent["age_s"] / 60)))
    return None


def probe(azure: Azure, target: Target, evidence: Evidence, deadline_s: float, token: Path) -> dict[str, Fact]:
    """Run the guest script in the VM and return its facts, or ``guest.probe`` alone with the reason why not.

    ``token`` is a file that keeps the operation's address while it runs: a run that was interrupted, or that ended at
    its deadline, is picked up there instead of being started twice.
    """
    os = (_data(evidence, "vm.model") or {})["os"]
    azure.deadline = time.monotonic() + deadline_s
    with asking() as notes:
        begun = time.monotonic()
        try:
            output = run_command_output(_run(azure, target, os, token))
            facts = from_text(output, evidence)
        except GuestOutputError as error:
            facts = {"guest.probe": _failed("unreadable", detail=str(error))}
        except _CommandFailed as error:
            facts = {"guest.probe": error.fact}
        except Exception as error:
            facts = {"guest.probe": _classified(error, deadline_s)}
    took_ms = round((time.monotonic() - begun) * 1000)
    taken_at = notes.taken_at.strftime("%Y-%m-%dT%H:%M:%SZ") if notes.taken_at else None
    how = tuple(notes.how)
    return {
        name: Fact(fact.status, fact.data, fact.why, fact.details, how, taken_at, took_ms)
        for name, fact in facts.items()
    }


def from_text(pasted: str | bytes, evidence: Evidence) -> dict[str, Fact]:
    """The facts in the script's output, however it came here. Raises GuestOutputError when it is none of this VM's."""
    document = decode(pasted)
    model = _data(evidence, "vm.model")
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


@dataclass(frozen=True)
class _CommandFailed(Exception):
    fact: Fact


def _run(azure: Azure, target: Target, os: str, token: Path) -> Any:
    addresses = _left(azure, token)
    if addresses:
        try:
            return _ended(azure, addresses, token)
        except HttpResponseError as error:
            if status_of(error) not in _FORGOTTEN:
                raise
    addresses = _start(azure, target, os)
    token.parent.mkdir(parents=True, exist_ok=True)
    token.write_text("\n".join(addresses), "utf-8")
    return _ended(azure, addresses, token)


def _left(azure: Azure, token: Path) -> list[str]:
    """The operation that an earlier run left; a file may have been edited, and the sign-in goes to Azure alone."""
    addresses = token.read_text("utf-8").split() if token.exists() else []
    ours = all(address.startswith(f"{azure.connection.endpoint}/") for address in addresses)
    return addresses if ours else []


def _ended(azure: Azure, addresses: list[str], token: Path) -> Any:
    """The operation's result. Once it has ended, well or badly, there is nothing left to pick up."""
    try:
        result = _follow(azure, addresses[0])
        if not run_command_output(result):
            result = _follow(azure, addresses[-1])
    except _CommandFailed:
        token.unlink(missing_ok=True)
        raise
    token.unlink(missing_ok=True)
    return result


def _start(azure: Azure, target: Target, os: str) -> list[str]:
    request = HttpRequest(
        "POST",
        f"{azure.connection.endpoint}{target.vm_id}/runCommand?api-version=2024-07-01",
        json={"commandId": _COMMANDS[os], "script": script(os).splitlines()},
    )
    response = azure.compute.send_request(request)
    response.raise_for_status()
    named = [response.headers.get(name) for name in ("Azure-AsyncOperation", "Location")]
    return [address for address in named if address]


def _follow(azure: Azure, address: str) -> Any:
    while True:
        response = azure.compute.send_request(HttpRequest("GET", address))
        response.raise_for_status()
        answer = response.json() if response.content else {}
        state = (text(answer, "status") or ("InProgress" if response.status_code == 202 else "Succeeded")).lower()
        if state == "succeeded":
            return answer
        if state in ("failed", "canceled"):
            error = inside(answer, "error")
            raise _CommandFailed(_reasoned(None, text(error, "code") or "", text(error, "message") or ""))
        asked = response.headers.get("Retry-After") or ""
        wait_s = max(float(asked) if asked.isdecimal() else 0.0, azure.connection.polling_interval_s)
        if wait_s > azure.remaining_s():
            raise TimeoutError
        time.sleep(wait_s)


def _classified(error: Exception, seconds: float) -> Fact:
    if isinstance(error, HttpResponseError) and not isinstance(error, SetupError):
        code, message = code_and_message(error)
        return _reasoned(status_of(error), code, message, as_fact(error, (ACTION,), seconds))
    return as_fact(error, (ACTION,), seconds)


def _reasoned(status: int | None, code: str, message: str, general: Fact | None = None) -> Fact:
    reason = run_command_error(status, code, message)
    if reason not in _GENERAL:
        return _failed(f"run_command_{reason}", message=cut(message))
    # "There is none" would be an answer; that the script did not run is none.
    if general is not None and not general.answered:
        return general
    if status is not None:
        return _failed("refused", status=str(status), code=code, message=cut(message))
    return _failed("operation_failed", code=code, message=cut(message))


# --- boot diagnostics ----------------------------------------------------------------------------------------------


def boot_diagnostics(azure: Azure, target: Target, evidence: Evidence, deadline_s: float) -> dict[str, Fact]:
    """The last the platform saw on the serial port; it needs no agent. The log's address is a secret, never kept."""
    model = _data(evidence, "vm.model")
    name = "guest.boot_report" if model and model["os"] == "windows" else "guest.serial_log"
    azure.deadline = time.monotonic() + deadline_s
    with asking() as notes:
        try:
            log = _serial_console_log(azure, target, deadline_s)
            found: Any = vm_health_report(log) if name == "guest.boot_report" else serial_log(log)
            fact = ABSENT if found is None else Fact(FactStatus.OK, found)
        except Exception as error:
            fact = as_fact(error, (BOOT_ACTION,), deadline_s)
    taken_at = notes.taken_at.strftime("%Y-%m-%dT%H:%M:%SZ") if notes.taken_at else None
    return {name: Fact(fact.status, fact.data, fact.why, fact.details, tuple(notes.how), taken_at)}


def _serial_console_log(azure: Azure, target: Target, deadline_s: float) -> bytes:
    machines = azure.compute.virtual_machines
    answer = machines.retrieve_boot_diagnostics_data(
        target.resource_group, target.vm_name, sas_uri_expiration_time_in_minutes=5
    )
    address = text(answer.as_dict(), "serialConsoleLogBlobUri")
    if not address:
        return b""
    try:
        with requests.get(address, timeout=min(30.0, deadline_s), stream=True) as response:
            response.raise_for_status()
            return _newest_part(response, azure)
    except requests.RequestException as error:
        # The error's own words hold the address, and with it the signature.
        raise TimeoutError(type(error).__name__) from None


def _newest_part(log: requests.Response, azure: Azure) -> bytes:
    """Its end: what a long log begins with is another boot's."""
    newest = b""
    for chunk in log.iter_content(1024**2):
        newest = (newest + chunk)[-_LARGEST_LOG_MB * 1024**2 :]
        if azure.remaining_s() <= 0:
            raise TimeoutError
    return newest


def _data(evidence: Evidence, name: str) -> Mapping[str, Any] | None:
    fact = evidence.get(name)
    return fact.data if fact and fact.answered else None


def _skipped(why: str, **details: str) -> Fact:
    return Fact(FactStatus.SKIPPED, why=why, details=details)


def _failed(why: str, **details: str) -> Fact:
    return Fact(FactStatus.FAILED, why=why, details=details)
