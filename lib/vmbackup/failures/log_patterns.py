"""The lines in the Linux agent's and extension's logs that mean something, by the id that ``guest.logs`` reports.

``guest/collect_linux.sh`` carries the same table, because it reduces the logs inside the VM. Each pattern is an
extended regular expression that awk and Python read alike. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from vmbackup.facts.guest import LogPattern

PATTERNS: dict[str, str] = {
    "heartbeat": r"\[HEARTBEAT\] Agent WALinuxAgent-",
    "no_route": r"No route exists to 168\.63\.129\.16",
    "no_route_to_host": r"\[Errno 113\] No route to host",
    "wireserver_not_responding": r"WireServer is not responding",
    "wireserver_503": r"Calling wire server failed: 503",
    "protocol_not_found": r"Protocol endpoint not found",
    "wireserver_timed_out": r"168\.63\.129\.16.*IOError timed out",
    "wireserver_closed": r"168\.63\.129\.16.*Connection (refused|reset by peer)",
    "host_error": r"\[HTTP Failed\] \[5[0-9][0-9]: ",
    "network_unreachable": r"\[Errno 101\] Network is unreachable",
    "goal_state_failed": r"(retrieving|Error fetching) the goal state:|goal state is still failing|goal state, giving",
    "dhcp_failed": r"Failed to send DHCP request",
    "wrong_endpoint": r"found endpoint \[([02-9]|1[0-57-9]|16[0-79]|168\.[0-57-9])",
    "noexec": r"noexec flag is set on",
    "exit_126": r"exit code: 126",
    "exit_127": r"exit code: 127",
    "no_space": r"No space left on device",
    "read_only_file_system": r"Read-only file system",
    "decrypt_failed": r"Failed to decrypt .*Certificates\.p7m",
    "openssl_config": r"configuration file routines|Unable to load config info from",
    "openssl_cipher": r"unknown cipher|digital envelope routines:.*unsupported|Cannot convert PFX to PEM",
    "agent_python_error": r"unexpected keyword argument .etype.",
    "downgrade": r"VMSnapshotLinux.*Downgrade (is )?not allowed",
    "handler_status_failed": r"VMSnapshotLinux-[0-9.]+\] Failed to save handler status",
    "python_unknown": r"python version unknown",
    "module_missing": r"No module named",
    "extension_exit": r"VMSnapshotLinux.* Non-zero exit code: (3|126|127),"
    r"|Non-zero exit code: (3|126|127), .*VMSnapshotLinux-",
    "extension_import_failed": r"VMSnapshotLinux-[0-9.]+.main.*, line [0-9]+, in <module>",
    "handle_failed": r"- [1-9][0-9]* returned from handle\.py",
    "old_agent_api": r"Failed to construct ConfigurationProvider",
    "blob_properties_failed": r"Failed to get blob properties",
    "freeze_begin": r"T:S freeze, timeout value",
    "freeze_end": r"T:S (freeze|thaw) result",
    "freeze_failed": r"freeze failed for some mount|Failed to FIFREEZE",
    "freeze_timeout": r"freeze timed-out|freeze took longer than timeout",
    "freeze_already": r"Mount Points already freezed",
    "open_mount_failed": r"file open failed for some mount",
    "snapshot_inconsistent": r"snapshot result inconsistent",
    "snapshot_no_network": r"FailedRetryableSnapshotFailedNoNetwork",
    "snapshot_restricted_network": r"FailedRetryableSnapshotFailedRestrictedNetwork",
    "snapshot_limit": r"FailedSnapshotLimitReached",
    "snapshot_conflict": r"snapshot result: errorcode: 409",
    "host_service_missing": r"BHS is not runnn?ing on host machine",
    "crp_timeout": r"CRP timeout limit has reached",
}

_STAMP = re.compile(r"(\d{4})[-/.](\d\d)[-/.](\d\d)[T ](\d\d:\d\d:\d\d)")
_SHELL_STAMP = re.compile(
    r"[A-Z][a-z]{2} ([A-Z][a-z]{2}) +(\d+) (\d+):(\d\d):(\d\d)(?: ([AP]M))?(?: [A-Z]+)? (\d{4})- "
)
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def count_lines(lines: Iterable[str]) -> dict[str, LogPattern]:
    """How often each pattern occurs in these lines, and the time of its newest hit as ISO 8601 (the logs are in UTC).

    A line without a time of its own has that of the line before; a pattern without a hit is left out.

    >>> count_lines(["Mon Nov 18 00:05:10 UTC 2019- python version unknown"])
    {'python_unknown': {'count': 1, 'last': '2019-11-18T00:05:10Z'}}
    """
    found: dict[str, LogPattern] = {}
    at: str | None = None
    for line in lines:
        at = _time(line) or at
        for name, pattern in PATTERNS.items():
            if re.search(pattern, line):
                before = found.get(name, {"count": 0, "last": None})
                found[name] = {"count": before["count"] + 1, "last": at or before["last"]}
    return found


def _time(line: str) -> str | None:
    plain = _STAMP.match(line)
    if plain:
        year, month, day, clock = plain.groups()
        return f"{year}-{month}-{day}T{clock}Z"
    shell = _SHELL_STAMP.match(line)
    if shell is None or shell.group(1) not in _MONTHS:
        return None
    name, day, hour, minute, second, half, year = shell.groups()
    hour_24 = int(hour) % 12 + 12 * (half == "PM") if half else int(hour)
    return f"{year}-{_MONTHS.index(name) + 1:02}-{int(day):02}T{hour_24:02}:{minute}:{second}Z"
