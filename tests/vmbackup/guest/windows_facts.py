"""What the Windows guest script is meant to print: a healthy guest, and what differs in sick ones."""

from __future__ import annotations

from typing import Any


def service(state: str = "Running", start: str = "Automatic", exists: bool = True, **more: object) -> dict[str, object]:
    if not exists:
        return {"exists": False, "state": None, "start": None, "path_ok": None, "account": None}
    return {"exists": True, "state": state, "start": start, "path_ok": True, "account": None, **more}


WRITERS = ["System Writer", "Registry Writer", "COM+ REGDB Writer", "WMI Writer", "Shadow Copy Optimization Writer"]
WRITERS += [
    "ASR Writer",
    "Task Scheduler Writer",
    "VSS Metadata Store Writer",
    "Performance Counters Writer",
    "BITS Writer",
]
WRITERS += ["MSSearch Service Writer", "IIS Config Writer", "IIS Metabase Writer", "SqlServerWriter", "DFS Replication"]
HEALTHY: dict[str, Any] = {
    "services": {
        "RdAgent": service(),
        "WindowsAzureGuestAgent": service(),
        "Winmgmt": service(),
        "KeyIso": service(start="Manual"),
        "IaaSVmProvider": service("Stopped", "Manual"),
        "VSS": service("Stopped", "Manual"),
        "COMSysApp": service(start="Manual", account="LocalSystem"),
        "MSDTC": service(account="NT AUTHORITY\\NetworkService"),
        "SQLWriter": service(),
    },
    "windows_agent": {
        "msi_installed": True,
        "msi_version": "2.7.41491.1243",
        "version": "2.7.41491.1243",
        "status": "Succeeded",
        "wireserver_status": "Succeeded",
        "dhcp_status": "Succeeded",
        "fabric_address_time": "11/22/2026 03:00:00",
        "dotnet_present": "True",
        "started_at": "11/22/2026 03:00:01",
        "heartbeat_at": "11/23/2026 02:59:40",
        "heartbeat_age_s": 20.2,
        "processes": ["WaAppAgent", "WindowsAzureGuestAgent"],
        "wcf_debugging": False,
    },
    "network": {
        "wireserver_80": "ok",
        "wireserver_32526": "ok",
        "wireserver_http": "ok",
        "imds": "ok",
        "storage_443": "ok",
        "dns": "ok",
        "proxies": [],
        "cut": [],
    },
    "extension": {
        "name": "Microsoft.Azure.RecoveryServices.VMSnapshot",
        "versions": ["1.0.91.0", "1.0.92.0"],
        "newest": "1.0.92.0",
        "status": "success",
        "code": 1,
        "message": "Success",
        "operation": "Enable",
        "seq": 41,
        "at": "2026-11-22T22:04:10Z",
        "cut": [],
    },
    "vss": {
        "writers": [{"name": name, "code": 1, "state": "Stable", "error": "No error"} for name in WRITERS],
        "timed_out": False,
    },
    "dotnet": {"release": 528049},
    "disk": {
        "filesystems": [{"mount": "C:", "size_mb": 129421, "free_mb": 88000, "free_inodes_pct": None}],
        "cut": [],
    },
    "sql": {
        "services": [{"name": "MSSQLSERVER", "state": "Running"}, {"name": "SQLWriter", "state": "Running"}],
        "use_vss_copy_backup": False,
        "bcdr_agent": {"IsProviderInstalled": "True"},
        "bcdr_agent_persistent": {},
        "cut": [],
    },
    "clock": {"skew_s": 0.31, "synchronized": None},
    "crashes": {"days": 7, "events": [], "cut": []},
    "application_control": {"blocked": [], "antivirus": ["Microsoft Defender"], "cut": []},
    "logs": {"patterns": {}, "since": {"WaAppAgent.log": "2026-11-20T00:00:00Z", "TransparentInstaller.log": None}},
    "log_lines": {
        "lines": [{"log": "WaAppAgent.log", "at": "2026-11-22T03:00:00Z", "text": "[WARN] nobody knows this"}],
        "cut": [],
    },
    "windows_dhcp": {"nics": [{"name": "Ethernet", "primary": True, "dhcp": True, "addresses": 1}]},
    "tls": {"strong_crypto": {"v4.0.30319": 1, "Wow6432Node v4.0.30319": None}, "tls12_client": "default"},
    "vc_redistributable": {"versions": ["12.0.40660"], "msiserver_start": 3},
    "machine_keys": {"acl_ok": True, "missing": []},
    "extension_state": {
        "handlers": [
            {"name": "Microsoft.Azure.RecoveryServices.VMSnapshot_1.0.92.0", "state": "Enabled", "folder": True}
        ],
        "cut": [],
    },
    "windows_certificates": {"tenant_present": True, "tenant_valid": True, "tenant_expires": "2027-11-22T03:00:00Z"},
}
SICK: dict[str, tuple[str, dict[str, Any]]] = {
    "agent service stopped": ("services", {"WindowsAzureGuestAgent": service("Stopped")}),
    "agent not installed": (
        "services",
        {"RdAgent": service(exists=False), "WindowsAzureGuestAgent": service(exists=False)},
    ),
    "agent service disabled": ("services", {"RdAgent": service("Stopped", "Disabled")}),
    "provider never installed": ("services", {"IaaSVmProvider": service(exists=False)}),
    ".NET too old": ("dotnet", {"release": 0}),
    "VSS writer failed": (
        "vss",
        {
            "writers": [{"name": "SqlServerWriter", "code": 8, "state": "Fehlgeschlagen", "error": "Timeout"}],
            "timed_out": False,
        },
    ),
    "VSS hangs": ("vss", {"writers": None, "timed_out": True}),
    "wire server blocked": ("network", {"wireserver_80": "ok", "wireserver_32526": "timeout"}),
    "disk full": (
        "disk",
        {"filesystems": [{"mount": "C:", "size_mb": 129421, "free_mb": 12, "free_inodes_pct": None}]},
    ),
    "copy backups for SQL": ("sql", {"use_vss_copy_backup": True, "bcdr_agent": {"USEVSSCOPYBACKUP": "TRUE"}}),
    "rights changed": ("machine_keys", {"acl_ok": False, "missing": ["Everyone: Read, Write"]}),
    "blocked by AppLocker": (
        "application_control",
        {
            "blocked": [
                {
                    "source": "Microsoft-Windows-AppLocker/EXE and DLL",
                    "event_id": 8004,
                    "program": "IaaSBcdrExtension",
                    "count": 12,
                    "last": "2026-11-23T01:00:02Z",
                }
            ],
            "antivirus": [],
        },
    ),
    "agent crashes": (
        "crashes",
        {
            "days": 7,
            "events": [
                {
                    "kind": "dotnet",
                    "name": "WindowsAzureGuestAgent.exe",
                    "count": 40,
                    "last": "2026-02-19T10:00:00Z",
                    "detail": "System.DllNotFoundException",
                }
            ],
        },
    ),
}
