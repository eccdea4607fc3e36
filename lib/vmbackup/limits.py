"""Every number a check compares with, and where it comes from (keys of ``data/sources.yaml``). Pure."""

from __future__ import annotations

WINDOWS_AGENT_MINIMUM = "2.7.41491.1010"  # MINVER, VMA
LINUX_AGENT_MINIMUM = "2.2.53.1"  # MINVER
LINUX_AGENT_UPDATES_ITSELF_FROM = "2.1.7"  # MINVER: an older agent cannot update itself
DOTNET_4_5_RELEASE = 378389  # T1 asks for .NET 4.5; the number is the registry's Release of it (DOTNET)

# Ours: a living agent reports every few minutes; Azure gives no number for "too old".
HEARTBEAT_STALE_S = 15 * 60
# Ours: clocks differ a little; a report from further ahead than this says nothing.
HEARTBEAT_AHEAD_S = 5 * 60

CPU_BUSY_PCT = 90.0  # SEED, T2
MEMORY_LEFT_PCT = 10.0  # T2 2023: "high memory or CPU usage, more than 90 percent"; SEED has no number for memory
VMS_AT_THE_SAME_TIME = 40  # PLAN 2017; its later editions only ask to spread start times

DISK_LARGEST_GB = 32 * 1024  # SM
DISKS_TOGETHER_GB = 256 * 1024  # SM
ENCRYPTED_DISK_LARGEST_GB = 4 * 1024  # T1: Azure Disk Encryption
DATA_DISKS_MOST = 32  # SM
UNMANAGED_DATA_DISKS_MOST = 16  # SM
ARTICLE_DISK_LARGEST_GB = 1023  # SEED, superseded

ARTICLE_VMSNAPSHOT_LINUX = "1.0.91.0"  # SEED: "the latest version", superseded
