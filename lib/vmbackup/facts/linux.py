"""The shape of what only a Linux guest can tell: facts ``guest.<key>`` that ``guest/scripts/collect_linux.sh`` prints.

``None``, ``""``, ``[]`` and ``cut`` as in ``guest.py``. Text is the guest's: untrusted. Sources: ``guest/README.md``.
"""

from __future__ import annotations

from typing import Literal, TypedDict

UnitState = Literal[
    "active", "reloading", "inactive", "failed", "activating", "deactivating", "maintenance", "refreshing"
]
UnitFileState = Literal[
    "enabled", "enabled-runtime", "linked", "linked-runtime", "alias", "masked", "masked-runtime", "static",
    "indirect", "disabled", "generated", "transient", "bad",
]  # fmt: skip
Restart = Literal["no", "always", "on-success", "on-failure", "on-abnormal", "on-abort", "on-watchdog"]
UnitResult = Literal[
    "success", "resources", "protocol", "timeout", "exit-code", "signal", "core-dump", "watchdog", "start-limit",
    "start-limit-hit", "oom-kill", "exec-condition",
]  # fmt: skip


class LinuxAgent(TypedDict):
    """The agent itself. ``unit`` is ``walinuxagent`` or ``waagent``.

    The next are systemd's own words, None without systemd. ``result``: how the service last ended, ``exit_status`` its
    code; ``restarts``: how often systemd restarted it by itself since it was last started. ``job``: what systemd still
    has to do with the unit (``start waiting``, ``start running``, else ``""``), ``job_waits_for`` the units that are
    being started before it.

    ``daemon`` and ``exthandlers``: is such a process running; ``exthandlers`` False under a living daemon = the part
    that runs extensions is dead. ``packaged_version``, ``goal_state_version`` and ``python_version`` are what
    ``waagent --version`` prints, ``running_version`` is the one in the process' command line. ``starts`` False:
    ``waagent --version`` failed, ``start_error`` is its last line. ``package_candidate`` is the newest version in the
    distribution's repository.
    """

    path: str | None
    unit: str | None
    active: UnitState | None
    sub: str | None
    enabled: UnitFileState | None
    restart: Restart | None
    result: UnitResult | None
    exit_status: int | None
    restarts: int | None
    job: str | None
    job_waits_for: list[str] | None
    daemon: bool | None
    exthandlers: bool | None
    packaged_version: str | None
    running_version: str | None
    goal_state_version: str | None
    package: str | None
    package_version: str | None
    package_candidate: str | None
    source: Literal["distro", "github", "pip", "unknown"] | None
    python_version: str | None
    starts: bool | None
    start_error: str | None
    cut: list[str] | None


class LinuxAgentConfig(TypedDict):
    """The configuration in effect. ``via``: ``waagent`` (it printed its own settings), ``file`` (read from
    ``/etc/waagent.conf`` with the agent's defaults for the keys in ``assumed``) or None (neither)."""

    via: Literal["waagent", "file"] | None
    assumed: list[str] | None
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


class LinuxHandlerState(TypedDict):
    """One version of the backup extension on disk. ``state``: ``Enabled``, ``Installed``, ``NotInstalled``, …"""

    version: str
    state: str | None
    status_file: bool | None


class LinuxAgentState(TypedDict):
    """What lies in ``/var/lib/waagent``. ``handlers``: one entry per version directory of the backup extension, oldest
    first, ``state`` is the word in its ``config/HandlerState``."""

    readable: bool | None
    transport_certificate: bool | None
    private_keys: int | None
    handlers: list[LinuxHandlerState] | None
    cut: list[str] | None


class LinuxInterface(TypedDict):
    """One network interface but ``lo``. ``option_245`` is the WireServer's address as the lease gives it, dotted where
    it is four bytes, otherwise as written. ``lease`` is the file it was read from, ``configured_by`` the file that says
    whether DHCP is used. Where the VM has network cards, interfaces of containers and tunnels are left out."""

    name: str
    dhcp: bool | None
    configured_by: str | None
    option_245: str | None
    lease: str | None
    addresses: int | None


class LinuxDhcp(TypedDict):
    """``endpoint`` is the content of ``/var/lib/waagent/WireServerEndpoint``: the address that the agent last found,
    which it writes down only once it has reached it. ``route``: does the kernel know a way to 168.63.129.16."""

    interfaces: list[LinuxInterface] | None
    endpoint: str | None
    route: bool | None
    cut: list[str] | None


class LinuxFolder(TypedDict):
    """A folder: MiB, and how many files it holds."""

    path: str
    size_mb: int | None
    files: int | None


class LinuxFolders(TypedDict):
    """What fills the disk: the agent's events folder, and where a file system is short of room the five folders, of
    those known to grow, that take most of it. What a folder holds counts for those above it as well."""

    folders: list[LinuxFolder] | None


class LinuxMount(TypedDict):
    """A mount and why it cannot be read: ``timeout`` or the error's words."""

    mount: str
    why: str


class LinuxMounts(TypedDict):
    """``agent_dir_mount`` is the mount that holds ``/var/lib/waagent``, links followed. ``frozen``: mounts whose device
    is suspended; ``blocked_writers`` counts threads that wait for a frozen file system to thaw (the kernel does not say
    which). ``mounted_twice`` are devices, ``unreadable`` mounts that the extension would freeze, or that hang."""

    agent_dir_mount: str | None
    agent_dir_noexec: bool | None
    agent_dir_read_only: bool | None
    frozen: list[str] | None
    blocked_writers: int | None
    unreadable: list[LinuxMount] | None
    fstab_duplicates: list[str] | None
    mounted_twice: list[str] | None
    cut: list[str] | None


class LinuxScanners(TypedDict):
    """Programs that every opening of a file has to wait for: they hold permission marks of fanotify, as virus scanners
    do. While the extension has frozen a file system, such a program may wait for it, and all others for the program."""

    programs: list[str] | None
    cut: list[str] | None


class LinuxContainers(TypedDict):
    """``runtimes``: programs that run containers (``dockerd``, ``containerd``, …). ``mounts``: file systems mounted in
    their folders of a kind that the extension freezes."""

    runtimes: list[str] | None
    mounts: list[str] | None
    cut: list[str] | None


class LinuxScriptPlugin(TypedDict):
    """``/etc/azure/VMSnapshotScriptPluginConfig.json``, scripts that the extension runs before and after the snapshot.

    Most VMs have none (``present`` False). ``faults`` are what the extension itself would object to: ``config_mode``,
    ``config_owner``, ``config_json``, and ``pre_missing``, ``pre_mode``, ``pre_owner`` and their ``post_`` twins.
    ``continue_on_failure`` False: a script that fails also fails the backup.
    """

    present: bool | None
    pre_script: str | None
    post_script: str | None
    continue_on_failure: bool | None
    freeze: bool | None
    timeout_s: int | None
    faults: list[str] | None


class LinuxPython(TypedDict):
    """The Python that the backup extension would pick. ``path`` ``""``: it finds none (it ends with exit code 127 or
    3). ``missing``: of ``crypt``, ``distutils``, ``imp`` those it lacks; ``platform_dist``: has ``platform.dist``."""

    path: str | None
    version: str | None
    missing: list[str] | None
    platform_dist: bool | None
    others: list[str] | None


class LinuxOpenssl(TypedDict):
    """``path`` ``""``: there is no openssl. ``fips`` is the kernel's FIPS mode; ``config_ok`` False: openssl refuses
    its configuration, see ``error``."""

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
    values: dict[str, str] | None


class LinuxSelinux(TypedDict):
    """``mode``: ``disabled`` also where there is no SELinux. ``denials`` counts audit lines against the agent, None
    when the audit log may not be read; ``last`` is the newest of them, shortened."""

    mode: Literal["enforcing", "permissive", "disabled"] | None
    denials: int | None
    last: str | None


FACTS_LINUX: dict[str, object] = {
    "guest.agent": LinuxAgent,
    "guest.agent_config": LinuxAgentConfig,
    "guest.agent_state": LinuxAgentState,
    "guest.dhcp": LinuxDhcp,
    "guest.folders": LinuxFolders,
    "guest.mounts": LinuxMounts,
    "guest.scanners": LinuxScanners,
    "guest.containers": LinuxContainers,
    "guest.script_plugin": LinuxScriptPlugin,
    "guest.python": LinuxPython,
    "guest.openssl": LinuxOpenssl,
    "guest.vmbackup_conf": LinuxVmbackupConf,
    "guest.selinux": LinuxSelinux,
}
