"""Nothing that changes something leaves without a row; a run that only reads cannot change anything."""

from __future__ import annotations

import base64
import json
from importlib import resources

import pytest
from azure.core.exceptions import ServiceResponseError
from azure.core.pipeline import Pipeline
from azure.core.pipeline.policies import SansIOHTTPPolicy
from azure.core.pipeline.transport import HttpTransport
from azure.core.rest import HttpRequest

from saying import refused
from vmbackup.arm.audit import Audit, AuditPolicy, allow_changes, changes, rows, who
from vmbackup.model import RemedyRefused, Unwritten
from vmbackup.runs.folder import AUDIT, RunFolder

VM = "https://x/subscriptions/s/resourceGroups/r/providers/Microsoft.Compute/virtualMachines/v"


@pytest.mark.parametrize(
    ("method", "url", "changing"),
    [
        ("GET", VM, False),
        ("HEAD", VM, False),
        ("PUT", VM, True),
        ("PATCH", VM, True),
        ("DELETE", f"{VM}/extensions/e", True),
        ("POST", f"{VM}/restart", True),
        ("POST", f"{VM}/runCommand", True),
        ("POST", f"{VM}/somethingNew", True),
        (
            "POST",
            "https://x/subscriptions/s/providers/Microsoft.RecoveryServices/locations/w/backupStatus?api-version=1",
            False,
        ),
        ("POST", "https://x/providers/Microsoft.ResourceGraph/resources", False),
        ("POST", "https://x/a/networkInterfaces/n/effectiveNetworkSecurityGroups", False),
        ("POST", "https://x/a/networkInterfaces/n/effectiveRouteTable/", False),
        ("POST", f"{VM}/retrieveBootDiagnosticsData", False),
        ("POST", "https://x/a/networkInterfaces/n/restart?x=/effectiveRouteTable", True),
        ("post", f"{VM}/%72estart", True),
    ],
)
def test_a_request_changes_unless_it_is_known_to_read(method, url, changing):
    assert changes(method, url) is changing


class _Response:
    def __init__(self, request, status):
        self.request, self.status_code = request, status
        self.headers = {"Date": "Mon, 23 Nov 2026 03:00:00 GMT", "x-ms-request-id": "r1",
                        "x-ms-correlation-request-id": "c1"}  # fmt: skip


class _Wire(HttpTransport):
    """Answers with a status, or breaks; keeps what was on file when the request left."""

    def __init__(self, log, path, status):
        self.log, self.path, self.status, self.on_file, self.spoils = log, path, status, [], False

    def send(self, request, **kwargs):
        self.on_file = self.log.events()
        if self.spoils:
            self.path.unlink()
            self.path.mkdir()
        if self.status is None:
            raise ServiceResponseError("connection aborted")
        return _Response(request, self.status)

    def open(self):
        """Nothing."""

    def close(self):
        """Nothing."""

    def __exit__(self, *_):
        """Nothing."""


def pipeline(tmp_path, status=200):
    log = RunFolder(tmp_path).log(AUDIT)
    wire = _Wire(log, tmp_path / AUDIT, status)
    return Audit(log, "ada (o1)"), wire, Pipeline(wire, [SansIOHTTPPolicy(), AuditPolicy()])


def test_without_an_open_audit_nothing_changing_leaves(tmp_path):
    _, wire, line = pipeline(tmp_path)
    with refused("no audit is open", RemedyRefused):
        line.run(HttpRequest("DELETE", f"{VM}/extensions/e"))
    assert not (tmp_path / "audit.jsonl").exists()
    line.run(HttpRequest("GET", VM))
    assert wire.on_file == []


def test_only_our_own_reading_scripts_run_in_the_guest_without_an_audit(tmp_path):
    _, _, line = pipeline(tmp_path)
    guest = resources.files("vmbackup.guest").joinpath("scripts")
    script = guest.joinpath("collect_linux.sh").read_text("utf-8").splitlines()
    body = {"commandId": "RunShellScript", "script": script}
    line.run(HttpRequest("POST", f"{VM}/runCommand?api-version=1", json=body))
    for other in (
        {**body, "script": [*script, "reboot"]},
        {**body, "script": ["reboot"]},
        {**body, "parameters": [{"name": "x", "value": "y"}]},
        {"commandId": "RunShellScript", "script": 5},
        None,
    ):
        with pytest.raises(RemedyRefused):
            line.run(HttpRequest("POST", f"{VM}/runCommand", json=other))


def test_the_row_is_on_disk_before_the_request_leaves_and_completed_after(tmp_path):
    audit, wire, line = pipeline(tmp_path, 202)
    with allow_changes(audit, "remove_backup_extension"):
        line.run(HttpRequest("DELETE", f"{VM}/extensions/e?api-version=1"))
    assert [event["event"] for event in wire.on_file] == ["sent"]
    (row,) = rows(audit.log)
    assert row["method"] == "DELETE"
    assert row["resource"].endswith("/extensions/e")
    assert (row["who"], row["why"], row["status"], row["outcome"]) == (
        "ada (o1)",
        "remove_backup_extension",
        202,
        "accepted",
    )
    assert (row["request_id"], row["correlation_id"], row["azure_time"]) == ("r1", "c1", "2026-11-23T03:00:00Z")


@pytest.mark.parametrize(("status", "outcome"), [(200, "done"), (202, "accepted"), (403, "refused"), (None, "unknown")])
def test_the_outcome_is_what_happened(tmp_path, status, outcome):
    audit, _, line = pipeline(tmp_path, status)
    with allow_changes(audit, "why"):
        if status is None:
            with pytest.raises(ServiceResponseError):
                line.run(HttpRequest("PUT", VM))
        else:
            line.run(HttpRequest("PUT", VM))
    assert rows(audit.log)[0]["outcome"] == outcome


def test_the_gate_closes_behind_the_change(tmp_path):
    audit, _, line = pipeline(tmp_path)
    with allow_changes(audit, "why"):
        pass
    with pytest.raises(RemedyRefused):
        line.run(HttpRequest("PATCH", VM))


def test_what_cannot_be_written_down_is_not_done(tmp_path):
    _, wire, line = pipeline(tmp_path)
    (tmp_path / "file").write_text("")
    with (
        allow_changes(Audit(RunFolder(tmp_path / "file").log(AUDIT), "x"), "why"),
        refused("cannot be written", RemedyRefused),
    ):
        line.run(HttpRequest("DELETE", VM))
    assert wire.on_file == []


def test_an_answer_that_cannot_be_noted_is_not_called_a_request_that_was_not_sent(tmp_path):
    audit, wire, line = pipeline(tmp_path)
    wire.spoils = True
    with allow_changes(audit, "why"), pytest.raises(Unwritten) as said:
        line.run(HttpRequest("DELETE", VM))
    assert "nothing is changed" not in str(said.value)


def token(**claims: object) -> str:
    part = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return f"eyJ.{part}.signature"


@pytest.mark.parametrize(
    ("said", "name"),
    [
        (token(oid="o1", upn="ada@x"), "ada@x (o1)"),
        (token(oid="o1", appid="app"), "app (o1)"),
        (token(oid="o1"), "o1"),
        (token(), "unknown"),
        ("opaque", "unknown"),
        ("a.!!.c", "unknown"),
        ("", "unknown"),
    ],
)
def test_who_is_read_from_the_tokens_claims(said, name):
    assert who(said) == name
