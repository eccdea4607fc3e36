"""Cause: the disk configuration is not supported.

The article's limit of 1,023 GB is superseded, and so are several since: what holds today, and where sources disagree,
stands in ``knowledge.yaml``. Disks that selective disk backup leaves out do not count.
"""

from __future__ import annotations

from typing import Any

from vmbackup.catalog.knowledge import knowledge, number
from vmbackup.checks.base import Judgement, check, ok, problem, unknown
from vmbackup.facts.backup import Policy, ProtectedItem, Vault
from vmbackup.facts.vm import Disk

_ENHANCED_ONLY = {"ultrassd_lrs": "Ultra Disk", "premiumv2_lrs": "Premium SSD v2"}
_GEO = ("georedundant", "readaccessgeozoneredundant")
# Azure names the sizes and the number of disks by one code.
_SIZES = ("disk_configuration",)
_NO_SECURITY = ("", "standard", "none")


@check("vm.disks", optional=("backup.item",), knows=("disk_largest_gb",), sees=_SIZES)
def disks_are_small_enough(disks: list[Disk] | None, item: ProtectedItem | None) -> Judgement:
    """No disk is larger than Azure Backup supports today."""
    counted = _counted(disks, item)
    if not counted:
        return unknown("no_disks")
    limit = knowledge()["disk_largest_gb"]
    largest = max(counted, key=lambda disk: disk["size_gb"] or 0)
    size, shown = largest["size_gb"] or 0, {"disk": largest["name"], "size_gb": largest["size_gb"]}
    exceeded = limit.exceeded_by(size)
    if exceeded:
        return _if_backed_up(largest, item, problem(limit_gb=limit.value, **shown))
    if exceeded is None and limit.disputed:
        return unknown("disputed", limit_gb=limit.value, other_gb=limit.disputed.value, **shown)
    sizeless = next((disk for disk in counted if disk["size_gb"] is None), None)
    if sizeless is not None:
        return unknown(disk=sizeless["name"])
    article_gb = number("article_disk_largest_gb")
    return ok("above_the_article", article_gb=article_gb, **shown) if size > article_gb else ok(**shown)


@check("vm.disks", optional=("backup.item",), knows=("disks_together_gb",), sees=_SIZES)
def disks_together_are_small_enough(disks: list[Disk] | None, item: ProtectedItem | None) -> Judgement:
    """All disks together are not larger than Azure Backup supports per VM."""
    counted = _counted(disks, item)
    if not counted:
        return unknown("no_disks")
    total, limit = sum(disk["size_gb"] or 0 for disk in counted), number("disks_together_gb")
    if total > limit:
        shown = {"total_gb": total, "limit_gb": limit}
        sure = all(_surely_counts(disk, item) for disk in counted)
        return problem(**shown) if sure else unknown("maybe_excluded", **shown)
    sizeless = next((disk for disk in counted if disk["size_gb"] is None), None)
    return unknown(disk=sizeless["name"]) if sizeless is not None else ok(total_gb=total)


@check("vm.disks", optional=("backup.item",), knows=("encrypted_disk_largest_gb",), sees=_SIZES)
def encrypted_disks_are_small_enough(disks: list[Disk] | None, item: ProtectedItem | None) -> Judgement:
    """No disk encrypted in the guest (Azure Disk Encryption) is larger than Azure Backup supports."""
    counted, limit = _counted(disks, item), number("encrypted_disk_largest_gb")
    if not counted:
        return unknown("no_disks")
    large = [disk for disk in counted if disk["size_gb"] is None or disk["size_gb"] > limit]
    for disk in large:
        if disk["encryption"] == "ade" and disk["size_gb"] is not None:
            shown = {"disk": disk["name"], "size_gb": disk["size_gb"], "limit_gb": limit}
            return _if_backed_up(disk, item, problem(**shown))
    for disk in large:
        if disk["encryption"] != "none":
            return unknown(disk=disk["name"])
    return ok()


@check("vm.disks", knows=("data_disks_most",), sees=_SIZES)
def disk_count_is_supported(disks: list[Disk] | None) -> Judgement:
    """The VM has not more data disks than Azure Backup supports."""
    data = [disk for disk in disks or [] if disk["role"] != "os"]
    if not disks:
        return unknown("no_disks")
    limit = number("data_disks_most")
    return problem(count=len(data), limit=limit) if len(data) > limit else ok(count=len(data))


@check(
    "vm.disks",
    optional=("backup.item", "backup.policy", "backup.vault"),
    knows=(
        "shared_disks_unsupported",
        "enhanced_only_disks",
        "entra_data_access_unsupported",
        "secured_data_disks_unsupported",
    ),
    sees=("shared_disk", *_SIZES),
)
def disk_kinds_are_supported(
    disks: list[Disk] | None, item: ProtectedItem | None, policy: Policy | None, vault: Vault | None
) -> Judgement:
    """Azure Backup supports the kind of every disk under this policy."""
    counted = _counted(disks, item)
    if not counted:
        return unknown("no_disks")
    judged = [judgement for disk in counted if (judgement := _kind(disk, item, policy, vault)) is not None]
    worst = next((each for verdict in ("problem", "unknown") for each in judged if each.verdict == verdict), None)
    if worst is not None:
        return worst
    return ok("write_accelerator") if any(disk["write_accelerator"] for disk in counted) else ok()


def _kind(disk: Disk, item: ProtectedItem | None, policy: Policy | None, vault: Vault | None) -> Judgement | None:
    """What speaks against the kind of one disk; None where nothing does."""
    shown: dict[str, Any] = {"disk": disk["name"]}
    if disk["shared"]:
        return _if_backed_up(disk, item, problem("shared", **shown), kind="shared")
    if (disk["data_access_auth"] or "").lower() == "azureactivedirectory":
        return _if_backed_up(disk, item, problem("entra_data_access", **shown), kind="Entra")
    security = disk["security_type"] or ""
    if disk["role"] != "os" and security.lower() not in _NO_SECURITY:
        return _if_backed_up(disk, item, problem("secured_data_disk", kind=security, **shown), kind=security)
    enhanced_only = _enhanced_only(disk, item, policy, vault)
    if enhanced_only is not None:
        return enhanced_only
    if disk["managed"] and not disk["ephemeral"] and (disk["shared"] is None or disk["sku"] is None):
        return unknown(**shown)
    if disk["ephemeral"]:
        return unknown("ephemeral", **shown)
    private = (disk["network_access"] or "").lower() == "denyall"
    return unknown("no_network_access", **shown) if private else None


def _enhanced_only(
    disk: Disk, item: ProtectedItem | None, policy: Policy | None, vault: Vault | None
) -> Judgement | None:
    kind = _ENHANCED_ONLY.get((disk["sku"] or "").lower())
    if kind is None:
        return None
    shown: dict[str, Any] = {"disk": disk["name"], "kind": kind}
    policy_type = ((policy["type"] if policy else None) or "").upper()
    if policy is not None and policy_type == "V1":
        return _if_backed_up(disk, item, problem("needs_enhanced_policy", policy=policy["name"], **shown), kind=kind)
    if policy_type != "V2":
        return unknown("policy_unknown", **shown)
    if vault is None or (vault["redundancy"] or "").lower() in ("", *_GEO):
        return unknown("geo_redundant_vault", **shown)
    return None


@check("vm.disks", knows=("unmanaged_disks_retired",))
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


def _if_backed_up(disk: Disk, item: ProtectedItem | None, fault: Judgement, **shown: Any) -> Judgement:
    """The fault counts only where the disk surely is part of the backup."""
    return fault if _surely_counts(disk, item) else unknown("maybe_excluded", **{**fault.values, **shown})


def _surely_counts(disk: Disk, item: ProtectedItem | None) -> bool:
    """A data disk may be left out of the backup; only the vault's item tells. The system disk always counts."""
    if disk["lun"] is None:
        return True
    return item is not None and (item["disk_luns"] is None or item["disk_luns_included"] is not None)
