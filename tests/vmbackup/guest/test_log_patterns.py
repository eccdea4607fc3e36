"""Known log lines: each on a line as a real log has it, and counted alike by Python and by the guest script's awk."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from programs import installed
from renew_pattern_tables import SCRIPTS, renewed
from vmbackup import clock
from vmbackup.catalog.signatures import signatures
from vmbackup.failures.recognition import patterns_at

PROBE = SCRIPTS / "collect_linux.sh"
RECORDINGS = Path(os.environ.get("VMBACKUP_RECORDINGS", Path(__file__).parents[4] / "shared")) / "guest"
EXT = "[Microsoft.Azure.RecoveryServices.VMSnapshotLinux-1.0]"

LINUX = patterns_at("agent_log", "extension_log")
WINDOWS = patterns_at("windows_log")
ELSEWHERE = {id: each for id, each in patterns_at("serial", "event").items() if id not in {*LINUX, *WINDOWS}}


def count_lines(lines: Iterable[str]) -> dict[str, dict[str, Any]]:
    """What the guest script counts: how often each pattern of the Linux logs occurs, and the time of its newest hit. A
    line without a time of its own has that of the line before."""
    found: dict[str, dict[str, Any]] = {}
    at: str | None = None
    for line in lines:
        at = clock.of_log(line) or at
        for id, patterns in LINUX.items():
            if all(pattern.search(line) for pattern in patterns):
                before = found.get(id, {"count": 0, "last": None})
                found[id] = {"count": before["count"] + 1, "last": at or before["last"]}
    return found


# signature -> a line that somebody's log had, and its time.
REAL_LINES: dict[str, tuple[str, str | None]] = {
    "no_route": (
        "2018/06/11 16:06:43.575654 WARNING No route exists to 168.63.129.16", "2018-06-11T16:06:43Z"),
    "no_route_to_host": (
        "2017/11/29 13:35:19.107998 INFO [HTTP Retry] Attempt 2 of 3: [HTTP Failed] HTTP GET IOError [Errno 113] "
        "No route to host", "2017-11-29T13:35:19Z"),
    "wireserver_not_responding": (
        "2017/11/29 13:35:35.136057 INFO WireServer is not responding. Reset endpoint", "2017-11-29T13:35:35Z"),
    "wireserver_503": (
        "2017/07/07 11:54:37.306205 WARNING Exception retrieving extension handlers: [000008] Calling wire server "
        "failed: 503", "2017-07-07T11:54:37Z"),
    "wireserver_timed_out": (
        "2020/01/19 09:13:16.774102 ERROR ExtHandler [ProtocolError] [Wireserver Exception] [HttpError] [HTTP Failed] "
        "POST http://168.63.129.16/machine?comp=telemetrydata -- IOError timed out -- 6 attempts made",
        "2020-01-19T09:13:16Z"),
    "wireserver_closed": (
        "2022-12-02T05:45:51.771876Z ERROR ExtHandler ExtHandler Error fetching the goal state: [ProtocolError] "
        "[Wireserver Exception] [HttpError] [HTTP Failed] GET http://168.63.129.16/machine/ -- IOError [Errno 104] "
        "Connection reset by peer -- 6 attempts made", "2022-12-02T05:45:51Z"),
    "host_error": (
        "2024-10-31T01:35:37.027408Z INFO Daemon Daemon Protocol endpoint not found: [ProtocolError] GET vmSettings "
        "[correlation ID: a5d3ad6c-1393-4013-89fc-893801463715 eTag: None]: [HTTP Failed] [500: Internal Server "
        "Error] b'Server", "2024-10-31T01:35:37Z"),
    "network_unreachable": (
        "2024-02-01T23:40:03.563499Z ERROR ExtHandler ExtHandler Error fetching the goal state: [ProtocolError] GET "
        "vmSettings [correlation ID: ac21bdd7-1a7a-4bba-b307-b9d5bc30da33 eTag: 941323814975149980]: Request failed: "
        "[Errno 101] Network is unreachable", "2024-02-01T23:40:03Z"),
    "goal_state_failed": (
        "2020/01/19 09:15:21.783005 ERROR ExtHandler ProtocolError processing goal state, giving up [[ProtocolError] "
        "[Wireserver Exception] [HttpError] [HTTP Failed] GET http://168.63.129.16/machine/?comp=goalstate -- IOError "
        "timed out -- 6 attempts made]", "2020-01-19T09:15:21Z"),
    "protocol_not_found": (
        "2017/11/29 13:35:35.145578 INFO Protocol endpoint not found: MetadataProtocol, [000008] 404 - GET: "
        "http://169.254.169.254/Microsoft.Compute/identity?api-version=2015-05-01", "2017-11-29T13:35:35Z"),
    "dhcp_failed": (
        "2023-03-08T15:51:58.451299Z WARNING Daemon Daemon Failed to send DHCP request: [DhcpError] timed out",
        "2023-03-08T15:51:58Z"),
    "wrong_endpoint": (
        "2018/06/11 16:06:43.581513 INFO found endpoint [172.31.9.4,10.224.128.4]", "2018-06-11T16:06:43Z"),
    "noexec": (
        "2023-06-26T23:33:02.235781Z WARNING ExtHandler ExtHandler The noexec flag is set on /var. This can prevent "
        "extensions from executing.", "2023-06-26T23:33:02Z"),
    "exit_126": (
        "2023-06-26T23:33:02.237477Z ERROR ExtHandler ExtHandler Event: name=Microsoft.EnterpriseCloud.Monitoring."
        "OmsAgentForLinux, op=Install, message=[ExtensionOperationError] Non-zero exit code: 126, "
        "/var/lib/waagent/Microsoft.EnterpriseCloud.Monitoring.OmsAgentForLinux-1.14.23/omsagent_shim.sh -install",
        "2023-06-26T23:33:02Z"),
    "exit_127": (
        "2018/01/30 15:07:32.716273 ERROR Event: name=Microsoft.Azure.RecoveryServices.VMSnapshotLinux, op=Install, "
        "message=[ExtensionError] Non-zero exit code: 127, main/handle.sh install, duration=0", "2018-01-30T15:07:32Z"),
    "decrypt_failed": (
        "2022-10-14T06:45:56.287522Z ERROR Daemon Daemon Failed to decrypt /var/lib/waagent/Certificates.p7m "
        "(return code: 1)", "2022-10-14T06:45:56Z"),
    "openssl_config": (
        "139912400996240:error:0E065068:configuration file routines:STR_COPY:variable has no value:conf_def.c:584:"
        "line 23", None),
    "openssl_cipher": (
        "140528231827360:error:060740A0:digital envelope routines:EVP_PBE_CipherInit:unknown cipher:evp_pbe.c:181:",
        None),
    "extension_exit": (
        "[ExtensionOperationError] Non-zero exit code: 3, /var/lib/waagent/"
        "Microsoft.Azure.RecoveryServices.VMSnapshotLinux-1.0.9156.0/main/handle.sh install", None),
    "extension_import_failed": (
        '  File "/var/lib/waagent/Microsoft.Azure.RecoveryServices.VMSnapshotLinux-1.0.9225.0/main/Utils/'
        'WAAgentUtil.py", line 69, in <module>', None),
    "module_missing": ("ModuleNotFoundError: No module named 'crypt'", None),
    "agent_python_error": (
        "2026-11-23T03:52:56.177964Z INFO Daemon Daemon Protocol endpoint not found: [ProtocolError] Error fetching "
        "goal state: format_exception() got an unexpected keyword argument 'etype'", "2026-11-23T03:52:56Z"),
    "agent_version_given_up": (
        "2016/07/12 17:17:58.161708 WARNING Agent WALinuxAgent-2.1.5.5 is permanently blacklisted",
        "2016-07-12T17:17:58Z"),
    "agent_waits_for_orphan": (
        "2017/09/01 12:49:09.601321 INFO WALinuxAgent-2.2.15 waiting for orphan process 4035 to terminate",
        "2017-09-01T12:49:09Z"),
    "downgrade": (
        "2018/03/05 14:31:57.747218 ERROR Event: name=Microsoft.Azure.RecoveryServices.VMSnapshotLinux, op=None, "
        "message=[ExtensionError] Downgrade not allowed, duration=0", "2018-03-05T14:31:57Z"),
    "handler_status_failed": (
        "2018/03/05 14:31:57.745038 ERROR [Microsoft.Azure.RecoveryServices.VMSnapshotLinux-1.0.9120.0] Failed to "
        "save handler status: [Errno 2] No such file or directory: '/var/lib/waagent/"
        "Microsoft.Azure.RecoveryServices.VMSnapshotLinux-1.0.9120.0/config/HandlerStatus'", "2018-03-05T14:31:57Z"),
    "python_unknown": ("Mon Nov 18 00:05:10 UTC 2019- python version unknown", "2019-11-18T00:05:10Z"),
    "handle_failed": ("Thu May 21 05:04:31 PM UTC 2026- 1 returned from handle.py", "2026-05-21T17:04:31Z"),
    "old_agent_api": (
        f"2019/03/01 17:58:35 {EXT}Failed to construct ConfigurationProvider, which may due to the old wala code.",
        "2019-03-01T17:58:35Z"),
    "blob_properties_failed": (
        f"2019/03/01 17:58:35 {EXT}GetBlobProperties: Failed to get blob properties with error: __init__() takes "
        "exactly 2 arguments (1 given), stack trace: Traceback (most recent call last):", "2019-03-01T17:58:35Z"),
    "freeze_begin": (
        f"2024-01-14 22:16:48.796446 {EXT}T:S freeze, timeout value 60", "2024-01-14T22:16:48Z"),
    "freeze_failed": (
        f"2016/12/10 01:11:00 {EXT}2016-12-10 01:11:00.532512  Info  Failed to FIFREEZE: /data/dblog",
        "2016-12-10T01:11:00Z"),
    "snapshot_inconsistent": ("snapshot result inconsistent", None),
    "goal_state_missing": (
        "2017/12/15 12:49:24.269432 WARNING Exception retrieving extension handlers: [ProtocolError] "
        "/var/lib/waagent/GoalState.1.xml is missing.", "2017-12-15T12:49:24Z"),
    "agent_exception": (
        "2022-10-30T00:00:12.833653Z WARNING ExtHandler Agent WALinuxAgent-2.2.46 failed with exception: str expected, "
        "not NoneType", "2022-10-30T00:00:12Z"),
    "agent_event_files": (
        "2018/01/30 06:44:29.079502 WARNING Too many files under: /var/lib/waagent/events, removing oldest",
        "2018-01-30T06:44:29Z"),
    "exthandlers_failed": (
        "2017/03/27 14:01:45.397617 WARNING Agent WALinuxAgent-2.2.6 launched with command 'python -u "
        "/usr/sbin/waagent -run-exthandlers' failed with return code: 1", "2017-03-27T14:01:45Z"),
    "agent_cgroups": (
        "2018/11/08 10:00:00.000001 WARNING ExtHandler Monitor: failed to update cgroups tracked extensions: 'Cgroup "
        "hierarchy cpu not found in /proc/cgroups'", "2018-11-08T10:00:00Z"),
    "python_traceback": ("NameError: name 'get_python_cmd' is not defined", None),
    "openssl_missing": (
        "2022-11-11T01:24:18.577282Z ERROR ExtHandler Command: [/usr/bin/openssl req -x509 -nodes -subj "
        "/CN=LinuxTransport], return code: [127], result: [/bin/sh: 1: /usr/bin/openssl: not found",
        "2022-11-11T01:24:18Z"),
    "transport_certificate": (
        "2022-11-11T01:24:18.577940Z ERROR ExtHandler Failed to create /var/lib/waagent/TransportPrivate.pem and "
        "/var/lib/waagent/TransportCert.pem certificates", "2022-11-11T01:24:18Z"),
    "host_plugin_failed": (
        "2019/07/22 12:36:56.449403 ERROR ExtHandler HostGAPlugin: Exception Get API versions: [HttpError] [HTTP "
        "Failed] GET http://168.63.129.16:32526/versions -- IOError timed out -- 6 attempts made",
        "2019-07-22T12:36:56Z"),
    "freeze_lock_held": (
        "2021/02/26 09:41:45.748364  Info  Failed to open file or aquire lock:  [Errno 11] Resource temporarily "
        "unavailable", "2021-02-26T09:41:45Z"),
    "host_snapshot_error": (
        "2024-10-22 22:49:39.187634  Info  dosnapshot responseBody: StatusCode:500, ErrorMessage: Could not find "
        "config corresponding to the Disk  - md-zt1h5xp3fb3q - 4gsgxhsfkwl2/abcd", "2024-10-22T22:49:39Z"),
    "presnapshot_ok": (
        f"2024-01-14 22:16:48.792020 {EXT}PreSnapshot: Status Code: 200", "2024-01-14T22:16:48Z"),
    "snapshot_through_host": (
        f"2024-01-14 22:16:48.794220 {EXT}Taking Snapshot through Host", "2024-01-14T22:16:48Z"),
    "freeze_end": (f"2017/11/14 03:06:52 {EXT}T:S thaw result", "2017-11-14T03:06:52Z"),
    "snapshot_restricted_network": ("StatusCode.FailedRetryableSnapshotFailedRestrictedNetwork", None),
    "snapshot_conflict": ("T:S snapshot result: errorcode: 409", None),
}  # fmt: skip

# No real line is at hand; these are the words in the sources of the agent and of the extension (2025-11, 2026-08).
SOURCE_LINES = {
    "heartbeat": "[HEARTBEAT] Agent WALinuxAgent-2.15.0.1 is running as the goal state agent [DEBUG {}]",
    "no_space": "IOError: [Errno 28] No space left on device",
    "read_only_file_system": "OSError: [Errno 30] Read-only file system: '/var/lib/waagent'",
    "freeze_timeout": "T:S ###### Enable failed with error: freeze took longer than timeout",
    "freeze_already": "Mount Points already freezed by some other processor",
    "open_mount_failed": "file open failed for some mount",
    "thaw_failed": "Failed to FITHAW: /boot with error message : Invalid argument",
    "freeze_program_missing": "safefreeze binary is missing in the following path /var/lib/waagent/x/main/safefreeze",
    "unable_to_sleep": "T:S Machine unable to sleep",
    "snapshot_no_network": "T:S Enable failed with FailedRetryableSnapshotFailedNoNetwork error",
    "snapshot_limit": "T:S Enable failed with FailedSnapshotLimitReached errror",
    "snapshot_rate": "Retrying when snapshot failed with SnapshotRateExceeded",
    "disk_lun_list": "Invalid Input. IsAnyDiskExcluded is marked as true but input LUN list received from CRP",
    "host_service_missing": "BHS is not runnning on host machine",
    "wrong_host_address": "presnapshot Hitting wrong WireServer IP",
    "presnapshot_refused": "PreSnapshot: Status Code: 500",
    "extension_http_error": " resp status: 403",
    "crp_timeout": "CRP timeout limit has reached, should abort.",
    "certificate_not_found": "unable to load certificate",
    "extension_exception": "Enable failed with exception in safe freeze or snapshot ",
    "extension_exit_other": "[ExtensionOperationError] Non-zero exit code: 1, /var/lib/waagent/"
    "Microsoft.Azure.RecoveryServices.VMSnapshotLinux-1.0.9220.0/main/handle.sh enable",
    "script_failed": "PreScript failed for the plugin ScriptRunner",
    "script_setup": "Plugin Host Precheck Failed",
    "workload_failed": "Workload Patch failed with error message: oracle",
}

# As SupportArticles and readers quote the Windows agent's log.
WINDOWS_LINES = {
    "hostgaplugin_failed": "[ERROR] Exception while fetching supported versions from HostGAPlugin: timeout",
    "firewall_forbids": "An attempt was made to access a socket in a way forbidden by its access permissions "
    "168.63.129.16:32526",
    "service_stuck": "[ERROR] The service WindowsAzureGuestAgent could not be stopped",
    "dhcp_empty": "[WARN] Empty DHCP option data returned",
    "no_fabric_address": "[ERROR] Did not discover fabric address on interface {8F6A}",
    "rdcrypt_failed": "[ERROR] RdCrypt Initialization failed. Error Code: -2147023143",
    "certificate_import_failed": "[ERROR] PInvoke PFXImportCertStore failed. Pfx: null. Error Code: 86",
    "hostgaplugin_not_ready": "[00000013] [11/11/2022 06:34:12.06] [INFO]  WriteGAPluginHeartbeat: "
    "HostGAPluginServiceClient is not initialized so setting isCurrentlyHealthy as false",
    "agent_error_state": "[00000013] [11/11/2022 06:34:12.06] [WARN]  Error state triggered for caller:GAPluginPinger",
}
OTHER_PLACES = {
    "hung_task": "[  363.1] INFO: task jbd2/sda1-8:285 blocked for more than 120 seconds.",
    "out_of_memory": "[ 1234.5] Out of memory: Killed process 812 (python3)",
    "extension_program_crashed": "Faulting application name: IaaSBcdrExtension.exe, version: 1.0.0.0",
    "agent_program_crashed": "Faulting application name: WindowsAzureGuestAgent.exe, version: 2.7.41491.1193",
    "vss_crashed": "service Volume Shadow Copy",
}

# Other words for the same thing, from other versions of the agent, the extension and OpenSSL.
OTHER_LINES = (
    ("goal_state_failed", "An error occurred while retrieving the goal state: [ProtocolError]"),
    ("goal_state_failed", "ERROR ExtHandler ExtHandler Error fetching the goal state: [ProtocolError] [410: Gone]"),
    ("goal_state_failed", "ERROR ExtHandler ExtHandler Fetching the goal state is still failing: [ProtocolError]"),
    (
        "openssl_cipher",
        "4037D277017F0000:error:0308010C:digital envelope routines:inner_evp_generic_fetch:unsupported:"
        "crypto/evp/evp_fetch.c:375:Global default library context, Algorithm (DES-EDE3-CBC : 65), Properties ())",
    ),
    (
        "openssl_cipher",
        "2025-07-30T02:15:50.694099Z ERROR ExtHandler Error fetching the goal state certificates: Cannot convert PFX "
        "to PEM",
    ),
    ("openssl_config", "Unable to load config info from /FIPS/1.0.2l-plus/Linux_x86_64/ssl/openssl.cnf"),
    ("freeze_failed", "freeze failed for some mount"),
    ("network_unreachable", "ERROR:socket IOError  args: (101, 'Network is unreachable')"),
    ("openssl_missing", "2017/06/16 04:02:34.907113 ERROR Result: /bin/sh: 1: None: not found"),
    ("wrong_endpoint", "2022/01/01 00:00:00 INFO Daemon Wire server endpoint:172.31.9.4,10.224.128.4"),
    ("wrong_endpoint", "2022/01/01 00:00:00 INFO Daemon Wire server endpoint:10.0.0.1"),
    ("no_route", "2022/01/01 00:00:00 WARNING Daemon No route exists to 172.31.9.4,10.224.128.4"),
    (
        "exthandlers_failed",
        "2017/06/17 22:20:18.226916 WARNING Agent WALinuxAgent-2.2.0 launched with command 'python -u "
        "/usr/sbin/waagent -run-exthandlers' failed with exception: unknown encoding: string-escape",
    ),
    ("exthandlers_failed", "ERROR Failed to run 'run-exthandlers': unknown"),
    ("python_traceback", "Waagent - 2018/07/03 11:06:27 ERROR:TypeError: cannot concatenate 'str' and 'int' objects"),
    ("transport_certificate", "WireProtocol, [000008] /var/lib/waagent/TransportCert.pem is missing."),
    ("agent_cgroups", "2018/07/31 11:41:06 ERROR ExtHandler monitor: CGroups: Exception tracking wrapper and agent"),
    ("host_snapshot_error", "From Host- IsSuccessful:False, SnapshotUri:None, ErrorMessage:x, StatusCode:500"),
    ("snapshot_inconsistent", "Snapshots are inconsistent"),
    ("extension_exit", "Non-zero exit code: 127, /var/lib/waagent/x.VMSnapshotLinux-1.0.9156.0/main/handle.sh enable"),
    ("extension_exit", REAL_LINES["exit_127"][0]),
    ("downgrade", "ERROR [x.VMSnapshotLinux-1.0.9120.0] Downgrade is not allowed. Skipping install and enable."),
)

# Lines of sound machines.
QUIET_LINES = (
    "2022/01/01 00:00:00 INFO Daemon Wire server endpoint:168.63.129.16",
    "2023-05-03T23:38:11.605436Z WARNING ExtHandler Failed to create a cgroup for the VM Agent; resource usage for the "
    "Agent will not be tracked. Error: [CGroupsException] Failed to get paths of agent's cgroups.",
    "2017/01/01 00:00:00 INFO Agent WALinuxAgent-2.2.6 launched with command 'python -u /usr/sbin/waagent "
    "-run-exthandlers' is successfully running",
    "From Host- IsSuccessful:True, SnapshotUri:x, ErrorMessage:, StatusCode:200",
    "resp status: 201",
    "2026-11-23T03:52:56.104854Z INFO Daemon Daemon WireServer endpoint is not found. Rerun dhcp handler",
    "2026-11-23T03:52:56.104947Z INFO Daemon Daemon Route to 168.63.129.16 exists",
    "2018/06/11 16:06:43.581513 INFO found endpoint [168.63.129.16]",
    "2018/06/11 16:06:43.581513 INFO cached endpoint found [168.63.129.16]",
    "Thu May 21 05:04:31 PM UTC 2026- 0 returned from handle.py",
    "2026-11-23T03:52:56.103484Z INFO Daemon Daemon Provisioning is disabled, skipping.",
    "2024-10-31T01:35:36.876949Z INFO Daemon Daemon Initializing goal state during protocol detection",
    "2026-11-23T03:52:57Z INFO ExtHandler Fetching the goal state recovered from previous errors",
    "2025-11-05T11:13:06.426477Z WARNING Daemon Error converting PFX to PEM [-nomacver: True]: '/usr/bin/openssl'",
)


def test_every_pattern_has_a_line() -> None:
    assert set(REAL_LINES) | set(SOURCE_LINES) == set(LINUX)
    assert not set(REAL_LINES) & set(SOURCE_LINES)
    assert set(WINDOWS_LINES) == set(WINDOWS)
    assert set(OTHER_PLACES) == set(ELSEWHERE)


@pytest.mark.parametrize("script", ["collect_linux.sh", "collect_windows.ps1"])
def test_the_scripts_carry_the_table(script: str) -> None:
    text = (SCRIPTS / script).read_text("utf-8")
    assert renewed(script, text) == text, "run tests/renew_pattern_tables.py"


def test_windows_has_one_pattern_each() -> None:
    assert all(len(signatures()[id].patterns) == 1 for id in WINDOWS)


@pytest.mark.parametrize(("id", "line"), [*WINDOWS_LINES.items(), *OTHER_PLACES.items()])
def test_lines_of_windows_of_events_and_of_the_serial_log(id: str, line: str) -> None:
    assert all(pattern.search(line) for pattern in {**WINDOWS, **ELSEWHERE}[id])


@pytest.mark.parametrize("name", REAL_LINES)
def test_real_line(name: str) -> None:
    line, at = REAL_LINES[name]
    assert count_lines([line])[name] == {"count": 1, "last": at}


@pytest.mark.parametrize("name", SOURCE_LINES)
def test_line_from_the_source(name: str) -> None:
    assert name in count_lines([SOURCE_LINES[name]])


@pytest.mark.parametrize(("name", "line"), OTHER_LINES)
def test_the_same_in_other_words(name: str, line: str) -> None:
    assert name in count_lines([line])


# As somebody's log had them of an extension that is not the backup's.
OF_OTHERS = (
    REAL_LINES["exit_126"][0],
    "2018/04/03 14:26:30.950484 ERROR [Microsoft.Azure.Extensions.CustomScript-2.0.5] Failed to save handler status: "
    "[Errno 2] No such file or directory: '/var/lib/waagent/Microsoft.Azure.Extensions.CustomScript-2.0.5/config/"
    "HandlerStatus'",
    "2018/04/03 14:26:31.027202 ERROR Event: name=Microsoft.Azure.Extensions.CustomScript, op=None, "
    "message=[ExtensionError] Downgrade not allowed, duration=0",
)


def test_another_extension_says_nothing_of_the_backup_extension() -> None:
    assert set(count_lines(OF_OTHERS)) == {"exit_126"}


def test_quiet_lines() -> None:
    assert count_lines(QUIET_LINES) == {}


def test_nothing() -> None:
    assert count_lines([]) == {}


def by_the_script(text: str, awk: str) -> object:
    """What the guest script's own awk program counts in this text."""
    functions = PROBE.read_text("utf-8").rsplit("(main <", 1)[0]
    program = subprocess.run(
        ["sh", "-c", functions + "\nlog_program"], capture_output=True, text=True, check=True
    ).stdout
    done = subprocess.run([*awk.split(), program], input=text, capture_output=True, text=True, check=True)
    return json.loads("{" + done.stdout + "}")


@pytest.mark.parametrize("awk", ["awk", "mawk", "gawk", "busybox awk"])
def test_script_counts_alike(awk: str) -> None:
    installed(awk.split()[0])
    lines = [line for line, _ in REAL_LINES.values()] + list(SOURCE_LINES.values()) + list(QUIET_LINES)
    lines += [line for _, line in OTHER_LINES] + list(OF_OTHERS)
    assert by_the_script("\n".join(lines) + "\n", awk) == count_lines(lines)


def test_script_counts_alike_in_recorded_logs() -> None:
    """The last file is the one of which only the beginning of a freeze is there: the machine hung."""
    files = sorted(RECORDINGS.glob("waagent__*.log")) + sorted(RECORDINGS.glob("shell__*.log"))
    files += sorted(RECORDINGS.glob("extension__*.log"))
    if not files:
        pytest.skip("no recordings")
    for file in files:
        text = file.read_text("utf-8", errors="replace")
        assert by_the_script(text, "awk") == count_lines(text.splitlines()), file.name
    hung = count_lines((RECORDINGS / "extension__1868_freeze_hang.log").read_text().splitlines())
    assert "freeze_begin" in hung
    assert "freeze_end" not in hung
