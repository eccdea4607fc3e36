"""The shape of what only the VM itself can tell: facts that both guest scripts fill, and what boot diagnostics show.

Every fact distinguishes what a script found from what it could not find out:

- ``None`` is "not found out": no right, no tool, no time, a word that this version does not know, a script too old.
- ``""``, ``[]`` and ``{}`` are "looked, and there is none".
- ``cut`` names the lists of the same fact that are not complete; ``None`` means that nobody said whether they are.

``GUEST_FACTS`` maps the name of a fact to its shape; ``windows.py`` and ``linux.py`` hold what only one system has.
"""

from __future__ import annotations

from typing import Literal, TypedDict

Reach = Literal["ok", "refused", "timeout", "no_route", "dns", "error"]
"""The result of a connection attempt from inside."""


class GuestProbe(TypedDict):
    """The run of the guest script itself. ``root``: root on Linux, administrator on Windows. ``errors`` are the probes
    that failed, one short line each; ``cut`` the sections that did not fit into Run Command's 4,096 bytes."""

    os: str
    vm_id: str | None
    host: str | None
    at: str | None
    root: bool | None
    took_ms: int | None
    errors: list[str]
    cut: list[str]


class GuestClock(TypedDict):
    """``skew_s``: the guest's clock minus Azure's (positive: the guest is ahead)."""

    skew_s: float | None
    synchronized: bool | None


class Proxy(TypedDict):
    """One proxy setting. ``where`` names the file, unit or registry key; ``value`` carries no credentials."""

    where: str
    value: str


class GuestNetwork(TypedDict):
    """What can be reached from inside.

    ``wireserver_80`` and ``wireserver_32526`` are TCP connections to 168.63.129.16, ``wireserver_http`` is
    ``GET /?comp=versions`` there, ``imds`` 169.254.169.254:80, ``storage_443`` Azure Storage, ``dns`` one name of it.
    """

    wireserver_80: Reach | None
    wireserver_32526: Reach | None
    wireserver_http: Reach | None
    imds: Reach | None
    storage_443: Reach | None
    dns: Reach | None
    proxies: list[Proxy] | None
    cut: list[str] | None


class FileSystem(TypedDict):
    """One mounted file system or Windows drive (``C:``). Sizes in MiB; inodes where the file system has them."""

    mount: str
    size_mb: int | None
    free_mb: int | None
    free_inodes_pct: float | None


class GuestDisk(TypedDict):
    """The file systems that the agent and the backup extension write to, the root or system drive first."""

    filesystems: list[FileSystem] | None
    cut: list[str] | None


class GuestExtension(TypedDict):
    """The backup extension in the guest. ``versions`` are its folders, oldest first; ``newest`` the last of them.

    ``status``, ``code``, ``message`` and ``operation`` come from the newest status file of the newest version, ``seq``
    is that file's number, ``at`` when it was written (guest's clock); all of them are None where there is no status
    file. A run that never got so far as to write one leaves that of an earlier run in place.
    """

    name: str | None
    versions: list[str] | None
    newest: str | None
    status: str | None
    code: int | None
    message: str | None
    operation: str | None
    seq: int | None
    at: str | None
    cut: list[str] | None


class LogPattern(TypedDict):
    """How often a known line stands in the tail of the logs; ``last``: time of the newest, as the log writes it."""

    count: int
    last: str | None


class GuestLogs(TypedDict):
    """Known lines found in the agent's and the extension's logs, by pattern id. A pattern not found is left out.

    ``since``: from which time on each log was read, None where its lines give none. That a pattern was not found says
    nothing about the time before, for logs are rotated and only their ends are read.
    """

    patterns: dict[str, LogPattern] | None
    since: dict[str, str | None] | None


class LogLine(TypedDict):
    """One line of a log, without its time, with secrets removed and shortened."""

    log: str
    at: str | None
    text: str


class GuestLogLines(TypedDict):
    """The last lines of each log that report an error or a warning and that no pattern knows, different ones only."""

    lines: list[LogLine] | None
    cut: list[str] | None


# --- boot diagnostics: readable without any agent ------------------------------------------------------------------


class BootAdapter(TypedDict):
    """One network adapter of a VM health report."""

    name: str | None
    status: str | None
    addresses: list[str]
    dhcp: bool | None


class BootService(TypedDict):
    """One Windows service of a VM health report, in the report's own words."""

    name: str
    state: str | None
    start: str | None


class BootReport(TypedDict):
    """The newest complete VM health report of a Windows serial log: what the agent said last before it went silent."""

    reported_at: str | None
    agent_version: str | None
    os_version: str | None
    adapters: list[BootAdapter]
    services: list[BootService]
    firewall: dict[str, bool]


class SerialInterface(TypedDict):
    """One row of cloud-init's ``Net device info`` table."""

    device: str
    up: bool | None
    address: str | None


class SerialLog(TypedDict):
    """What the newest boot of a Linux serial log shows. None = the log does not say.

    ``agent``: ``started``, ``failed`` or ``stopped``; ``dhcp``: ``bound`` or ``failed``; ``emergency_mode``: also the
    shell of an initramfs or of GRUB; ``freeze_open``: a file-system freeze by the backup extension did not come back,
    and the log shows no thaw after it. ``patterns`` as in :class:`GuestLogs`.
    """

    agent: str | None
    dhcp: str | None
    emergency_mode: bool
    kernel_panic: bool
    file_system_errors: bool
    freeze_open: bool
    cloud_init_finished: str | None
    datasource: str | None
    interfaces: list[SerialInterface]
    patterns: dict[str, LogPattern]


GUEST_FACTS: dict[str, object] = {
    "guest.probe": GuestProbe,
    "guest.clock": GuestClock,
    "guest.network": GuestNetwork,
    "guest.disk": GuestDisk,
    "guest.extension": GuestExtension,
    "guest.logs": GuestLogs,
    "guest.log_lines": GuestLogLines,
    "guest.boot_report": BootReport,
    "guest.serial_log": SerialLog,
}
