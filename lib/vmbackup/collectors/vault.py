"""The vault: the parts of its id, whether it exists, and how it stores backups."""

from __future__ import annotations

from azure.core.exceptions import HttpResponseError

from vmbackup.arm.errors import cut, refusal
from vmbackup.arm.wire import flag, inside, resource, text
from vmbackup.collectors.base import Answers, Ask, collector
from vmbackup.facts.backup import Protection, Vault
from vmbackup.model import SetupError
from vmbackup.resource_ids import part_after, resource_group, resource_name


def vault_parts(protected: Protection) -> tuple[str, str, str]:
    """The vault's subscription, resource group and name."""
    vault_id = protected["vault_id"]
    return part_after(vault_id, "subscriptions"), resource_group(vault_id), resource_name(vault_id)


def refuse_missing_vault(protected: Protection, error: HttpResponseError) -> None:
    """Raise SetupError if the vault itself does not exist, and the operator named it."""
    if protected["via"] == "parameter" and is_of_vault(error):
        refused = refusal(error)
        vault, message = protected["vault_id"], cut(refused.message)
        raise SetupError("error.unknown_vault", vault=vault, code=refused.code, message=message) from None


def is_of_vault(error: HttpResponseError) -> bool:
    """Whether the vault does not exist, and not only something in it."""
    return refusal(error).code.lower() in ("resourcenotfound", "resourcegroupnotfound", "vaultnotfound")


@collector(
    "backup.vault",
    needs=("backup.protection",),
    actions=("Microsoft.RecoveryServices/Vaults/backupstorageconfig/read",),
)
def backup_vault(ask: Ask, protected: Protection) -> Answers:
    """How the vault stores backups, and whether it is in the VM's subscription."""
    subscription, group, name = vault_parts(protected)
    configs = ask.azure.backup(subscription).backup_resource_storage_configs_non_crr
    return {"backup.vault": read_vault(configs.get(name, group).as_dict(), protected["vault_id"], ask.target.vm_id)}


def read_vault(wire: object, vault_id: str, vm_id: str) -> Vault:
    """``GET vaults/{vault}/backupstorageconfig/vaultstorageconfig``."""
    properties = inside(resource(wire), "properties")
    ids = (part_after(each, "subscriptions") for each in (vault_id, vm_id))
    return {
        "redundancy": text(properties, "storageModelType") or text(properties, "storageType"),
        "cross_region_restore": flag(properties, "crossRegionRestoreFlag"),
        "same_subscription": len({each.lower() for each in ids}) == 1,
    }
