"""The guest scripts change what they say, keep a copy, do no harm twice, and never stop the agent from inside."""

from __future__ import annotations

import json
import os
import subprocess

import pytest

from vmbackup.arm.client import OperationResult
from vmbackup.catalog import remedies as catalogue
from vmbackup.remedies.steps import guest


def run(remedy, root):
    """Run a shell script over a folder as its root, with stand-ins for systemd that note their calls."""
    tools = root / "bin"
    tools.mkdir(exist_ok=True)
    for name in ("systemctl", "systemd-run", "waagent"):
        tool = tools / name
        tool.write_text(f'#!/bin/sh\necho "{name} $*" >> "{root}/calls"\n')
        tool.chmod(0o755)
    environment = {"PATH": f"{tools}:{os.environ['PATH']}", "VMBACKUP_ROOT": str(root)}
    done = subprocess.run(["sh"], input=catalogue.script(remedy), env=environment, capture_output=True, text=True)
    last = done.stdout.strip().splitlines()[-1]
    assert last.startswith("VMBACKUP REMEDY 1 ")
    calls = (root / "calls").read_text().splitlines() if (root / "calls").exists() else []
    return json.loads(last.removeprefix("VMBACKUP REMEDY 1 ")), calls, done.returncode


@pytest.fixture
def root(tmp_path):
    for folder in ("etc", "lib/systemd/system", "var/lib/waagent", "var/log"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "lib/systemd/system/walinuxagent.service").write_text("")
    (tmp_path / "etc/waagent.conf").write_text("# Agent\nExtensions.Enabled=n\nLogs.Verbose=n\nOS.EnableFIPS=n\n")
    return tmp_path


@pytest.mark.parametrize(
    ("remedy", "key"),
    [("enable_extensions_in_agent", "Extensions.Enabled"), ("turn_on_verbose_logging", "Logs.Verbose")],
)
def test_a_setting_is_written_once_and_the_old_file_kept(root, remedy, key):
    before = (root / "etc/waagent.conf").read_text()
    said, calls, code = run(remedy, root)
    assert (said["outcome"], said["before"], said["after"], code) == ("scheduled", "n", "y", 0)
    assert calls == ["systemd-run --on-active=30 --collect systemctl restart walinuxagent"]
    now = (root / "etc/waagent.conf").read_text()
    assert f"{key}=y\n" in now
    assert f"{key}=n" not in now
    assert "OS.EnableFIPS=n" in now
    assert (root / "etc/waagent.conf.vmbackup").read_text() == before
    said, again, _ = run(remedy, root)
    assert said["outcome"] == "already"
    assert again == calls


def test_without_a_configuration_nothing_is_made_up(root):
    (root / "etc/waagent.conf").unlink()
    said, calls, code = run("enable_extensions_in_agent", root)
    assert (said["outcome"], calls, code) == ("failed", [], 1)


def test_the_agent_is_enabled_now_and_restarted_later(root):
    said, calls, _ = run("restart_guest_agent_linux", root)
    assert said["outcome"] == "scheduled"
    assert "systemctl restart walinuxagent" not in calls
    assert "systemd-run --on-active=30 --collect systemctl restart walinuxagent" in calls
    assert "Restart=always" in (root / "etc/systemd/system/walinuxagent.service.d/vmbackup.conf").read_text()


def test_an_agent_that_is_not_installed_is_said(root):
    (root / "lib/systemd/system/walinuxagent.service").unlink()
    said, _, code = run("restart_guest_agent_linux", root)
    assert (said["outcome"], code) == ("failed", 1)


@pytest.mark.parametrize(
    ("address", "outcome"), [("10.0.0.2", "scheduled"), ("168.63.129.16", "already"), (None, "already")]
)
def test_only_a_wrong_address_is_forgotten(root, address, outcome):
    file = root / "var/lib/waagent/WireServerEndpoint"
    if address:
        file.write_text(address)
    said, _, _ = run("forget_wireserver_endpoint", root)
    assert said["outcome"] == outcome
    assert file.exists() is (address == "168.63.129.16")


def test_the_extensions_folders_are_moved_not_deleted(root):
    kept = root / "var/lib/waagent/Microsoft.Azure.Monitor-1"
    gone = root / "var/lib/waagent/Microsoft.Azure.RecoveryServices.VMSnapshotLinux-1.0.9220.0"
    kept.mkdir()
    gone.mkdir()
    said, _, _ = run("clear_backup_extension_linux", root)
    assert said["outcome"] == "done"
    assert kept.exists()
    assert not gone.exists()
    assert list(
        (root / "var/lib/waagent-vmbackup").glob("*/Microsoft.Azure.RecoveryServices.VMSnapshotLinux-1.0.9220.0")
    )
    assert run("clear_backup_extension_linux", root)[0]["outcome"] == "already"


def output(text):
    return OperationResult(
        "succeeded",
        body={"value": [{"code": "ProvisioningState/succeeded", "message": f"[stdout]\n{text}\n[stderr]\n"}]},
    )


@pytest.mark.parametrize(
    ("text", "outcome"),
    [
        ('VMBACKUP REMEDY 1 {"remedy":"x","outcome":"done"}', "done"),
        ('noise\nVMBACKUP REMEDY 1 {"remedy":"x","outcome":"scheduled"}\n', "scheduled"),
        ('VMBACKUP REMEDY 1 {"remedy":"other","outcome":"done"}', "silent"),
        ('VMBACKUP REMEDY 1 {"remedy":"x","outcome":"perfect"}', "silent"),
        ("VMBACKUP REMEDY 1 {broken}", "silent"),
        ("", "silent"),
    ],
)
def test_only_the_scripts_own_line_counts(text, outcome):
    assert guest.read("x", output(text)).outcome == outcome


@pytest.mark.parametrize(("how", "outcome"), [("failed", "failed"), ("timeout", "silent"), ("cancelled", "silent")])
def test_a_run_command_that_ended_badly_is_no_success(how, outcome):
    assert guest.read("x", OperationResult(how, "VMAgentStatusCommunicationError", "no status")).outcome == outcome
