"""The guest script's own reader of status files: awk, no Python, one pass."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

PROBE = Path(__file__).parents[3] / "lib" / "vmbackup" / "guest" / "scripts" / "collect_linux.sh"
RECORDINGS = Path(os.environ.get("VMBACKUP_RECORDINGS", Path(__file__).parents[4] / "shared")) / "guest"


def read(text: str) -> dict[str, str]:
    functions = PROBE.read_text("utf-8").rsplit("(main <", 1)[0]
    command = ["sh", "-c", functions + '\nawk "$READ_STATUS"']
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=True, timeout=10)
    return dict(line.split("=", 1) for line in done.stdout.splitlines())


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('[{"status":{"status":"error","code":"76","operation":"Enable"}}]',
         {"status": "error", "code": "76", "operation": "Enable"}),
        ('[ {"status" : { "substatus":[{"code":"0","status":"x"}], "code" : 1 } } ]', {"code": "1"}),
        ('[{"version":"1.0","status":{"code":2,"formattedMessage":{"lang":"en-US","message":"a \\"b\\" c"}}}]',
         {"code": "2", "message": 'a \\"b\\" c'}),
        ('[{"code":9,"other":{"code":8,"status":"no"},"status":{"code":-1,"telemetryData":{"code":5}}}]',
         {"code": "-1"}),
        ('[{"status":null}]', {}),
        ("[]", {}),
        ("", {}),
        ("not json at all", {}),
    ],
)  # fmt: skip
def test_fields(text: str, found: dict[str, str]) -> None:
    assert read(text) == found


def test_recorded_status_files() -> None:
    files = {path.name: path for path in RECORDINGS.glob("walinuxagent__ext__sample-status*.json")}
    if not files:
        pytest.skip("no recordings")
    sound = read(files["walinuxagent__ext__sample-status.json"].read_text())
    assert (sound["status"], sound["code"], sound["operation"]) == ("success", "1", "Enable")
    assert sound["message"].startswith("Aenean semper nunc")
    assert read(files["walinuxagent__ext__sample-status-very-large.json"].read_text())["code"] == "1"
    no_status = read(files["walinuxagent__ext__sample-status-invalid-status-no-status-status-key.json"].read_text())
    assert "status" not in no_status
