"""ARM's habits: who may ask, how paths are read, what every answer carries, and that all of it is repeatable."""

from __future__ import annotations

from typing import Any

import pytest

from azuresim.core import handle
from azuresim.loading import load_world
from azuresim.routing import ROUTES
from simulated import Caller


@pytest.fixture
def caller() -> Caller:
    return Caller("healthy_windows")


@pytest.mark.parametrize(
    ("authorization", "code"),
    [
        ("", "AuthenticationFailed"),
        ("Basic dXNlcg==", "AuthenticationFailed"),
        ("Bearer ", "AuthenticationFailed"),
        ("Bearer made.up.token", "InvalidAuthenticationToken"),
        (f"Bearer {Caller('healthy_linux').token}", "InvalidAuthenticationToken"),
    ],
    ids=["nothing", "not bearer", "empty", "made up", "another simulator's"],
)
def test_who_brings_no_token_of_this_simulator_stays_outside(caller: Caller, authorization: str, code: str) -> None:
    answer = caller.ask("GET", caller.vm, Authorization=authorization)
    assert (answer.status, answer.body["error"]["code"]) == (401, code)
    assert answer.headers["WWW-Authenticate"].startswith("Bearer ")


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/subscriptions/{other}/resourceGroups/rg", 404, "SubscriptionNotFound"),
        ("{sub}/resourceGroups/nowhere", 404, "ResourceGroupNotFound"),
        ("{group}/providers/Microsoft.Compute/virtualMachines/nobody", 404, "ResourceNotFound"),
        ("{group}/providers/Microsoft.Compute/disks/none", 404, "ResourceNotFound"),
        ("{group}/providers/Microsoft.Network/networkInterfaces/none", 404, "ResourceNotFound"),
        ("{group}/providers/Microsoft.Network/networkSecurityGroups/none", 404, "ResourceNotFound"),
        ("{group}/providers/Microsoft.Network/virtualNetworks/none/subnets/default", 404, "ResourceNotFound"),
        ("{group}/providers/Microsoft.Network/routeTables/routes", 404, "ResourceNotFound"),
        ("{group}/providers/Microsoft.RecoveryServices/vaults/none", 404, "ResourceNotFound"),
        ("{group}/providers/Microsoft.RecoveryServices/vaults/none/backupJobs", 404, "ResourceNotFound"),
        ("{vm}/extensions/none", 404, "NotFound"),
        ("{sub}/providers/Microsoft.Compute/locations/x/operations/none", 404, "OperationNotFound"),
        ("{vm}/somethingNew", 501, "NotImplemented"),
    ],
)
def test_what_is_not_there_is_said_in_arms_words(caller: Caller, path: str, status: int, code: str) -> None:
    world = caller.world
    sub = f"/subscriptions/{world.subscription}"
    other = "00000000-0000-0000-0000-000000000000"
    answer = caller.ask("GET", path.format(other=other, sub=sub, group=world.group_id, vm=caller.vm))
    assert (answer.status, answer.body["error"]["code"]) == (status, code)


def test_an_unknown_route_names_method_and_path(caller: Caller) -> None:
    assert f"DELETE {caller.vm}" in caller.ask("DELETE", caller.vm).body["error"]["message"]


def test_a_request_without_api_version_is_refused_and_any_version_is_taken(caller: Caller) -> None:
    sent = {"authorization": f"Bearer {caller.token}"}
    refused = handle(caller.azure, "GET", caller.vm, {}, sent, b"")
    assert (refused.status, refused.body["error"]["code"]) == (400, "MissingApiVersionParameter")
    assert caller.ask("GET", caller.vm + "?api-version=1999-01-01-preview").status == 200


@pytest.mark.parametrize("change", [str.upper, str.lower, lambda path: path.replace("/providers", "//providers") + "/"])
def test_paths_are_read_in_any_letter_case_and_with_stray_slashes(caller: Caller, change: Any) -> None:
    assert caller.get(change(caller.vm))["name"] == caller.subject["name"]


def test_a_body_that_is_no_json_is_a_bad_request(caller: Caller) -> None:
    sent = {"authorization": f"Bearer {caller.token}"}
    path = f"/subscriptions/{caller.world.subscription}/providers/Microsoft.RecoveryServices/locations/x/backupStatus"
    answer = handle(caller.azure, "POST", path, {"api-version": "1"}, sent, b"{half")
    assert (answer.status, answer.body["error"]["code"]) == (400, "InvalidRequestContent")


def test_every_answer_carries_the_worlds_date_ids_and_limits(caller: Caller) -> None:
    for path in (caller.vm, caller.vm + "/nothing"):
        headers = caller.ask("GET", path).headers
        assert headers["Date"] == "Mon, 23 Nov 2026 03:00:00 GMT"
        assert headers["x-ms-request-id"] == headers["x-ms-correlation-request-id"]
        assert headers["x-ms-ratelimit-remaining-subscription-reads"] == "249"
    assert caller.ask("POST", caller.vm + "/reapply").headers["x-ms-ratelimit-remaining-subscription-writes"] == "199"


def test_repeated_requests_have_ids_of_their_own(caller: Caller) -> None:
    ids = {caller.ask("GET", caller.vm).headers["x-ms-request-id"] for _ in range(3)}
    assert len(ids) == 3


def test_lists_go_over_pages_that_lose_and_repeat_nothing(caller: Caller) -> None:
    first = caller.get(f"{caller.world.vault_id}/backupJobs")
    assert len(first["value"]) == 2
    assert "$skipToken=" in first["nextLink"]
    names = [job["name"] for job in caller.all(f"{caller.world.vault_id}/backupJobs")]
    assert len(names) == len(set(names)) == 6


def test_the_filter_lives_on_in_the_next_page(caller: Caller) -> None:
    wanted = f"{caller.world.vault_id}/backupJobs?$filter=startTime%20eq%20'2026-11-19%2012:00:00%20AM'"
    assert len(caller.all(wanted)) == 4


SEQUENCE = [
    ("GET", "{vm}?$expand=instanceView"),
    ("POST", "{vm}/deallocate"),
    ("GET", "{vm}/instanceView"),
    ("POST", "{item}/backup"),
    ("GET", "{vault}/backupJobs"),
    ("GET", "{vm}/nothing"),
]


def played(seed: int) -> list[tuple[int, dict[str, str], bytes]]:
    caller = Caller(load_world("two_s5_internal_error_linux", seed))
    places = {"vm": caller.vm, "item": caller.item, "vault": caller.world.vault_id}
    return [caller.wire(method, path.format(**places)) for method, path in SEQUENCE]


def test_the_same_seed_and_requests_give_the_same_bytes() -> None:
    assert played(0) == played(0)
    assert played(0) != played(1)


def test_ids_do_not_depend_on_the_order_of_other_requests() -> None:
    one, other = Caller("healthy_linux"), Caller("healthy_linux")
    other.get(other.vm + "/instanceView")
    assert one.wire("GET", one.vm) == other.wire("GET", other.vm)


def test_a_fleet_holds_its_worlds_apart_and_lists_them_together() -> None:
    caller = Caller("healthy_linux", "agent_stopped_windows", "error_403_disks")
    sub = f"/subscriptions/{caller.world.subscription}"
    assert len(caller.all(f"{sub}/providers/Microsoft.Compute/virtualMachines")) == 3
    assert len(caller.all(f"{caller.world.group_id}/providers/Microsoft.Compute/virtualMachines")) == 1
    readable = caller.all(f"{sub}/providers/Microsoft.Compute/disks")
    assert {disk["id"].split("/")[4] for disk in readable} == {"rg-healthy-linux", "rg-agent-stopped-windows"}


def test_two_worlds_of_one_name_are_refused() -> None:
    with pytest.raises(ValueError, match="same name"):
        Caller("healthy_linux", "healthy_linux")


def test_every_route_but_operations_and_metadata_names_its_action() -> None:
    free = ("/operations/", "/operationResults/", "/permissions", "/providers/{namespace}", "ResourceGraph")
    nameless = [
        entry.template
        for entry in ROUTES
        if not entry.action and not entry.open and not any(part in entry.template for part in free)
    ]
    assert nameless == ["/tenants", "/subscriptions", "/subscriptions/{sub}"]
