"""Every answer of Run Command seen in recordings of real Azure is read, and every refusal gets its name."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from vmbackup.arm.run_command import REASONS, run_command_error, run_command_output, run_command_stderr

RECORDINGS = Path(os.environ.get("VMBACKUP_RECORDINGS", Path(__file__).parents[4] / "shared")) / "arm"
recorded = pytest.mark.skipif(not RECORDINGS.is_dir(), reason="no recordings here (VMBACKUP_RECORDINGS)")


def part(stream: str, words: str) -> dict[str, str]:
    return {"code": f"ComponentStatus/{stream}/succeeded", "level": "Info", "message": words}


WINDOWS = [part("StdOut", "out"), part("StdErr", "")]
LINUX = [{"code": "ProvisioningState/succeeded", "message": "Enable succeeded: \n[stdout]\nout\n[stderr]\nwarned\n"}]
FAILED = (
    "VM has reported a failure when processing extension 'RunCommandLinux'. Error message: \"Enable failed: failed to"
)
FAILED += ' execute command: command terminated with exit status=1\n[stdout]\nout\n[stderr]\nno\n".'


@pytest.mark.parametrize(
    "result",
    [
        {"value": WINDOWS},
        WINDOWS,
        {"status": "Succeeded", "properties": {"output": WINDOWS}},
        {"status": "Succeeded", "properties": {"output": {"value": WINDOWS}}},
        {"value": LINUX},
        {"properties": {"output": {"value": LINUX}}},
        {"properties": {"instanceView": {"executionState": "Succeeded", "output": "out", "error": ""}}},
        {"status": "Failed", "error": {"code": "VMExtensionProvisioningError", "message": FAILED}},
        {"value": [{"code": "ProvisioningState/succeeded", "message": "Enable succeeded: \n[stdout]\nout"}]},
    ],
)
def test_standard_output_is_found_in_every_shape(result: Any) -> None:
    assert run_command_output(result) == "out"


@pytest.mark.parametrize(
    "result",
    [
        None,
        "",
        [],
        {},
        {"value": None},
        {"value": [None, 3]},
        {"value": [{"code": 1}]},
        {"error": {"code": "Conflict"}},
    ],
)
def test_an_answer_without_output_has_none(result: Any) -> None:
    assert run_command_output(result) == ""


def test_standard_error_is_apart() -> None:
    assert run_command_stderr({"value": LINUX}) == "warned"
    assert run_command_stderr({"value": [part("StdOut", "x"), part("StdErr", "bad")]}) == "bad"
    assert run_command_stderr({"value": [part("StdErr", "#< CLIXML \n<Objs/>")]}) == "", "progress is no error"


@pytest.mark.parametrize(
    ("status", "code", "message", "reason"),
    [
        (409, "OperationNotAllowed", "The operation requires the VM to be running (or set to run).", "vm_not_running"),
        (409, "OperationNotAllowed", "Cannot modify extensions in the VM when the VM is not running", "vm_not_running"),
        (
            409,
            "OperationNotAllowed",
            "This operation cannot be performed when extension operations are disallowed. To allow, please ensure"
            " VM Agent is installed on the VM and the osProfile.allowExtensionOperations property is true.",
            "extension_operations_disallowed",
        ),
        (
            409,
            "Conflict",
            "Run command extension execution is in progress. Please wait for completion before invoking a run command.",
            "busy",
        ),
        (409, "OperationNotAllowed", "Something new", "conflict"),
        (
            None,
            "VMAgentStatusCommunicationError",
            "VM 'x' has not reported status for VM agent or extensions.",
            "agent_not_reporting",
        ),
        (
            None,
            "VMExtensionProvisioningTimeout",
            "Provisioning of VM extension 'x' has timed out.",
            "extension_timeout",
        ),
        (
            None,
            "VMExtensionProvisioningError",
            "Multiple VM extensions failed to be provisioned on the VM.",
            "extension_failed",
        ),
        (None, "VMExtensionProvisioningError", FAILED, "script_failed"),
        (403, "AuthorizationFailed", "does not have authorization to perform action 'x'", "denied"),
        (403, None, None, "denied"),
        (404, None, "The entity was not found in this Azure location", "unknown_command"),
        (404, "ResourceNotFound", "The Resource was not found.", "not_found"),
        (429, "TooManyRequests", "", "throttled"),
        (503, None, "", "server_error"),
        (400, "BadRequest", "no", "refused"),
        (None, None, None, "timeout"),
        (None, "", "", "timeout"),
        (None, "InternalExecutionError", "An internal execution error occurred.", "refused"),
    ],
)
def test_every_refusal_has_a_reason(status: int | None, code: str | None, message: str | None, reason: str) -> None:
    assert run_command_error(status, code, message) == reason
    assert reason in REASONS


def bodies(pattern: str) -> list[Path]:
    return sorted(path for path in RECORDINGS.glob(pattern) if not path.name.endswith(".http.json"))


@recorded
@pytest.mark.parametrize("path", bodies("*run*command*.json"), ids=lambda path: path.name)
def test_recorded_answers_are_read(path: Path) -> None:
    body = json.loads(path.read_text("utf-8"))
    output = run_command_output(body)
    if "sample script" in path.read_text("utf-8"):
        assert output.startswith("This")
    assert "[stdout]" not in output
    assert "CLIXML" not in run_command_stderr(body)


@recorded
def test_recorded_refusals_are_named() -> None:
    error = json.loads((RECORDINGS / "q_runcommand_409_conflict.json").read_text("utf-8"))["error"]
    assert run_command_error(409, error["code"], error["message"]) == "busy"
    reasons = {}
    for path in bodies("compute_operation__failed-vmext*.json"):
        body = json.loads(path.read_text("utf-8"))
        reasons[path.name[-15:-5]] = run_command_error(None, body["error"]["code"], body["error"]["message"])
    assert set(reasons.values()) <= {"extension_failed", "script_failed"}
    assert reasons["2018-04-04"] == "script_failed"
