from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from saying import refused
from vmbackup.collectors import collect
from worlds import examine, world


def test_a_given_vault_that_does_not_exist_stops_the_run() -> None:
    with world("healthy_linux") as (_, azure, target):
        missing = f"{target.vm_id.partition('/providers/')[0]}/providers/Microsoft.RecoveryServices/vaults/nowhere"
        with refused("does not know the vault"):
            collect(azure, replace(target, vault_id=missing), deadline_s=20)


def test_the_vault_says_how_it_stores_backups_and_where_it_is(tmp_path: Path) -> None:
    vault = "{subscription: other, resource_group: rg-vault, redundancy: LocallyRedundant, cross_region_restore: true}"
    for world_says, same in ((f"vault: {vault}", False), ("os: linux", True)):
        (tmp_path / "vault.yaml").write_text(f"{world_says}\n", "utf-8")
        found = examine(str(tmp_path / "vault.yaml"))["backup.vault"].data
        assert found["same_subscription"] is same
    assert found["redundancy"] == "GeoRedundant"
