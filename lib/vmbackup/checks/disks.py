"""Cause: the disk configuration is not supported.

The article's limit of 1,023 GB is superseded: today a disk may have 32 TB and all disks of a VM 256 TB together. Disks
that selective disk backup leaves out do not count. Source: SM, T1.
"""

from __future__ import annotations

from vmbackup.checks.base import Judgement, check, ok, problem, unknown
from vmbackup.facts.azure import Disk, Policy, ProtectedItem
from vmbackup.limits import (
    ARTICLE_DISK_LARGEST_GB,
    DATA_DISKS_MOST,
    DISK_LARGEST_GB,
    DISKS_TOGETHER_GB,
    ENCRYPTED_DISK_LARGEST_GB,
    UNMANAGED_DATA_DISKS_MOST,
)

_ENHANCED_ONLY = {"ultrassd_lrs": "Ultra Disk", "premiumv2_lrs": "Premium SSD v2"}


@check("vm.disks", optional=("backup.item",))
def disks_are_small_enough(disks: list[Disk] | None, item: ProtectedItem | None) -> Judgement:
    """No disk is larger than the 32 TB that Azure Backup supports today."""
    counted = _counted(disks, item)
    if not counted:
        return unknown("no_disks")
    for disk in counted:
        if (disk["size_gb"] or 0) > DISK_LARGEST_GB:
            shown = {"disk": disk["name"], "size_gb": disk["size_gb"], "limit_gb": DISK_LARGEST_GB}
            return problem("problem", **shown) if _surely_counts(disk, item) else unknown("maybe_excluded", **shown)
    sizeless = next((disk for disk in counted if disk["size_gb"] is None), None)
    if sizeless is not None:
        return unknown(disk=sizeless["name"])
    largest = max(counted, key=lambda disk: disk["size_gb"] or 0)
    if (largest["size_gb"] or 0) > ARTICLE_DISK_LARGEST_GB:
        return ok(
            "above_the_article", disk=largest["name"], size_gb=largest["size_gb"], article_gb=ARTICLE_DISK_LARGEST_GB
        )
    return ok(disk=largest["name"], size_gb=largest["size_gb"])


@check("vm.disks", optional=("backup.item",))
def disks_together_are_small_enough(disks: list[Disk] | None, item: ProtectedItem | None) -> Judgement:
    """All disks together are not larger than the 256 TB that Azure Backup supports per VM."""
    counted = _counted(disks, item)
    if not counted:
        return unknown("no_disks")
    total = sum(disk["size_gb"] or 0 for disk in counted)
    sizeless = next((disk for disk in counted if disk["size_gb"] is None), None)
    if total > DISKS_TOGETHER_GB:
        shown = {"total_gb": total, "limit_gb": DISKS_TOGETHER_GB}
        sure = all(_surely_counts(disk, item) for disk in counted)
        return problem("problem", **shown) if sure else unknown("maybe_excluded", **shown)
    return unknown(disk=sizeless["name"]) if sizeless is not None else ok(total_gb=total)


@check("vm.disks", optional=("backup.item",))
def encrypted_disks_are_small_enough(disks: list[Disk] | None, item: ProtectedItem | None) -> Judgement:
    """No disk encrypted in the guest (Azure Disk Encryption) is larger than 4 TB."""
    counted = _counted(disks, item)
    if not counted:
        return unknown("no_disks")
    large = [disk for disk in counted if disk["size_gb"] is None or disk["size_gb"] > ENCRYPTED_DISK_LARGEST_GB]
    for disk in large:
        if disk["encryption"] == "ade" and disk["size_gb"] is not None:
            shown = {"disk": disk["name"], "size_gb": disk["size_gb"], "limit_gb": ENCRYPTED_DISK_LARGEST_GB}
            return problem("problem", **shown) if _surely_counts(disk, item) else unknown("maybe_excluded", **shown)
    for disk in large:
        if disk["encryption"] != "none":
            return unknown(disk=disk["name"])
    return ok()


@check("vm.disks")
def disk_count_is_supported(disks: list[Disk] | None) -> Judgement:
    """The VM has not more data disks than Azure Backup supports."""
    data = [disk for disk in disks or [] if disk["role"] != "os"]
    if not disks:
        return unknown("no_disks")
    limit = DATA_DISKS_MOST if all(disk["managed"] for disk in disks) else UNMANAGED_DATA_DISKS_MOST
    return problem(count=len(data), limit=limit) if len(data) > limit else ok(count=len(data))


@check("vm.disks", optional=("backup.item", "backup.policy"))
def disk_kinds_are_supported(disks: list[Disk] | None, item: ProtectedItem | None, policy: Policy | None) -> Judgement:
    """No disk is shared or ephemeral, and Ultra and Premium SSD v2 disks are under an Enhanced policy."""
    counted = _counted(disks, item)
    if not counted:
        return unknown("no_disks")
    judged = [_kind(disk, policy) for disk in counted]
    for disk, (fault, kind) in zip(counted, judged, strict=True):
        if fault in ("", "policy_unknown", "unknown"):
            continue
        if not _surely_counts(disk, item):
            return unknown("maybe_excluded", disk=disk["name"], kind=kind)
        if fault == "needs_enhanced_policy":
            return problem(
                "needs_enhanced_policy", disk=disk["name"], kind=kind, policy=policy["name"] if policy else "-"
            )
        return problem("shared" if fault == "shared" else "ephemeral", disk=disk["name"])
    for disk, (fault, kind) in zip(counted, judged, strict=True):
        if fault == "policy_unknown":
            return unknown("policy_unknown", disk=disk["name"], kind=kind)
        if fault == "unknown":
            return unknown(disk=disk["name"])
    return ok("write_accelerator") if any(disk["write_accelerator"] for disk in counted) else ok()


def _kind(disk: Disk, policy: Policy | None) -> tuple[str, str]:
    """The fault of one disk's kind (empty: none) and the kind's name."""
    if disk["shared"]:
        return "shared", "shared"
    if disk["ephemeral"]:
        return "ephemeral", "ephemeral"
    kind = _ENHANCED_ONLY.get((disk["sku"] or "").lower())
    if kind is None:
        managed_but_untold = disk["managed"] and (disk["shared"] is None or disk["sku"] is None)
        return ("unknown" if managed_but_untold else ""), disk["sku"] or "-"
    fault = {"V1": "needs_enhanced_policy", "V2": ""}
    return fault.get(((policy["type"] if policy else None) or "").upper(), "policy_unknown"), kind


@check("vm.disks")
def disks_are_managed(disks: list[Disk] | None) -> Judgement:
    """All disks are managed disks: Azure retired unmanaged ones on 31 March 2026."""
    if not disks:
        return unknown("no_disks")
    unmanaged = next((disk for disk in disks if not disk["managed"] and not disk["ephemeral"]), None)
    return problem(disk=unmanaged["name"]) if unmanaged is not None else ok(count=len(disks))


def _counted(disks: list[Disk] | None, item: ProtectedItem | None) -> list[Disk]:
    return [disk for disk in disks or [] if not disk["excluded_by"] and not _left_out(disk, item)]


def _left_out(disk: Disk, item: ProtectedItem | None) -> bool:
    if disk["lun"] is None or item is None or item["disk_luns"] is None or item["disk_luns_included"] is None:
        return False
    listed = disk["lun"] in item["disk_luns"]
    return not listed if item["disk_luns_included"] else listed


def _surely_counts(disk: Disk, item: ProtectedItem | None) -> bool:
    """A data disk may be left out of the backup; only the vault's item tells. The system disk always counts."""
    if disk["lun"] is None:
        return True
    return item is not None and (item["disk_luns"] is None or item["disk_luns_included"] is not None)
