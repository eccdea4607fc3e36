"""Disks: what the VM says of each, completed by the disk's own answer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from vmbackup.arm.errors import Unreadable
from vmbackup.collectors.disks import attached_disks, read_disk
from worlds import examine

MANAGED = {"name": "d", "lun": 1, "managedDisk": {"id": "/disks/d"}}


@pytest.mark.parametrize(
    ("attached", "own", "read"),
    [
        (MANAGED, {"properties": {"diskSizeGB": 128}}, {"size_gb": 128, "managed": True, "shared": False}),
        (MANAGED, {"properties": {"diskSizeBytes": 33 * 1024**4}}, {"size_gb": 33 * 1024}),
        (MANAGED, {"properties": {}}, {"size_gb": None, "encryption": None, "shared": None}),
        (MANAGED, {}, {"size_gb": None, "encryption": None, "shared": None}),
        ({**MANAGED, "diskSizeGB": 64}, None, {"size_gb": 64, "encryption": None, "shared": None}),
        (MANAGED, {"properties": {"maxShares": 2}}, {"shared": True}),
        (MANAGED, {"properties": {"maxShares": "2"}}, {"shared": True}),
        (MANAGED, {"properties": {"maxShares": "many"}}, {"shared": None}),
        (MANAGED, {"properties": {"encryptionSettingsCollection": {"enabled": "yes"}}}, {"encryption": None}),
        (MANAGED, {"properties": {"encryptionSettingsCollection": {"enabled": True}}}, {"encryption": "ade"}),
        (MANAGED, {"properties": {"encryptionSettingsCollection": {"enabled": False}}}, {"encryption": "none"}),
        (MANAGED, {"sku": {"name": "UltraSSD_LRS"}}, {"sku": "UltraSSD_LRS"}),
        ({**MANAGED, "writeAcceleratorEnabled": True}, {}, {"write_accelerator": True}),
        ({**MANAGED, "diffDiskSettings": {"option": "Local"}}, None, {"ephemeral": True}),
        (
            {"name": "d", "vhd": {"uri": "https://x/vhds/d.vhd"}, "diskSizeGB": 127},
            None,
            {"managed": False, "shared": False, "size_gb": 127, "id": "https://x/vhds/d.vhd"},
        ),
    ],
)
def test_a_disk_is_read_as_azure_means_it(attached: Any, own: Any, read: dict[str, Any]) -> None:
    disk = read_disk("data", attached, own)
    assert {name: disk[name] for name in read} == read  # type: ignore[literal-required]
    assert (disk["lun"], disk["excluded_by"]) == (attached.get("lun"), None)


def test_a_disk_of_no_kind_is_unreadable_and_not_unmanaged() -> None:
    with pytest.raises(Unreadable):
        read_disk("data", {"name": "d", "lun": 0, "managedDisk": None})


@pytest.mark.parametrize("profile", [None, {}, {"osDisk": {}}, {"osDisk": {}, "dataDisks": None}, {"dataDisks": []}])
def test_disks_that_the_vm_does_not_tell_are_not_none(profile: Any) -> None:
    with pytest.raises(Unreadable):
        attached_disks({"properties": {"storageProfile": profile}})


@pytest.mark.parametrize(
    ("world", "key", "value"),
    [
        ("disk_too_large_linux", "size_gb", 65 * 1024),
        ("disk_shared_linux", "shared", True),
        ("disk_ephemeral_linux", "ephemeral", True),
        ("disk_unmanaged_windows", "managed", False),
        ("disk_ade_too_large_windows", "encryption", "ade"),
        ("disk_ultra_standard_policy_linux", "sku", "UltraSSD_LRS"),
    ],
)
def test_what_is_special_about_a_disk_arrives(world: str, key: str, value: Any) -> None:
    disks = examine(world)["vm.disks"].data
    assert disks[0]["role"] == "os"
    assert max(disk[key] for disk in disks if disk[key] is not None) == value or value in [disk[key] for disk in disks]


def test_who_may_reach_a_disk_and_how_it_is_secured_arrives(tmp_path: Path) -> None:
    disk = "{network_access: DenyAll, public_access: Disabled, data_access_auth: AzureActiveDirectory}"
    (tmp_path / "disk.yaml").write_text(f"vm: {{security_type: TrustedLaunch}}\ndata_disks: [{disk}]\n", "utf-8")
    system, data = examine(str(tmp_path / "disk.yaml"))["vm.disks"].data
    assert system["security_type"] == "TrustedLaunch"
    shown = [data[key] for key in ("network_access", "public_access", "data_access_auth", "security_type")]
    assert shown == ["DenyAll", "Disabled", "AzureActiveDirectory", None]
