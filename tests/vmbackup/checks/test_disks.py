"""The disk configuration is not supported: today's limits, not the article's."""

from __future__ import annotations

from typing import Any

import pytest

from judging import ABSENT, DENIED, disk, item, judge, outcome, policy

TB = 1024
DATA = "data"
LOCAL = {"redundancy": "LocallyRedundant", "cross_region_restore": False, "same_subscription": True}


@pytest.mark.parametrize(
    ("disks", "vault_item", "expected"),
    [
        ([disk(size_gb=1023)], item(), ("ok", "ok")),
        ([disk(), disk(DATA, size_gb=1500)], item(), ("ok", "above_the_article")),
        ([disk(), disk(DATA, size_gb=32 * TB)], item(), ("ok", "above_the_article")),
        ([disk(), disk(DATA, size_gb=33 * TB)], item(), ("unknown", "disputed")),
        ([disk(), disk(DATA, size_gb=64 * TB)], item(), ("unknown", "disputed")),
        ([disk(), disk(DATA, size_gb=65 * TB)], item(), ("problem", "problem")),
        ([disk(size_gb=65 * TB)], DENIED, ("problem", "problem")),
        ([disk(), disk(DATA, size_gb=65 * TB)], DENIED, ("unknown", "maybe_excluded")),
        ([disk(), disk(DATA, size_gb=65 * TB)], item(disk_luns=[0], disk_luns_included=False), ("ok", "ok")),
        ([disk(), disk(DATA, size_gb=65 * TB)], item(disk_luns=[], disk_luns_included=True), ("ok", "ok")),
        ([disk(), disk(DATA, size_gb=65 * TB)], item(disk_luns=[0], disk_luns_included=True), ("problem", "problem")),
        ([disk(), disk(DATA, size_gb=65 * TB)], item(disk_luns=[0]), ("unknown", "maybe_excluded")),
        ([disk(), disk(DATA, size_gb=65 * TB, excluded_by="policy")], item(), ("ok", "ok")),
        ([disk(), disk(DATA, size_gb=None)], item(), ("unknown", "unknown")),
        ([], item(), ("unknown", "no_disks")),
        (ABSENT, item(), ("unknown", "no_disks")),
        (DENIED, item(), ("unknown", "unanswered")),
    ],
)
def test_one_disk_may_have_64_tb_and_above_32_two_pages_disagree(
    disks: Any, vault_item: Any, expected: tuple[str, str]
) -> None:
    assert outcome("disks_are_small_enough", vm__disks=disks, backup__item=vault_item) == expected


def test_the_articles_limit_is_named_where_it_is_passed() -> None:
    finding = judge("disks_are_small_enough", vm__disks=[disk(size_gb=1500)], backup__item=item())
    assert finding.values == {"disk": "os", "size_gb": 1500, "article_gb": 1023}


@pytest.mark.parametrize(
    ("disks", "vault_item", "expected"),
    [
        ([disk()], item(), ("ok", "ok")),
        ([disk(str(n), size_gb=64 * TB, lun=n) for n in range(8)], item(), ("ok", "ok")),
        ([disk(str(n), size_gb=64 * TB, lun=n) for n in range(9)], item(), ("problem", "problem")),
        ([disk(str(n), size_gb=64 * TB, lun=n) for n in range(9)], DENIED, ("unknown", "maybe_excluded")),
        ([disk(), disk(DATA, size_gb=None)], item(), ("unknown", "unknown")),
        ([], item(), ("unknown", "no_disks")),
    ],
)
def test_all_disks_together_may_have_512_tb(disks: Any, vault_item: Any, expected: tuple[str, str]) -> None:
    assert outcome("disks_together_are_small_enough", vm__disks=disks, backup__item=vault_item) == expected


@pytest.mark.parametrize(
    ("changes", "vault_item", "expected"),
    [
        ({"size_gb": 4 * TB, "encryption": "ade"}, item(), ("ok", "ok")),
        ({"size_gb": 5 * TB, "encryption": "ade"}, item(), ("problem", "problem")),
        ({"size_gb": 5 * TB, "encryption": "ade"}, DENIED, ("unknown", "maybe_excluded")),
        ({"size_gb": 5 * TB, "encryption": "none"}, item(), ("ok", "ok")),
        ({"size_gb": 5 * TB, "encryption": None}, item(), ("unknown", "unknown")),
        ({"size_gb": None, "encryption": "ade"}, item(), ("unknown", "unknown")),
        ({"size_gb": None, "encryption": "none"}, item(), ("ok", "ok")),
        ({"size_gb": 100, "encryption": None}, item(), ("ok", "ok")),
    ],
)
def test_a_disk_encrypted_in_the_guest_may_have_4_tb(
    changes: dict[str, Any], vault_item: Any, expected: tuple[str, str]
) -> None:
    disks = [disk(), disk(DATA, **changes)]
    assert outcome("encrypted_disks_are_small_enough", vm__disks=disks, backup__item=vault_item) == expected


def test_no_disks_to_encrypt_is_unknown() -> None:
    assert outcome("encrypted_disks_are_small_enough", vm__disks=[]) == ("unknown", "no_disks")


@pytest.mark.parametrize(
    ("count", "expected"),
    [(0, "ok"), (32, "ok"), (33, "problem")],
)
def test_the_number_of_data_disks(count: int, expected: str) -> None:
    disks = [disk(), *(disk(str(n), lun=n) for n in range(count))]
    assert judge("disk_count_is_supported", vm__disks=disks).verdict == expected


def test_no_disks_to_count_is_unknown() -> None:
    assert outcome("disk_count_is_supported", vm__disks=[]) == ("unknown", "no_disks")


@pytest.mark.parametrize(
    ("changes", "vault_item", "its_policy", "expected"),
    [
        ({}, item(), policy(), ("ok", "ok")),
        ({"write_accelerator": True}, item(), policy(), ("ok", "write_accelerator")),
        ({"shared": True}, item(), policy("V2"), ("problem", "shared")),
        ({"shared": True}, item(disk_luns=[0], disk_luns_included=False), policy("V2"), ("ok", "ok")),
        ({"shared": True}, DENIED, policy(), ("unknown", "maybe_excluded")),
        ({"shared": None}, item(), policy(), ("unknown", "unknown")),
        ({"sku": "UltraSSD_LRS"}, item(), policy(), ("problem", "needs_enhanced_policy")),
        ({"sku": "PremiumV2_LRS"}, item(), policy(), ("problem", "needs_enhanced_policy")),
        ({"sku": "UltraSSD_LRS"}, item(), policy("V2"), ("ok", "ok")),
        ({"data_access_auth": "AzureActiveDirectory"}, item(), policy(), ("problem", "entra_data_access")),
        ({"security_type": "TrustedLaunch"}, item(), policy(), ("problem", "secured_data_disk")),
        (
            {"security_type": "ConfidentialVM_DiskEncryptedWithPlatformKey"},
            DENIED,
            policy(),
            ("unknown", "maybe_excluded"),
        ),
        ({"security_type": "Standard"}, item(), policy(), ("ok", "ok")),
        ({"network_access": "AllowPrivate"}, item(), policy(), ("ok", "ok")),
        (
            {"network_access": "DenyAll", "public_access": "Disabled"},
            item(),
            policy(),
            ("unknown", "no_network_access"),
        ),
        ({"sku": "UltraSSD_LRS"}, item(), DENIED, ("unknown", "policy_unknown")),
        ({"sku": "UltraSSD_LRS"}, item(), policy(None), ("unknown", "policy_unknown")),
        ({"sku": "UltraSSD_LRS"}, item(), policy("V3"), ("unknown", "policy_unknown")),
        ({"sku": None}, item(), policy(), ("unknown", "unknown")),
        ({"sku": None, "managed": False, "shared": None}, item(), policy(), ("ok", "ok")),
    ],
)
def test_some_kinds_of_disk_are_not_supported(
    changes: dict[str, Any], vault_item: Any, its_policy: Any, expected: tuple[str, str]
) -> None:
    disks = [disk(), disk(DATA, **changes)]
    facts = {"vm__disks": disks, "backup__item": vault_item, "backup__policy": its_policy, "backup__vault": LOCAL}
    assert outcome("disk_kinds_are_supported", **facts) == expected


@pytest.mark.parametrize("vault", [LOCAL | {"redundancy": "GeoRedundant"}, LOCAL | {"redundancy": None}, DENIED])
def test_where_two_sources_disagree_nothing_is_said(vault: Any) -> None:
    facts = {"vm__disks": [disk(sku="UltraSSD_LRS")], "backup__policy": policy("V2"), "backup__vault": vault}
    assert outcome("disk_kinds_are_supported", **facts) == ("unknown", "geo_redundant_vault")
    assert outcome("disk_kinds_are_supported", vm__disks=[disk(ephemeral=True)]) == ("unknown", "ephemeral")


def test_the_system_disk_of_a_trusted_launch_vm_is_no_fault() -> None:
    assert outcome("disk_kinds_are_supported", vm__disks=[disk(security_type="TrustedLaunch")]) == ("ok", "ok")


def test_no_disks_of_any_kind_is_unknown() -> None:
    assert outcome("disk_kinds_are_supported", vm__disks=[]) == ("unknown", "no_disks")


@pytest.mark.parametrize(
    ("disks", "expected"),
    [
        ([disk()], ("ok", "ok")),
        ([disk(), disk(DATA, managed=False)], ("problem", "problem")),
        ([], ("unknown", "no_disks")),
    ],
)
def test_unmanaged_disks_are_retired(disks: list[dict[str, Any]], expected: tuple[str, str]) -> None:
    assert outcome("disks_are_managed", vm__disks=disks) == expected
