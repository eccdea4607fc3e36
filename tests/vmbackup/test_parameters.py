"""Parameters are complete, known, of the right type and free of contradictions, or the run stops kindly."""

import re

import pytest

from saying import refused
from vmbackup.parameters import Parameters, from_notebook, read, target

SUBSCRIPTION = "11111111-2222-3333-4444-555555555555"
VM_ID = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg/providers/Microsoft.Compute/virtualMachines/vm"
LIVE = {"azure": "live", "subscription_id": SUBSCRIPTION, "resource_group": "rg", "vm_name": "vm"}


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"scenari": "x"}, "Did you mean 'scenario'?"),
        ({"zzz": 1}, "Unknown parameter 'zzz'. There are:"),
        ({"scenario": 3}, "scenario must be a text, not a whole number (3)"),
        ({"scenario": "x", "deadline_s": "60"}, "deadline_s must be a whole number, not a text"),
        ({"scenario": "x", "deadline_s": True}, "deadline_s must be a whole number, not true or false"),
        ({"scenario": "x", "deadline_s": 1}, "between 5 and 3600"),
        ({"scenario": None}, "scenario must be a text"),
        ({"azure": "simulater"}, "Did you mean 'simulator'?"),
        ({"scenario": "x", "language": "fr"}, "must be one of en, de"),
        ({}, "needs a scenario"),
        ({"scenario": "x", "vm_name": "vm"}, "contradicts vm_name"),
        ({"azure": "live"}, "needs subscription_id, resource_group, vm_name"),
        ({**LIVE, "subscription_id": "prod"}, "is not a GUID"),
        ({"azure": "live", "vm_id": "/subscriptions/x/vm"}, "is not the resource id of a VM"),
        ({"azure": "live", "vm_id": VM_ID.replace("/rg/", "/../")}, "is not the resource id of a VM"),
        ({"azure": "live", "vm_id": f"{VM_ID}?api-version=1"}, "is not the resource id of a VM"),
        ({"azure": "live", "vm_id": f"{VM_ID}%2F..%2Fother"}, "is not the resource id of a VM"),
        ({"azure": "live", "vm_id": f"{VM_ID}\nx"}, "is not the resource id of a VM"),
        ({**LIVE, "vm_name": "vm/../other"}, "vm_name 'vm/../other' is not a valid name"),
        ({**LIVE, "resource_group": ".."}, "resource_group '..' is not a valid name"),
        ({"azure": "live", "vm_id": VM_ID, "vm_name": "other"}, "vm_name 'other' contradicts vm_id"),
        ({**LIVE, "vault_id": "my-vault"}, "is not the resource id of a vault"),
        ({"scenario": "x", "vault_id": "my-vault"}, "is not the resource id of a vault"),
        ({"azure": "replay"}, "needs evidence_file"),
        ({"azure": "replay", "evidence_file": "e.json", "vm_name": "vm"}, "contradicts vm_name"),
    ],
)
def test_what_is_wrong_is_named_with_what_to_do(given: dict[str, object], says: str) -> None:
    with refused(re.escape(says)):
        read(given)


def test_a_world_is_all_the_simulator_needs() -> None:
    assert read({"scenario": " agent_stopped_linux "}) == Parameters(scenario="agent_stopped_linux")


@pytest.mark.parametrize(
    "vm_id", [VM_ID, VM_ID.lower(), VM_ID.upper().replace(SUBSCRIPTION.upper(), SUBSCRIPTION), VM_ID + "/"]
)
def test_a_resource_id_names_the_vm_in_any_case(vm_id: str) -> None:
    named = target(read({"azure": "live", "vm_id": vm_id}))
    assert (named.subscription_id, named.resource_group.lower(), named.vm_name.lower()) == (SUBSCRIPTION, "rg", "vm")


def test_resource_id_and_parts_may_say_the_same() -> None:
    assert target(read({**LIVE, "vm_id": VM_ID})).vm_id == VM_ID


def test_a_vault_may_be_given() -> None:
    vault = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg/providers/Microsoft.RecoveryServices/vaults/v"
    assert target(read({**LIVE, "vault_id": vault})).vault_id == vault


def test_misspelt_variables_of_a_notebook_are_refused() -> None:
    with refused("Did you mean 'language'.*underscore"):
        from_notebook({"scenario": "x", "langage": "de"})


def test_what_jupyter_and_the_reader_keep_in_a_notebook_is_not_a_parameter() -> None:
    namespace = {"scenario": "x", "_mine": 1, "In": [], "Out": {}, "read": read, "__name__": "__main__"}
    assert from_notebook(namespace).scenario == "x"


def test_naming_another_azure_is_enough_whatever_scenario_the_notebook_has_by_default() -> None:
    assert read({**LIVE, "scenario": "agent_stopped_linux"}) == read(LIVE)
    replayed = {"azure": "replay", "evidence_file": "evidence.json"}
    assert read({**replayed, "scenario": "agent_stopped_linux"}) == read(replayed)


def test_an_address_of_the_portal_is_understood_wherever_an_id_is() -> None:
    page = "https://portal.azure.com/#@contoso.com/resource"
    vault = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg/providers/Microsoft.RecoveryServices/vaults/v"
    given = {"vm_id": f"{page}{VM_ID}/overview", "vault_id": f"{page}{vault}/backupItems"}
    assert read({"azure": "live", **given}) == read({"azure": "live", "vm_id": VM_ID, "vault_id": vault})
    for written in (f"{page}/subscriptions/{SUBSCRIPTION}/overview", f"/subscriptions/{SUBSCRIPTION}"):
        assert read({**LIVE, "subscription_id": written}) == read(LIVE)
    with refused("is not the resource id of a VM"):
        read({"azure": "live", "vm_id": f"{page}{vault}/overview"})


def test_the_start_notebook_needs_no_vm_and_no_subscription() -> None:
    assert read({"azure": "live", "subscription_id": SUBSCRIPTION}, about="vault").subscription_id == SUBSCRIPTION
    assert read({"azure": "live", "scenario": "x"}, about="vault") == read({"azure": "live"}, about="vault")
    with refused("is not the resource id of a VM"):
        read({"azure": "live", "vm_id": "vm"}, about="vault")
    with refused("01 to 06"):
        read({"azure": "replay", "evidence_file": "x"}, about="vault")


def test_results_go_to_a_folder_of_the_vms_name_however_the_vm_was_named() -> None:
    whole = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/g/providers/Microsoft.Compute"
    assert str(read({"azure": "live", "vm_id": f"{whole}/virtualMachines/sql-02/"}).folder) == "runs/sql-02"
