"""A remedy sends what its entry says, on resources that belong to the VM, and nothing else."""

from __future__ import annotations

from dataclasses import replace

import pytest

from each import for_each
from vmbackup.catalog import remedies as catalogue
from vmbackup.model import RemedyRefused, Target
from vmbackup.remedies.plan import Plan
from vmbackup.remedies.scope import belonging, followable, permitted
from vmbackup.remedies.steps.registry import requests

SUBSCRIPTION = "/subscriptions/11111111-1111-1111-1111-111111111111"
OTHER = "/subscriptions/22222222-2222-2222-2222-222222222222"
GROUP = f"{SUBSCRIPTION}/resourceGroups/rg"
TARGET = Target(SUBSCRIPTION.rsplit("/", 1)[1], "rg", "web")
VAULT = f"{GROUP}/providers/Microsoft.RecoveryServices/vaults/v"
CONTAINER = f"{VAULT}/backupFabrics/Azure/protectionContainers/iaasvmcontainer;iaasvmcontainerv2;rg;web"
COLLECTION = f"{GROUP}/providers/Microsoft.Compute/restorePointCollections/AzureBackup_web_1"
LOCK = "/providers/Microsoft.Authorization/locks/l"
VALUES = {
    "vm_id": TARGET.vm_id,
    "nsg_id": f"{GROUP}/providers/Microsoft.Network/networkSecurityGroups/nsg",
    "route_table_id": f"{GROUP}/providers/Microsoft.Network/routeTables/rt",
    "subnet_id": f"{GROUP}/providers/Microsoft.Network/virtualNetworks/vn/subnets/sn",
    "vault_id": VAULT,
    "item_id": f"{CONTAINER}/protectedItems/vm;iaasvmcontainerv2;rg;web",
    "collection_id": COLLECTION,
    "locked_collection_id": COLLECTION,
    "lock_id": f"{GROUP}{LOCK}",
    "extension": "VMSnapshot",
    "failed_extension": "Other",
    "job": "3f2a",
    "storage_tag": "Storage.WestEurope",
    **{f"priority_{number}": 100 + number for number in (1, 2, 3)},
    "policy_id": f"{VAULT}/backupPolicies/p",
    "disk_luns_list": [1],
}
CHANGING = {name: entry for name, entry in catalogue.remedies().items() if entry["change"]}


def plan(remedy: str, **values: object) -> Plan:
    filled = {**VALUES, **values}
    resource = str(filled[CHANGING[remedy]["change"]["resource"]])
    return Plan(remedy, TARGET, "en", resource, (), filled, {}, (), (), ())


@for_each(CHANGING)
def test_a_remedy_makes_the_requests_of_its_entry_and_no_others(remedy: str) -> None:
    made = plan(remedy)
    assert [(each.method, each.path) for each in requests(made)] == list(permitted(made))


NOTHING = ["", " ", None, "..", ".", "/", "x/../y", "x//y", "/subscriptions/..", f"{GROUP}/../rg2", f"{GROUP}//x"]
FOREIGN = {
    "vm_id": [f"{TARGET.vm_id}2", f"{TARGET.vm_id}/extensions/x", TARGET.vm_id.replace(SUBSCRIPTION, OTHER), VAULT],
    "nsg_id": [VALUES["nsg_id"].replace(SUBSCRIPTION, OTHER), TARGET.vm_id, f"{VALUES['nsg_id']}/securityRules/x"],
    "route_table_id": [VALUES["nsg_id"], VALUES["route_table_id"].replace(SUBSCRIPTION, OTHER)],
    "subnet_id": [VALUES["subnet_id"].rpartition("/subnets")[0], VALUES["subnet_id"].replace(SUBSCRIPTION, OTHER)],
    "vault_id": [TARGET.vm_id, f"{VAULT}/backupPolicies/x", f"{VAULT}?x=y", f"{VAULT}#x", f"{VAULT}%2f.."],
    "item_id": [
        f"{CONTAINER}/protectedItems/vm;iaasvmcontainerv2;rg;other",
        f"{CONTAINER}/protectedItems/vm;iaasvmcontainerv2;other;web",
        f"{CONTAINER}/protectedItems/vm;iaasvmcontainerv2;rg;web/recoveryPoints",
        VALUES["item_id"].replace("/vaults/v/", "/vaults/w/"),
        VAULT,
    ],
    "collection_id": [TARGET.vm_id, COLLECTION.replace(SUBSCRIPTION, OTHER), f"{COLLECTION}/restorePoints/x"],
    "lock_id": [
        f"{SUBSCRIPTION}/resourceGroups/production{LOCK}",
        f"{TARGET.vm_id}{LOCK}",
        f"{COLLECTION}2{LOCK}",
        f"{OTHER}{LOCK}",
        f"{GROUP}/r{LOCK}",
        GROUP,
        COLLECTION,
        LOCK,
    ],
    "extension": ["a/b", "../../x", "a?b", "a#b", "a%2fb", "a\\b", "a\nb"],
    "failed_extension": ["a/b", "%2e%2e"],
    "job": ["a/cancel/..", "a/b"],
}


@for_each([(name, each) for name, bad in FOREIGN.items() for each in NOTHING + bad])
def test_a_value_that_is_nothing_of_this_vm_is_refused(named: tuple[str, object]) -> None:
    name, value = named
    with pytest.raises(RemedyRefused, match=f"{name} is "):
        belonging(name, {**VALUES, name: value}, TARGET, "en")
    for remedy, entry in CHANGING.items():
        if any(f"{{{name}}}" in template for template in entry["change"]["requests"]):
            with pytest.raises(RemedyRefused):
                requests(plan(remedy, **{name: value}))


@pytest.mark.parametrize("lock", [f"{SUBSCRIPTION}{LOCK}", f"{GROUP}{LOCK}", f"{COLLECTION}{LOCK}"])
def test_a_lock_that_covers_the_restore_points_may_go(lock: str) -> None:
    assert belonging("lock_id", {**VALUES, "lock_id": lock}, TARGET, "en") == lock


def test_a_vault_that_the_operator_named_is_the_only_one() -> None:
    target = replace(TARGET, vault_id=f"{VAULT}2")
    with pytest.raises(RemedyRefused, match="vault_id is "):
        belonging("vault_id", VALUES, target, "en")


A = "https://management.azure.com"
GUID = "3f2a9c1e-0000-4000-8000-000000000000"


@pytest.mark.parametrize(
    ("url", "follows"),
    [
        (f"{A}{SUBSCRIPTION}/providers/Microsoft.Compute/locations/westeurope/operations/{GUID}?t=1&s=x", True),
        (f"{A}{VAULT}/backupOperations/{GUID}?api-version=1", True),
        (f"{A}{VALUES['item_id']}/operationsStatus/{GUID}", True),
        (f"{A}{OTHER}/providers/Microsoft.Compute/locations/westeurope/operations/{GUID}", False),
        (f"{A}{SUBSCRIPTION}/providers/Microsoft.Compute/locations/../operations/{GUID}", False),
        (f"{A}{SUBSCRIPTION}/providers/Microsoft.Compute/locations/x%2f..%2foperations/{GUID}", False),
        (f"{A}{SUBSCRIPTION}/providers/Microsoft.KeyVault/vaults/v/secrets/s", False),
        (f"{A}{VAULT}/backupJobs/{GUID}", False),
        (f"{A}{TARGET.vm_id}", False),
        ("", False),
        ("nonsense", False),
    ],
)
def test_only_an_operation_of_this_subscription_or_vault_is_followed(url: str, follows: bool) -> None:
    assert followable(url, VALUES, TARGET) is follows
