"""The shape of what only a Linux guest can tell: the facts ``guest.<key>`` that ``guest/collect_linux.sh`` prints.

Every key is always present. ``None`` means the probe could not find it out (no right, no tool, time over), never "no".
``[]`` and ``{}`` mean it looked and there was nothing. Text is the guest's: untrusted. Sources: ``guest/README.md``.
"""

from __future__ import annotations

from typing import TypedDict


class LinuxAgent(TypedDict):
    """The agent itself. ``unit`` is ``walinuxagent`` or ``waagent``; ``active``, ``sub``, ``enabled`` and ``restart``
    are systemd's own words (``active``/``inactive``/``failed``, ``running``/``dead``, ``enabled``/``masked``,
    ``always``/``no``), None without systemd. ``daemon`` and ``exthandlers``: is such a process running; ``exthandlers``
    False under a living daemon = the part that runs extensions is dead. ``packaged_version``, ``goal_state_version``
    and ``python_version`` are what ``waagent --version`` prints, ``running_version`` is the one in the process' command
    line. ``starts`` False: ``waagent --version`` failed, ``start_error`` is its last line. ``source``: ``distro``,
    ``github``, ``pip`` or ``unknown``; ``package_candidate`` is the newest version in the distribution's repository."""

    path: str | None
    unit: str | None
    active: str | None
    sub: str | None
    enabled: str | None
    restart: str | None
    daemon: bool | None
    exthandlers: bool | None
    packaged_version: str | None
    running_version: str | None
    goal_state_version: str | None
    package: str | None
    package_version: str | None
    package_candidate: str | None
    source: str
    python_version: str | None
    starts: bool | None
    start_error: str | None


class LinuxAgentConfig(TypedDict):
    """The configuration in effect. ``via``: ``waagent`` (it printed its own settings), ``file`` (read from
    ``/etc/waagent.conf`` with the agent's defaults for the keys in ``assumed``) or None (neither)."""

    via: str | None
    assumed: list[str]
    extensions_enabled: bool | None
    auto_update_enabled: bool | None
    auto_update_to_latest: bool | None
    logs_verbose: bool | None
    proxy_host: str | None
    proxy_port: str | None
    provisioning_agent: str | None
    enable_firewall: bool | None
    enable_fips: bool | None
    endpoint_discovery: str | None
    goal_state_period_s: int | None


class LinuxAgentState(TypedDict):
    """What lies in ``/var/lib/waagent`` (None where it may not be read). ``handlers``: one entry per version directory
    of the backup extension, ``state`` is the word in its ``config/HandlerState``."""

    readable: bool
    transport_certificate: bool | None
    private_keys: int | None
    handlers: list[LinuxHandlerState]


class LinuxHandlerState(TypedDict):
    """One version of the backup extension on disk. ``state``: ``Enabled``, ``Installed``, ``NotInstalled``, …"""

    version: str
    state: str | None
    status_file: bool


class LinuxInterface(TypedDict):
    """One network interface but ``lo``. ``option_245`` is the WireServer's address as the lease gives it, dotted where
    it is four bytes, otherwise as written; None: no lease names it. ``lease`` is the file it was read from. Where the
    VM has network cards, interfaces of containers and tunnels are left out."""

    name: str
    dhcp: bool | None
    option_245: str | None
    lease: str | None
    addresses: int | None


class LinuxDhcp(TypedDict):
    """``endpoint`` is the content of ``/var/lib/waagent/WireServerEndpoint``: the address the agent really uses.
    ``route``: does the kernel know a way to 168.63.129.16."""

    interfaces: list[LinuxInterface]
    endpoint: str | None
    route: bool | None


class LinuxMount(TypedDict):
    """A mount and why it cannot be read: ``timeout`` or the error's words."""

    mount: str
    why: str


class LinuxMounts(TypedDict):
    """``agent_dir_mount`` is the mount that holds ``/var/lib/waagent``, links followed. ``frozen``: mounts whose device
    is suspended; ``blocked_writers`` counts processes that wait for a frozen file system to thaw (the kernel does not
    say which)."""

    agent_dir_mount: str | None
    agent_dir_noexec: bool | None
    agent_dir_read_only: bool | None
    frozen: list[str]
    blocked_writers: int | None
    unreadable: list[LinuxMount]
    fstab_duplicates: list[str]
    mounted_twice: list[str]


class LinuxPython(TypedDict):
    """The Python that the backup extension would pick. ``path`` None: it finds none (it ends with exit code 127 or 3).
    ``missing``: of ``crypt``, ``distutils``, ``imp`` those it lacks; ``platform_dist``: has ``platform.dist``."""

    path: str | None
    version: str | None
    missing: list[str] | None
    platform_dist: bool | None
    others: list[str]


class LinuxOpenssl(TypedDict):
    """``fips`` is the kernel's FIPS mode; ``config_ok`` False: openssl refuses its configuration, see ``error``."""

    path: str | None
    version: str | None
    fips: bool | None
    config_ok: bool | None
    error: str | None


class LinuxVmbackupConf(TypedDict):
    """``/etc/azure/vmbackup.conf``. ``values`` holds the keys of its ``[SnapshotThread]`` section as written, names in
    lower case; ``encoding_ok`` False: it is not plain text (a byte order mark, UTF-16, control characters)."""

    present: bool | None
    encoding_ok: bool | None
    values: dict[str, str]


class LinuxSelinux(TypedDict):
    """``mode``: ``enforcing``, ``permissive``, ``disabled`` (also where there is no SELinux). ``denials`` counts audit
    lines against the agent, None when the audit log may not be read; ``last`` is the newest of them, shortened."""

    mode: str
    denials: int | None
    last: str | None


FACTS_LINUX: dict[str, object] = {
    "guest.agent": LinuxAgent,
    "guest.agent_config": LinuxAgentConfig,
    "guest.agent_state": LinuxAgentState,
    "guest.dhcp": LinuxDhcp,
    "guest.mounts": LinuxMounts,
    "guest.python": LinuxPython,
    "guest.openssl": LinuxOpenssl,
    "guest.vmbackup_conf": LinuxVmbackupConf,
    "guest.selinux": LinuxSelinux,
}
