"""What a serial log shows becomes a fact; what it does not show stays unknown."""

import json
import os
import textwrap
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from judging import serial
from vmbackup.facts import schema
from vmbackup.facts.guest import BootReport, SerialLog
from vmbackup.failures.recognition import lines_at
from vmbackup.guest import serial_log as reader
from vmbackup.guest.serial_log import parse_windows_health, without_sas


def parse_linux_boot(log: str | bytes) -> SerialLog | None:
    return reader.parse_linux_boot(log, lambda text: lines_at(text, "serial"))


LINES = Path(os.environ.get("VMBACKUP_RECORDINGS", Path(__file__).parents[4] / "shared")) / "guest"

REPORT: dict[str, Any] = {
    "reportTime": "2026-11-22T02:06:29.0389712Z",
    "networkAdapters": [
        {
            "name": "Ethernet 2",
            "status": "Up",
            "macAddress": "00-0F-3A-A7-71-D0",
            "ipProperties": [
                {"protocolVersion": 4, "address": "10.0.1.4", "isDhcpEnabled": True},
                {"protocolVersion": 6, "address": "fe80::90e7:17ff:1ab5:522d%13", "isDhcpEnabled": False},
            ],
        },
        {"name": "Loopback Pseudo-Interface 1", "status": "Up", "macAddress": "", "ipProperties": []},
    ],
    "services": [{"name": "RdAgent", "state": "Stopped", "startMode": "Auto"}, {"state": "Running"}],
    "firewallPolicy": {
        "localPolicy": {
            "domainProfile": {"blockAllInboundConnections": -1, "enable": 1},
            "publicProfile": {"blockAllInboundConnections": -1, "enable": 1},
            "standardProfile": {"blockAllInboundConnections": -1, "enable": -1},
        },
        "domainPolicy": {
            "domainProfile": {"blockAllInboundConnections": -1, "enable": 0},
            "publicProfile": {"blockAllInboundConnections": -1, "enable": -1},
        },
    },
    "systemInfo": {"windows": {"osVersion": "Microsoft Windows NT 6.2.9200.0", "isOsEval": True}},
    "vmAgent": {"version": "2.7.41491.1243"},
}


def report(content: object, at: str = "2026-11-22T02:06:40.6256349Z", end: bool = True) -> str:
    mark = "======== Microsoft Azure VM Health Report - {} {} ========"
    words = content if isinstance(content, str) else json.dumps(content)
    return "\r\n".join(["", mark.format("Start", at), words, mark.format("End", at) if end else "", ""])


def test_a_health_report_is_read() -> None:
    found = parse_windows_health("BdsDxe: loading Boot0001\r\n" + report(REPORT))
    assert found == {
        "reported_at": "2026-11-22T02:06:29.0389712Z",
        "agent_version": "2.7.41491.1243",
        "os_version": "Microsoft Windows NT 6.2.9200.0",
        "adapters": [
            {
                "name": "Ethernet 2",
                "status": "Up",
                "addresses": ["10.0.1.4", "fe80::90e7:17ff:1ab5:522d%13"],
                "dhcp": True,
            },
            {"name": "Loopback Pseudo-Interface 1", "status": "Up", "addresses": [], "dhcp": None},
        ],
        "services": [{"name": "RdAgent", "state": "Stopped", "start": "Auto"}],
        "firewall": {"domainProfile": False, "publicProfile": True},
    }


def wrapped(text: str, width: int) -> str:
    return "\n".join(line[at : at + width] for line in text.splitlines() for at in range(0, len(line) or 1, width))


@pytest.mark.parametrize(("before", "after"), [(7, 7), (8, 9), (12, 12), (40, 40)])
@pytest.mark.parametrize("width", [0, 7, 80])
def test_a_report_is_read_however_its_marks_are_drawn_and_wrapped(before: int, after: int, width: int) -> None:
    """Seen with 8 signs at the start and 9 at the end (SupportArticles-docs #782), cut in the middle of a word."""
    drawn = report(REPORT).replace("======== M", "=" * before + " M").replace("Z ========", "Z " + "=" * after)
    log = "[00000012] [TRACE] Writing health report - START\r\n" + drawn + "[00000012] [TRACE] Closing\r\n"
    assert parse_windows_health(wrapped(log, width) if width else log) == parse_windows_health(report(REPORT))


def test_a_report_is_read_where_the_line_was_broken_between_words() -> None:
    assert parse_windows_health("\n".join(textwrap.wrap(report(REPORT), 60))) is not None


def test_fewer_signs_are_no_mark() -> None:
    assert parse_windows_health(report(REPORT).replace("========", "======")) is None


def newer(**changed: object) -> dict[str, object]:
    return {**REPORT, "reportTime": "2026-11-23T00:00:00Z", **changed}


@pytest.mark.parametrize(
    ("log", "reported_at"),
    [
        (report(REPORT) + report(newer()), "2026-11-23T00:00:00Z"),
        (report(REPORT) + report(newer(), end=False), REPORT["reportTime"]),
        (report(REPORT) + report('{"reportTime":"2026-11-23T00:00:00Z","networkAdapters":[{"na'), REPORT["reportTime"]),
        (report(REPORT) + report("[1]"), REPORT["reportTime"]),
        (report(REPORT) + report(newer(), end=False) + report(newer(reportTime="3")), "3"),
        (report({**REPORT, "reportTime": None}, at="2026-11-21T00:00:00Z"), "2026-11-21T00:00:00Z"),
    ],
)
def test_the_newest_whole_report_wins(log: str, reported_at: str) -> None:
    found = parse_windows_health(log)
    assert found is not None
    assert found["reported_at"] == reported_at


@pytest.mark.parametrize(
    "log", ["", b"", "SAC>", report(REPORT, end=False), report("[" * 200_000), "\0" * 1000, b"\xff\xfe\xff"]
)
def test_without_a_whole_report_there_is_none(log: str | bytes) -> None:
    assert parse_windows_health(log) is None


@pytest.mark.parametrize("content", [{}, {"networkAdapters": {}, "services": 3, "firewall": [], "vmAgent": "x"}])
def test_a_report_of_another_shape_says_nothing_and_breaks_nothing(content: object) -> None:
    found = parse_windows_health(report(content))
    assert schema.error(found, BootReport) is None
    assert found is not None
    assert (found["adapters"], found["services"], found["agent_version"]) == ([], [], None)


BOOT = """\
[    0.000000] Linux version 5.15.0-1075-azure (buildd@lcy02) (gcc 11.4.0)
[    0.000000] Command line: BOOT_IMAGE=/boot/vmlinuz root=UUID=x console=ttyS0
[   12.100000] cloud-init[610]: Cloud-init v. 23.1 running 'init' at Mon, 23 Nov 2026 01:00:00 +0000. Up 12.09 seconds.
[   12.110000] cloud-init[610]: ci-info: +++++++++++++++++++++++++++++Net device info++++++++++++++++++++++++++++++
[   12.120000] cloud-init[610]: ci-info: | Device |   Up  |  Address  |    Mask   | Scope |     Hw-Address    |
[   12.130000] cloud-init[610]: ci-info: |  eth0  |  True | 10.0.0.4  | 255.255.255.0 | global | 00:0d:3a:f9:b7:61 |
[   12.140000] cloud-init[610]: ci-info: |  eth1  | False |     .     |     .     |   .   | 00:0d:3a:f9:b7:62 |
[   12.150000] cloud-init[610]: ci-info: +++++++++++++++++++Route IPv6 info+++++++++++++++++++
[   12.160000] cloud-init[610]: ci-info: |   9  |  True |  fe80::/64 |  :: | eth0 | U |
[\x1b[0;32m  OK  \x1b[0m] Started \x1b[0;1;39mAzure Linux Agent\x1b[0m.
[   20.000000] cloud-init[900]: Cloud-init v. 23.1 finished at Mon, 23 Nov 2026 01:00:08 +0000. \
Datasource DataSourceAzure [seed=/dev/sr0].  Up 20.00 seconds
"""


def test_a_good_boot_is_read() -> None:
    assert parse_linux_boot(BOOT) == serial(
        agent="started",
        cloud_init_finished="Mon, 23 Nov 2026 01:00:08 +0000",
        datasource="DataSourceAzure",
        interfaces=[
            {"device": "eth0", "up": True, "address": "10.0.0.4"},
            {"device": "eth1", "up": False, "address": None},
        ],
    )


FREEZE = "2019-11-23 21:11:18.333008  Info  T:S freeze, timeout value 60 \n"
STUCK = "2019-11-23 21:12:24.539751  Info  freeze_safe after returning from startproc : sig_handle=0 \n"


@pytest.mark.parametrize(
    ("lines", "shows"),
    [
        ("[  OK  ] Started walinuxagent.service - Azure Linux Agent.\n", {"agent": "started"}),
        ("[FAILED] Failed to start Azure Linux Agent.\n", {"agent": "failed"}),
        ("[DEPEND] Dependency failed for walinuxagent.service - Azure Linux Agent.\n", {"agent": "failed"}),
        ("[  OK  ] Started waagent.service - Microsoft Azure Agent.\n", {"agent": "started"}),
        ("[   21.5] systemd[1]: Started waagent.service - Azure Linux Agent.\n", {"agent": "started"}),
        ("[  OK  ] Stopped waagent.service - Azure Linux Agent.\n", {"agent": "stopped"}),
        ("Started Microsft Azure Linux Agent.\nFailed to start Azure Linux Agent.\n", {"agent": "failed"}),
        ("[  OK  ] Started Azure Linux Agent Network Setup.\n", {}),
        ('Welcome to emergency mode! After logging in, type "journalctl -xb"\n', {"emergency_mode": True}),
        ('You are in emergency mode. After logging in, type "journalctl -xb"\n', {"emergency_mode": True}),
        ("[  OK  ] Reached target Emergency Mode.\n", {"emergency_mode": True}),
        ("Starting Setup emergency.target dependencies\n", {}),
        ('You are in rescue mode. After logging in, type "journalctl -xb"\n', {"emergency_mode": True}),
        ("ALERT!  UUID=1234 does not exist.  Dropping to a shell!\n\n(initramfs) ", {"emergency_mode": True}),
        ("[  OK  ] Started Azure Linux Agent.\nEntering rescue mode...\ngrub rescue> ", {"emergency_mode": True}),
        ("[    1.9] Kernel panic - not syncing: VFS\n[  OK  ] Reached target Local File Systems.\n", {}),
        ("[    1.9] Kernel panic - not syncing: VFS\nDebian GNU/Linux 12 vm ttyS0\n\nvm login: ", {}),
        ("[    3.1] Kernel panic - not syncing: VFS: Unable to mount root fs\n", {"kernel_panic": True}),
        ("[    5.0] EXT4-fs error (device sda1): ext4_lookup:1700\n", {"file_system_errors": True}),
        ("[DEPEND] Dependency failed for Local File Systems.\n", {"file_system_errors": True}),
        ("dhclient[812]: bound to 10.0.0.4 -- renewal in 4294 seconds.\n", {"dhcp": "bound"}),
        ("systemd-networkd[1]: eth0: DHCPv4 address 10.0.0.4/24 via 10.0.0.1\n", {"dhcp": "bound"}),
        ("dhclient[812]: DHCPACK of 10.0.0.4\ndhclient[812]: No DHCPOFFERS received.\n", {"dhcp": "failed"}),
        ("NetworkManager[801]: <warn>  [1] dhcp4 (eth0): request timed out\n", {"dhcp": "failed"}),
        (
            "NetworkManager[801]: <info>  [1] dhcp4 (eth0): state changed new lease, address=10.0.0.4\n",
            {"dhcp": "bound"},
        ),
        (
            "wickedd-dhcp4[880]: eth0: Committed DHCPv4 lease with address 10.0.0.4 (lease time 4294967295 sec)\n",
            {"dhcp": "bound"},
        ),
        (FREEZE + STUCK, {"freeze_open": True}),
        (FREEZE, {}),
        (FREEZE + STUCK + "2019-11-23 21:12:30.1  Info  Binary output after process end: \n", {}),
        ("x\x1b[2J\u202efoo\n", {}),
    ],
)
def test_each_line_is_understood(lines: str, shows: dict[str, object]) -> None:
    assert parse_linux_boot(lines) == serial(**shows)


def test_only_the_newest_boot_counts() -> None:
    old = "[    3.1] Kernel panic - not syncing: Fatal exception\n[FAILED] Failed to start Azure Linux Agent.\n"
    found = parse_linux_boot(old + BOOT)
    assert found is not None
    assert (found["kernel_panic"], found["agent"]) == (False, "started")


@pytest.mark.parametrize("log", ["", b"", " \r\n\x1b[0m\n"])
def test_an_empty_log_says_nothing(log: str | bytes) -> None:
    assert parse_linux_boot(log) is None


@pytest.mark.skipif(not LINES.is_dir(), reason="no recorded lines here (VMBACKUP_RECORDINGS)")
@pytest.mark.parametrize(
    ("name", "patterns"),
    [
        ("waagent__968_no_route.log", {"no_route_to_host", "wireserver_not_responding"}),
        ("waagent__1205_f5_dns_as_endpoint.log", {"no_route"}),
        ("waagent__2684_openssl_conf.log", {"decrypt_failed"}),
        ("waagent__2781_dhcp_timeout.log", {"dhcp_failed"}),
        ("waagent__2859_noexec.log", {"noexec"}),
        ("waagent__110_2.0_agent_start.log", set()),
    ],
)
def test_real_lines_are_recognised(name: str, patterns: set[str]) -> None:
    found = parse_linux_boot((LINES / name).read_bytes())
    assert found is not None
    assert set(found["patterns"]) == patterns
    assert all(pattern["last"] for pattern in found["patterns"].values()), "with the time the line itself gives"


@pytest.mark.skipif(not LINES.is_dir(), reason="no recorded lines here (VMBACKUP_RECORDINGS)")
def test_the_real_freeze_that_never_came_back_is_recognised() -> None:
    found = parse_linux_boot((LINES / "serial_console__951_freeze_hang.log").read_bytes())
    assert found is not None
    assert found["freeze_open"] is True


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        (
            "https://a.blob.core.windows.net/c/vm.log?sv=2026&sig=abc%2Bdef&se=1",
            "https://a.blob.core.windows.net/c/vm.log",
        ),
        (
            "GET https://a.example/x?sig=s then https://b.example/y?sig=t.",
            "GET https://a.example/x then https://b.example/y",
        ),
        ("https://a.example/plain", "https://a.example/plain"),
        ("What? Nothing here", "What? Nothing here"),
    ],
)
def test_signatures_are_removed_from_urls(said: str, shown: str) -> None:
    assert without_sas(said) == shown


@pytest.mark.parametrize(
    "log",
    [
        BOOT * 1000,
        "=" * 1_200_000,
        "======== Microsoft Azure VM Health Report - Start 2026-11-22T02:06:40Z ========\n" * 15_000,
        "=======MicrosoftAzureVMHealthReport-Start======={=======MicrosoftAzureVMHealthReport-End=======" * 12_000,
        "======= Microsoft Azure VM Health Report - Start " + "0123456789:" * 120_000,
        "ci-info: | " * 120_000,
        "Started " * 150_000,
        "\x1b[" * 600_000,
        "[" + " " * 1_200_000,
        b"\0" * 1_200_000,
    ],
    ids=["boots", "signs", "starts", "reports", "times", "rows", "starting", "escapes", "blank", "nothing"],
)
def test_a_huge_log_is_read_in_bounded_time(log: str | bytes) -> None:
    start = time.process_time()
    parse_linux_boot(log)
    parse_windows_health(log)
    assert time.process_time() - start < 10


@settings(max_examples=200, derandomize=True, deadline=None)
@given(st.binary(max_size=200), st.integers(0, 1500))
def test_bytes_of_any_kind_never_crash(noise: bytes, at: int) -> None:
    text = (report(REPORT) + BOOT).encode()
    log = text[:at] + noise + text[at:]
    assert schema.error(parse_linux_boot(log), SerialLog) is None
    found = parse_windows_health(log)
    assert found is None or schema.error(found, BootReport) is None
