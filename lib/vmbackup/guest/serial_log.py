"""Reads the serial log that Azure keeps of a VM: it is there even when the agent and the network are dead. Pure.

Windows agents write a "VM Health Report" into it (one JSON line between two marker lines); Linux shows its boot. Only
what the text says becomes a fact; of a log longer than ``LARGEST_LOG`` the newest part is read.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from vmbackup.facts.guest import BootAdapter, BootReport, BootService, LogPattern, SerialInterface, SerialLog
from vmbackup.sanitize import shortened

LARGEST_LOG = 8 * 1024 * 1024
_LARGEST_REPORT = 1024 * 1024
_LONGEST = 200

_ESCAPE_SEQUENCE = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b\n]*(?:\x07|\x1b\\)?|[()][A-Z0-9]|[@-Z\\-_=>])")
_UNSEEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]")
# Drawn with 7 to 12 signs, and wrapped anywhere by whatever carried the log: it is looked for in the log as one line.
# It begins with a letter, since looking for signs would be slow in a log full of them.
_REPORT_MARK = re.compile(
    r"M(?:(?<=={7}M)|(?<=={7} M))icrosoft ?Azure ?VM ?Health ?Report ?- ?(Start|End) ?([0-9TZ:.+-]{1,40}?)? ?(?=={7})"
)
_QUERY = re.compile(r"(https?://[^\s?\"'<>]+)\?[^\s\"'<>]+", re.IGNORECASE)

# Only the newest boot counts: what an older one showed is no longer true.
_BOOT = re.compile(
    r"^(?:(?:\[ *0\.0{4,6}\] )?(?:Linux version \d|Command line: )|Entering rescue mode\.\.\.)", re.MULTILINE
)
_AGENT = re.compile(
    r"\b(Started|Failed to start|Dependency failed for|Stopped) (?:[\w.@-]{1,60} - )?"
    r"(?:(?:\w+ )?Azure Linux Agent|Microsoft Azure Agent|walinuxagent\.service"
    r"|waagent\.service)\.?[ \t]*$",
    re.MULTILINE,
)
_AGENT_WORDS = {
    "Started": "started",
    "Failed to start": "failed",
    "Dependency failed for": "failed",
    "Stopped": "stopped",
}
_DHCP = (
    # The words of dhclient, systemd-networkd, NetworkManager and wicked.
    (
        "bound",
        re.compile(
            r"\b(?:bound to \d+\.\d+\.\d+\.\d+|DHCPACK\b|DHCPv4 address \d+\.\d+\.\d+\.\d+"
            r"|dhcp4 \(\S{1,20}\): state changed new lease|Committed DHCPv4 lease)"
        ),
    ),
    (
        "failed",
        re.compile(
            r"\b(?:No DHCPOFFERS received|Failed to send DHCP request|DHCP(?:v4)? (?:\w+ )?timed out"
            r"|dhcp4 \(\S{1,20}\): request timed out)"
        ),
    ),
)
# systemd's and dracut's emergency mode, the shell of an initramfs, and GRUB's.
_EMERGENCY = re.compile(
    r"(?:You are in|Welcome to) (?:emergency|rescue) mode|Entering (?:emergency|rescue) mode"
    r"|Reached target [^\n]{0,24}(?:Emergency|Rescue) Mode|Dropping to a shell!|^\(initramfs\)",
    re.MULTILINE,
)
_PANIC = re.compile(r"Kernel panic - not syncing")
_ALIVE = re.compile(r"Reached target |\blogin: *$", re.MULTILINE)
_FILE_SYSTEM = re.compile(
    r"EXT[234]-fs error|XFS \([^)\n]{1,40}\): (?:Corruption|Metadata corruption|Internal error)"
    r"|UNEXPECTED INCONSISTENCY|BTRFS(?: error| critical)|Remounting filesystem read-only"
    r"|Dependency failed for Local File Systems"
)
_FREEZE = re.compile(r"T:S freeze, timeout value|fsfreeze mount :")
_FREEZE_STUCK = re.compile(r"startproc : sig_handle=0|blocked for more than \d+ seconds")
_FREEZE_OVER = re.compile(
    r"T:S thaw|unfreeze|Binary output after process end|freeze failed for some mount|snapshot result inconsistent"
)
_FINISHED = re.compile(r"Cloud-init v\. [^\n]{1,60}? finished at ([^\n]{1,60}?)\. Datasource (\S{1,60})")
_DATASOURCE = re.compile(r"\b(DataSource[A-Za-z]{1,40})\b")
_INTERFACE = re.compile(r"ci-info: \| +(\S{1,40}) +\| +(True|False) +\| +(\S{1,60}) +\|")
_DEVICE_TABLE = re.compile(r"ci-info: \++Net device info\++")
_OTHER_TABLE = re.compile(r"ci-info: \++(?!Net device info)[A-Za-z]")

_TIME = re.compile(
    r"(\d{4}[-/]\d\d[-/]\d\d[T ]\d\d:\d\d:\d\d|[A-Z][a-z]{2} {1,2}\d{1,2} \d\d:\d\d:\d\d|\[ *\d+\.\d+\])"
)


KnownLines = Callable[[str], Iterable[tuple[str, str]]]
"""Finds the known lines of a text: ``(id, line)``."""


def without_sas(url: str) -> str:
    """The text with the query of every URL in it removed: a shared access signature is a secret."""
    return _QUERY.sub(r"\1", url)


def parse_windows_health(log: str | bytes) -> BootReport | None:
    """The newest complete health report of a Windows serial log, None when there is none; half reports do not count."""
    for start, body in _reports(_clean(log).replace("\n", "")):
        try:
            report = json.loads(body)
        except (ValueError, RecursionError):
            continue
        if isinstance(report, dict):
            return _boot_report(report, start)
    return None


def parse_linux_boot(log: str | bytes, known_lines: KnownLines = lambda text: ()) -> SerialLog | None:
    """What the newest boot in a Linux serial log shows, None when there is no text at all. ``known_lines`` finds the
    lines that mean something."""
    text = _clean(log)
    if not text.strip():
        return None
    boots = list(_BOOT.finditer(text))
    boot = text[boots[-1].start() :] if boots else text
    agent = [found.group(1) for found in _AGENT.finditer(boot)]
    finished = list(_FINISHED.finditer(boot))
    sources = _DATASOURCE.findall(boot)
    return SerialLog(
        agent=_AGENT_WORDS[agent[-1]] if agent else None,
        dhcp=_last(boot, _DHCP),
        emergency_mode=bool(_EMERGENCY.search(boot)),
        kernel_panic=_panicked(boot),
        file_system_errors=bool(_FILE_SYSTEM.search(boot)),
        freeze_open=_freeze_open(boot),
        cloud_init_finished=finished[-1].group(1) if finished else None,
        datasource=finished[-1].group(2) if finished else sources[-1] if sources else None,
        interfaces=_interfaces(boot),
        patterns=_patterns(boot, known_lines),
    )


def _clean(log: str | bytes) -> str:
    """The newest part of the log as harmless text with plain line ends."""
    recent = log[-LARGEST_LOG:]
    if isinstance(recent, bytes):
        wide = recent[:4096].count(0) > len(recent[:4096]) // 4
        recent = recent.decode("utf-16" if wide and len(recent) % 2 == 0 else "utf-8", "replace")
    return _UNSEEN.sub("", _ESCAPE_SEQUENCE.sub("", recent).replace("\r\n", "\n").replace("\r", "\n"))


def _reports(text: str) -> Iterator[tuple[str | None, str]]:
    """``(start time, text between the markers)`` of every report that has both markers, newest first."""
    marks = list(_REPORT_MARK.finditer(text))
    for start, end in reversed(list(zip(marks, marks[1:], strict=False))):
        if (start.group(1), end.group(1)) == ("Start", "End") and end.start() - start.end() < _LARGEST_REPORT:
            yield start.group(2) or None, text[start.end() : end.start()].strip("= ")


def _boot_report(report: dict[str, Any], start: str | None) -> BootReport:
    agent, system = _object(report, "vmAgent"), _object(report, "systemInfo")
    return BootReport(
        reported_at=_word(report.get("reportTime")) or start,
        agent_version=_first(agent, "version", "vmAgentVersion", "agentVersion") or _first(report, "vmAgentVersion"),
        os_version=_first(_object(system, "windows"), "osVersion") or _first(system, "osVersion", "version"),
        adapters=[_adapter(entry) for entry in _entries(report, "networkAdapters")],
        services=[service for entry in _entries(report, "services") if (service := _service(entry))],
        firewall=_firewall(report),
    )


def _adapter(entry: dict[str, Any]) -> BootAdapter:
    properties = _entries(entry, "ipProperties")
    dhcp = [_truth(one.get("isDhcpEnabled")) for one in properties if str(one.get("protocolVersion")) in ("4", "IPv4")]
    return BootAdapter(
        name=_word(entry.get("name")),
        status=_word(entry.get("status")),
        addresses=[address for one in properties if (address := _word(one.get("address")))],
        dhcp=dhcp[0] if dhcp else None,
    )


def _service(entry: dict[str, Any]) -> BootService | None:
    name = _word(entry.get("name"))
    if name is None:
        return None
    return BootService(name=name, state=_word(entry.get("state")), start=_first(entry, "startMode", "startType"))


def _firewall(report: dict[str, Any]) -> dict[str, bool]:
    """On or off per profile. A domain's policy wins over the local one; -1 is "not configured"."""
    policy = _object(report, "firewallPolicy")
    return {
        shortened(name, _LONGEST): profile["enable"] == 1
        for layer in ("localPolicy", "domainPolicy")
        for name, profile in _object(policy, layer).items()
        if isinstance(profile, dict) and profile.get("enable") in (0, 1)
    }


def _interfaces(boot: str) -> list[SerialInterface]:
    tables = list(_DEVICE_TABLE.finditer(boot))
    if not tables:
        return []
    table = boot[tables[-1].end() : tables[-1].end() + 20_000]
    other = _OTHER_TABLE.search(table)
    rows = _INTERFACE.findall(table[: other.start()] if other else table)
    return [
        SerialInterface(device=device, up=up == "True", address=None if address == "." else address)
        for device, up, address in rows
    ]


def _patterns(boot: str, known_lines: KnownLines) -> dict[str, LogPattern]:
    found: dict[str, LogPattern] = {}
    for id, line in known_lines(boot):
        time = _TIME.search(line)
        before = found.get(id, LogPattern(count=0, last=None))
        found[id] = LogPattern(count=before["count"] + 1, last=time.group(1) if time else None)
    return found


def _panicked(boot: str) -> bool:
    """A kernel that boots quietly does not say that a new boot begins: what lives after a panic is another one."""
    panics = list(_PANIC.finditer(boot))
    return bool(panics) and not _ALIVE.search(boot, panics[-1].end())


def _freeze_open(boot: str) -> bool:
    starts = list(_FREEZE.finditer(boot))
    since = boot[starts[-1].end() :] if starts else ""
    return bool(_FREEZE_STUCK.search(since)) and not _FREEZE_OVER.search(since)


def _last(text: str, patterns: tuple[tuple[str, re.Pattern[str]], ...]) -> str | None:
    """The word whose pattern is found last."""
    found = [(hit.start(), word) for word, pattern in patterns for hit in pattern.finditer(text)]
    return max(found)[1] if found else None


def _entries(holder: dict[str, Any], key: str) -> list[dict[str, Any]]:
    value = holder.get(key)
    return [entry for entry in value if isinstance(entry, dict)] if isinstance(value, list) else []


def _object(holder: dict[str, Any], key: str) -> dict[str, Any]:
    value = holder.get(key)
    return value if isinstance(value, dict) else {}


def _first(holder: dict[str, Any], *keys: str) -> str | None:
    return next((word for key in keys if (word := _word(holder.get(key)))), None)


def _word(value: object) -> str | None:
    return shortened(value, _LONGEST) if isinstance(value, str) and value else None


def _truth(value: object) -> bool | None:
    if isinstance(value, bool):
        return value
    return {"true": True, "false": False}.get(value.lower()) if isinstance(value, str) else None
