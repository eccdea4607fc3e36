"""What the probe must find out, as root, in each machine of ``machines.py``."""

from __future__ import annotations

from typing import Any

from vmbackup.guest.document import GuestDocument

# What root finds out in each machine, as "section.key" of the document.
EXPECTED: dict[str, dict[str, Any]] = {
    "healthy": {
        "agent.unit": "walinuxagent", "agent.active": "active", "agent.sub": "running", "agent.enabled": "enabled",
        "agent.restart": "always", "agent.result": "success", "agent.exit_status": 0, "agent.restarts": 0,
        "agent.job": "", "agent.job_waits_for": [], "agent.daemon": True, "agent.exthandlers": True,
        "agent.starts": True,
        "agent.packaged_version": "2.7.3.0", "agent.running_version": "2.7.3.0", "agent.package": "waagent",
        "agent.goal_state_version": "2.7.3.0", "agent.package_version": "2.7.3.0-4.1", "agent.source": "distro",
        "agent.package_candidate": "2.7.3.0-4.1", "agent.python_version": "3.11.2",
        "agent_config.via": "waagent", "agent_config.extensions_enabled": True, "agent_config.logs_verbose": False,
        "agent_state.transport_certificate": True, "agent_state.private_keys": 1,
        "agent_state.handlers": [{"version": "1.0.9220.0", "state": "Enabled", "status_file": True}],
        "network.wireserver_80": "ok", "network.wireserver_32526": "ok", "network.wireserver_http": "ok",
        "network.imds": "ok", "network.storage_443": "ok", "network.dns": "ok", "network.proxies": [],
        "extension.newest": "1.0.9220.0", "extension.code": 1, "extension.message": "Enable Succeeded",
        "extension.operation": "Enable", "extension.seq": 7, "extension.status": "success",
        "extension.at": "2026-11-22T23:10:00Z",
        "logs.since": {"waagent.log": "2026-11-01T01:00:00Z", "extension.log": "2026-11-01T01:00:00Z"},
        "dhcp.interfaces": [{"name": "eth0", "dhcp": True, "configured_by": "", "option_245": "168.63.129.16",
                             "lease": "/run/systemd/netif/leases/2", "addresses": 1}],
        "dhcp.endpoint": "168.63.129.16", "dhcp.route": True,
        "mounts.agent_dir_noexec": False, "mounts.agent_dir_read_only": False,
        "mounts.unreadable": [], "mounts.blocked_writers": 0, "mounts.cut": [], "extension.cut": [],
        "scanners.programs": [], "containers.runtimes": [], "containers.mounts": [],
        "script_plugin.present": False, "script_plugin.faults": [], "log_lines.cut": [],
        "python.path": "/usr/bin/python3", "python.missing": [], "python.platform_dist": False,
        "openssl.config_ok": True, "openssl.fips": False, "vmbackup_conf.values": {"fsfreeze": "True"},
        "selinux.mode": "disabled",
    },
    "agent_stopped": {
        "agent.active": "inactive", "agent.daemon": False, "agent.exthandlers": False, "agent.starts": True,
        "agent.running_version": None, "agent.goal_state_version": "2.7.3.0",
    },
    "agent_broken": {
        "agent.starts": False, "agent.start_error": "ModuleNotFoundError: No module named 'azurelinuxagent'",
        "agent.daemon": False, "agent_config.via": "file", "agent_config.extensions_enabled": True,
    },
    "agent_from_github": {
        "agent.source": "github", "agent.unit": "waagent", "agent.package": "", "agent.starts": True,
    },
    "agent_missing": {
        "agent.path": "", "agent.unit": "", "agent.package": "", "agent.starts": None, "agent_config.via": None,
        "agent_config.extensions_enabled": None, "extension.versions": [], "agent_state.readable": False,
    },
    "extensions_disabled": {
        "agent_config.extensions_enabled": False, "agent_config.via": "waagent", "agent.daemon": True,
    },
    "old_configuration": {
        "agent_config.via": "file", "agent_config.logs_verbose": True, "agent_config.proxy_port": "3128",
        "agent_config.proxy_host": "http://***@proxy.example", "agent_config.provisioning_agent": "auto",
        "agent_config.auto_update_to_latest": None,
        "agent_config.assumed": [
            "Extensions.Enabled", "AutoUpdate.Enabled", "Provisioning.Agent", "OS.EnableFIPS",
            "Extensions.GoalStatePeriod",
        ],
    },
    "windows_line_ends": {
        "agent_config.via": "file", "agent_config.extensions_enabled": False, "agent_config.logs_verbose": True,
        "agent_config.proxy_host": None, "agent_config.enable_firewall": True, "agent_config.goal_state_period_s": 600,
        "network.proxies": [],
    },
    "read_only": {
        "mounts.agent_dir_mount": "/var/lib/waagent", "mounts.agent_dir_noexec": False,
        "mounts.agent_dir_read_only": True,
    },
    "linked_noexec": {
        "mounts.agent_dir_mount": "/data", "mounts.agent_dir_noexec": True, "mounts.agent_dir_read_only": False,
        "extension.newest": "1.0.9220.0",
    },
    "noexec": {
        "mounts.agent_dir_mount": "/var/lib/waagent", "mounts.agent_dir_noexec": True,
        "mounts.agent_dir_read_only": False,
        "logs.patterns": {"noexec": {"count": 1, "last": "2026-11-22T23:33:02Z"}},
    },
    "disk_full": {
        "disk.filesystems": [
            {"mount": "/var/lib/waagent", "size_mb": 2, "free_mb": 0, "free_inodes_pct": 0.0},
        ],
    },
    "frozen": {"mounts.blocked_writers": 2, "mounts.frozen": [], "mounts.unreadable": [], "agent.daemon": True},
    "scanned": {
        "scanners.programs": ["scannerd"], "containers.runtimes": ["dockerd"],
        "containers.mounts": ["/var/lib/docker/ext4"],
    },
    "start_waits": {
        "agent.active": "inactive", "agent.job": "start waiting",
        "agent.job_waits_for": ["systemd-networkd-wait-online.service"], "agent.daemon": False,
    },
    "gives_up": {
        "agent.active": "failed", "agent.result": "exit-code", "agent.exit_status": 1, "agent.restarts": 5,
        "agent.daemon": False,
    },
    "scripts_refused": {
        "script_plugin.present": True, "script_plugin.pre_script": "/opt/pre.sh",
        "script_plugin.continue_on_failure": False, "script_plugin.freeze": True, "script_plugin.timeout_s": 10,
        "script_plugin.faults": ["config_mode", "pre_missing", "post_mode"],
    },
    "fixed_address": {
        "dhcp.interfaces": [{"name": "eth0", "dhcp": False, "configured_by": "/etc/netplan/50-fixed.yaml",
                             "option_245": "", "lease": "", "addresses": 1}],
    },
    "unknown_lines": {
        "folders.folders": [{"path": "/var/lib/waagent/events", "size_mb": 0, "files": 3}],
        "logs.since": {"waagent.log": "2026-11-20T01:00:00Z", "extension.log": "2026-11-01T01:00:00Z"},
        "log_lines.lines": [
            {"log": "waagent.log", "at": "2026-11-22T04:00:00Z", "text": "OddError: nothing is as it was"},
            {"log": "waagent.log", "at": "2026-11-22T04:00:00Z", "text": "WARNING PUT https://a.example/b?***"
             " failed, AccountKey=*** \"password\": \"***\""},
            {"log": "waagent.log", "at": "2026-11-22T03:00:00Z",
             "text": "ERROR ExtHandler ExtHandler Nobody knows number 2 of this"},
        ],
    },
    "no_network": {
        "network.wireserver_80": "no_route", "network.wireserver_32526": "no_route", "network.imds": "no_route",
        "network.wireserver_http": "no_route", "network.dns": "dns", "dhcp.route": False, "clock.skew_s": None,
        "agent.daemon": True, "agent.exthandlers": False,
    },
    "clock_skew": {"network.wireserver_http": "ok"},
    "freeze_failed": {
        "extension.code": 121, "extension.status": "success",
        "extension.message": "T:S Enable failed with error: freeze failed for some mount"
        "StatusCode.FailedRetryableFsFreezeFailed,",
    },
    "python_missing": {"python.path": "", "python.missing": None, "agent.starts": False, "agent_config.via": "file"},
    "python_crashes": {"agent.starts": False, "python.path": "/usr/bin/python3", "python.missing": None},
    "snapshot_no_network": {
        "extension.code": 76, "network.wireserver_80": "ok", "network.storage_443": "dns", "network.dns": "dns",
        "extension.message": "T:S Enable failed with FailedRetryableSnapshotFailedNoNetwork errorStatusCode."
        "FailedRetryableSnapshotFailedNoNetwork, https://md-1.z1.blob.storage.azure.net/a/b?***",
    },
    "openssl_broken": {
        "openssl.config_ok": False,
        "openssl.error": 'req: Error on line 4 of config file "/usr/lib/ssl/openssl.cnf"',
    },
    "wrong_endpoint": {
        "dhcp.endpoint": "172.31.9.4,10.224.128.4",
        "dhcp.interfaces": [{"name": "eth0", "dhcp": True, "configured_by": "", "addresses": 1,
                             "option_245": "172.31.9.4,10.224.128.4",
                             "lease": "/var/lib/dhclient/dhclient-1234-eth0.lease"}],
    },
    "busybox_only": {
        "network.wireserver_80": "ok", "network.wireserver_32526": "ok", "network.wireserver_http": "ok",
        "network.storage_443": "ok", "extension.code": 1,
    },
    "no_tools": {"extension.code": 1, "agent.starts": True},
    "left_over_state": {
        "logs.patterns": {
            "downgrade": {"count": 1, "last": "2026-11-22T23:31:57Z"},
            "handler_status_failed": {"count": 1, "last": "2026-11-22T23:31:57Z"},
        },
        "extension.versions": ["1.0.9120.0", "1.0.9220.0"],
    },
    "newer_curl": {"network.wireserver_80": "ok", "network.wireserver_32526": "ok", "network.imds": "ok"},
    "platform_python": {"python.path": "/usr/libexec/platform-python", "python.missing": [], "agent.daemon": True},
    "proxies": {
        "network.proxies": [
            {"where": "unit walinuxagent http_proxy", "value": "http://***@p.example:3128"},
            {"where": "/etc/environment https_proxy", "value": "http://***@p.example:8080"},
        ],
    },
    "large": {"agent.daemon": False, "network.wireserver_80": "ok"},
    "stuck": {"agent.starts": None, "agent.active": None, "agent.source": "unknown", "network.wireserver_80": None},
    "hostile": {
        "dhcp.endpoint": '"; touch /owned; \\ ?',
        "vmbackup_conf.values": {
            "mountstoskip": '/a"b\\c,$(touch /owned)`touch /owned`', "safefreezewaitinseconds": "90",
        },
        "mounts.fstab_duplicates": ['/data"$(touch${IFS}/owned)'],
        "logs.patterns": {"no_route_to_host": {"count": 3000, "last": "2026-11-23T01:00:00Z"}},
    },
    **{f"unroutable_{tool}": {"network.wireserver_80": "no_route", "network.wireserver_32526": "no_route",
                              "network.wireserver_http": "no_route", "network.storage_443": "dns",
                              "network.imds": "no_route"} for tool in ("nc", "bash", "python")},
    **{f"blocked_{tool}": {"network.wireserver_80": "refused", "network.wireserver_32526": "timeout",
                           "network.wireserver_http": "refused", "network.storage_443": "timeout",
                           "network.imds": "ok"} for tool in ("curl", "nc", "bash", "python")},
}  # fmt: skip


# File systems, and what they hold, are also those of the machine that runs the tests.
_AMONG_OTHERS = ("disk.filesystems", "folders.folders")


def fact(document: GuestDocument, path: str) -> Any:
    """The value at ``section.key``."""
    section, key = path.split(".", 1)
    return document.facts[section][key]


def differences(document: GuestDocument, name: str) -> dict[str, tuple[Any, Any]]:
    """Where the document differs from what is expected in this machine: path -> (expected, found)."""
    found = {path: (value, fact(document, path)) for path, value in EXPECTED[name].items()}
    return {
        path: (want, got)
        for path, (want, got) in found.items()
        if (any(entry not in got for entry in want) if path in _AMONG_OTHERS else got != want)
    }
