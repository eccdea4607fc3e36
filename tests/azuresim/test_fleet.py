"""Many worlds behind one endpoint: vaults that they share, and an endpoint that refuses a share of the requests."""

from __future__ import annotations

from collections import Counter

import pytest

from azuresim.fleet import HEALTHY, MIX, fleet
from azuresim.storm import Storm
from simulated import Caller

VMS = 60


@pytest.fixture(scope="module")
def caller() -> Caller:
    return Caller(*fleet(VMS, vaults=2, seed=3, healthy=0.5))


def test_a_fleet_is_the_same_for_the_same_seed() -> None:
    names = [world.name for world in fleet(VMS, seed=3)]
    assert names == [world.name for world in fleet(VMS, seed=3)]
    assert names != [world.name for world in fleet(VMS, seed=4)]


def test_the_share_of_healthy_vms_is_as_wanted() -> None:
    kinds = Counter(world.name[6:] in HEALTHY for world in fleet(1000, seed=5, healthy=0.8))
    assert 750 < kinds[True] < 850
    assert {world.name[6:] for world in fleet(1000, seed=5, healthy=0)} == set(MIX)


def test_a_fleet_is_spread_over_subscriptions_that_one_caller_can_read() -> None:
    caller = Caller(*fleet(12, vaults=2, subscriptions=3, seed=3))
    by_subscription = Counter(world.subscription for world in caller.azure.worlds)
    assert sorted(by_subscription.values()) == [4, 4, 4]
    for subscription in by_subscription:
        vms = caller.all(f"/subscriptions/{subscription}/providers/Microsoft.Compute/virtualMachines")
        assert len(vms) == 4
    assert len({world.vault_id for world in caller.azure.worlds}) == 6
    assert len({each["tenantId"] for each in caller.all("/subscriptions")}) == 1


def test_a_vault_lists_the_items_and_jobs_of_all_its_vms(caller: Caller) -> None:
    every = caller.azure.worlds
    vaults = {world.vault_id: [each for each in every if each.vault == world.vault] for world in every}
    assert len(vaults) == 2
    for vault, members in vaults.items():
        wanted = {world.vm_id(world.machines[0]).lower() for world in members}
        listed = caller.all(f"{vault}/backupProtectedItems")
        assert {each["properties"]["virtualMachineId"].lower() for each in listed} == wanted
        jobs = caller.all(f"{vault}/backupJobs")
        assert len(jobs) == sum(len(world.machines[0]["jobs"]) for world in members)
        assert len(caller.all(f"{vault}/backupPolicies")) >= 2


def test_one_item_and_one_job_are_found_in_a_shared_vault(caller: Caller) -> None:
    for item in caller.all(f"{caller.world.vault_id}/backupProtectedItems")[:5]:
        assert caller.get(item["id"]) == item
        assert caller.get(f"{item['id']}/recoveryPoints")["value"]
    for job in caller.all(f"{caller.world.vault_id}/backupJobs")[-3:]:
        assert caller.get(job["id"])["properties"]["startTime"] == job["properties"]["startTime"]


def test_vms_share_subnets_unless_their_network_is_what_is_wrong(caller: Caller) -> None:
    subscription = f"/subscriptions/{caller.world.subscription}/providers/Microsoft.Network"
    networks = [each["id"] for each in caller.all(f"{subscription}/virtualNetworks")]
    own = [world for world in caller.azure.worlds if world.network_group == world.resource_group]
    assert {world.name[6:] for world in own} == {"no_internet_linux"}
    assert len(networks) == len(set(networks)) == len(own) + 2
    for world in caller.azure.worlds[::20]:
        nic = caller.get(world.network_id("networkInterfaces", world.machines[0]["nics"][0]["name"]))
        [config] = nic["properties"]["ipConfigurations"]
        assert caller.get(config["properties"]["subnet"]["id"])["properties"]["networkSecurityGroup"]


def test_an_endpoint_under_load_refuses_a_share_of_the_requests(caller: Caller) -> None:
    caller.azure.storm = Storm(throttled=0.3, retry_after_s=2.5)
    answers = [caller.ask("GET", caller.vm) for _ in range(200)]
    caller.azure.storm = None
    refused = [each for each in answers if each.status == 429]
    assert 30 < len(refused) < 90
    assert {each.headers["x-ms-retry-after-ms"] for each in refused} == {"2500"}
