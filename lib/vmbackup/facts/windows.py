"""The shape of what the guest script finds out on Windows alone. ``FACTS_WINDOWS`` maps a fact's name to its shape.

``None``, ``""``, ``[]`` and ``cut`` as in ``guest.py``. Words of Windows (VSS writer states) stay as Windows writes
them; service states and start types are always English, for they come from enumerations, not from text.
"""

from __future__ import annotations

from typing import Literal, TypedDict

ServiceState = Literal["Running", "Stopped", "StartPending", "StopPending", "Paused", "PausePending", "ContinuePending"]
ServiceStart = Literal["Automatic", "Manual", "Disabled", "Boot", "System"]


class Service(TypedDict):
    """One Windows service, by its short name (``RdAgent``); one that is not installed has ``exists`` False.

    ``path_ok``: the program of the service is there; None = not judged. ``account`` is who it runs as
    (``NT AUTHORITY\\NetworkService``), None where nobody asked.
    """

    exists: bool | None
    state: ServiceState | None
    start: ServiceStart | None
    path_ok: bool | None
    account: str | None


class WindowsAgent(TypedDict):
    """The guest agent's installation and what it last wrote about itself to the registry.

    ``msi_*`` come from the list of installed programs; ``msi_installed`` False is normal where the platform installed
    the agent. ``version`` … ``started_at`` are values of ``HKLM\\SOFTWARE\\Microsoft\\Virtual Machine\\Guest`` as they
    stand there; ``heartbeat_at`` is ``HeartbeatLastStatusUpdateTime``, ``heartbeat_age_s`` its age (guest's clock).
    ``processes``: which of ``WaAppAgent`` and ``WindowsAzureGuestAgent`` run. ``wcf_debugging``: machine.config loads
    the service model's debugger, with which the agent cannot start.
    """

    msi_installed: bool | None
    msi_version: str | None
    version: str | None
    status: str | None
    wireserver_status: str | None
    dhcp_status: str | None
    fabric_address_time: str | None
    dotnet_present: str | None
    started_at: str | None
    heartbeat_at: str | None
    heartbeat_age_s: float | None
    processes: list[str] | None
    wcf_debugging: bool | None


class DotNet(TypedDict):
    """.NET Framework 4: DWORD ``Release`` (378389 = 4.5); 0: there is no .NET Framework 4.5 or newer."""

    release: int | None


class WindowsNic(TypedDict):
    """One IPv4 interface that is up. ``primary``: it alone has a default gateway; ``addresses``: how many."""

    name: str
    primary: bool | None
    dhcp: bool | None
    addresses: int | None


class WindowsDhcp(TypedDict):
    """DHCP per interface. Only a single-address interface should use DHCP in the guest."""

    nics: list[WindowsNic] | None


class VssWriter(TypedDict):
    """One line of ``vssadmin list writers``. ``code`` 1 is stable; ``state`` and ``error`` are in Windows' language."""

    name: str
    code: int | None
    state: str | None
    error: str | None


class Vss(TypedDict):
    """The VSS writers. ``writers`` None: ``vssadmin`` gave no list; ``timed_out``: since it did not answer in time."""

    writers: list[VssWriter] | None
    timed_out: bool | None


class SqlService(TypedDict):
    """One SQL Server service (``MSSQLSERVER``, ``MSSQL$NAME``, ``SQLWriter``)."""

    name: str
    state: ServiceState | None


class Sql(TypedDict):
    """SQL Server and the backup extension's settings in the registry, which say how VSS is used.

    ``use_vss_copy_backup``: ``USEVSSCOPYBACKUP`` is ``TRUE``; False also when it is not there. ``bcdr_agent`` and
    ``bcdr_agent_persistent`` hold every value of the two keys, ``{}`` when the key does not exist.
    """

    services: list[SqlService] | None
    use_vss_copy_backup: bool | None
    bcdr_agent: dict[str, str] | None
    bcdr_agent_persistent: dict[str, str] | None
    cut: list[str] | None


class Tls(TypedDict):
    """``strong_crypto``: ``SchUseStrongCrypto`` per .NET key (``v4.0.30319``, ``Wow6432Node v4.0.30319``, …), None =
    not set, the system's default. ``tls12_client``: ``enabled``, ``disabled`` or ``default``."""

    strong_crypto: dict[str, int | None] | None
    tls12_client: Literal["enabled", "disabled", "default"] | None


class VcRedistributable(TypedDict):
    """Visual C++ 2013 x64: versions of its minimum runtime that are installed (``12.0.40660``), and the start type of
    the Windows Installer service that the extension needs to install it (3 manual, 4 disabled)."""

    versions: list[str] | None
    msiserver_start: int | None


class MachineKeys(TypedDict):
    """The rights on ``ProgramData\\Microsoft\\Crypto\\RSA\\MachineKeys``; ``missing`` names who lacks what."""

    acl_ok: bool | None
    missing: list[str] | None


class BlockedProgram(TypedDict):
    """A program of the backup extension that was kept from running. ``source``: the event log's name."""

    source: str
    event_id: int | None
    program: str | None
    count: int | None
    last: str | None


class ApplicationControl(TypedDict):
    """Events of the last 30 days in which AppLocker, Code Integrity or antivirus blocked the extension's program, and
    the antivirus products that are registered."""

    blocked: list[BlockedProgram] | None
    antivirus: list[str] | None
    cut: list[str] | None


class Crash(TypedDict):
    """A service or program of the agent, the extension or VSS that ended unexpectedly. ``kind``: ``service``
    (System 7031, 7034), ``program`` (Application 1000) or ``dotnet`` (.NET Runtime 1026); ``detail``: the reason."""

    kind: Literal["service", "program", "dotnet"] | None
    name: str
    count: int | None
    last: str | None
    detail: str | None


class Crashes(TypedDict):
    """Crashes of the last ``days`` days."""

    days: int | None
    events: list[Crash] | None
    cut: list[str] | None


class HandlerState(TypedDict):
    """One registry entry of the backup extension under ``HandlerState``. ``folder``: its program folder is there."""

    name: str
    state: str | None
    folder: bool | None


class ExtensionState(TypedDict):
    """What earlier versions of the backup extension left behind; an entry newer than every folder blocks an update."""

    handlers: list[HandlerState] | None
    cut: list[str] | None


class WindowsCertificates(TypedDict):
    """The certificate ``TenantEncryptionCert`` with which the agent reads protected settings."""

    tenant_present: bool | None
    tenant_valid: bool | None
    tenant_expires: str | None


FACTS_WINDOWS: dict[str, object] = {
    "guest.services": dict[str, Service],
    "guest.windows_agent": WindowsAgent,
    "guest.dotnet": DotNet,
    "guest.windows_dhcp": WindowsDhcp,
    "guest.vss": Vss,
    "guest.sql": Sql,
    "guest.tls": Tls,
    "guest.vc_redistributable": VcRedistributable,
    "guest.machine_keys": MachineKeys,
    "guest.application_control": ApplicationControl,
    "guest.crashes": Crashes,
    "guest.extension_state": ExtensionState,
    "guest.windows_certificates": WindowsCertificates,
}
