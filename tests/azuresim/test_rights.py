"""RBAC: every action can be denied by itself, in Azure's words, and what is denied is not to be had by another way."""

from __future__ import annotations

import re

import pytest

from azuresim.routing import ROUTES, Route
from azuresim.tokens import METRICS
from simulated import Caller

GUARDED = [entry for entry in ROUTES if entry.action]
MESSAGE = re.compile(
    r"The client '(\S+)' with object id '\1' does not have authorization to perform action '(\S+)' over scope '(\S+)' "
    r"or the scope is invalid\. If access was recently granted, please refresh your credentials\."
)


def path_of(entry: Route, caller: Caller) -> str:
    world = caller.world
    known = {"sub": world.subscription, "rg": world.resource_group, "group": world.resource_group}
    known |= {"vm": caller.subject["name"], "vault": world.vault, "location": world.location}
    return re.sub(r"\{(\w+)\*?\}", lambda match: known.get(match.group(1), "any"), entry.template)


@pytest.mark.parametrize("entry", GUARDED, ids=lambda entry: f"{entry.method} {entry.action.split('.')[1]}")
def test_every_action_can_be_denied_and_is_named(entry: Route) -> None:
    caller = Caller({"permissions": {"deny": [entry.action]}})
    caller.token = caller.token_for(METRICS if entry.metrics else "arm")
    answer = caller.ask(entry.method, path_of(entry, caller), {} if entry.method != "GET" else None)
    assert (answer.status, answer.body["error"]["code"]) == (403, "AuthorizationFailed")
    said = MESSAGE.fullmatch(answer.body["error"]["message"])
    assert said is not None
    assert said.group(2) == entry.action


def test_the_scope_of_a_denied_operation_is_the_resource() -> None:
    caller = Caller({"permissions": {"deny": ["Microsoft.Compute/virtualMachines/restart/action"]}})
    assert f"over scope '{caller.vm}'" in caller.ask("POST", caller.vm + "/restart").body["error"]["message"]


def test_what_is_not_allowed_is_denied() -> None:
    caller = Caller("error_403_everything_else")
    assert caller.ask("GET", caller.vm).status == 200
    assert caller.ask("GET", caller.vm + "/instanceView").status == 200
    assert caller.ask("GET", caller.vm + "/extensions").status == 403


def test_wildcards_and_letter_case_do_not_matter() -> None:
    caller = Caller({"permissions": {"deny": ["microsoft.compute/*/READ"]}})
    assert caller.ask("GET", caller.vm).status == 403
    assert caller.ask("POST", caller.vm + "/reapply").status == 202


def test_the_graph_shows_no_more_than_may_be_read() -> None:
    query = {"query": "RecoveryServicesResources | where type =~ '…/protecteditems'"}
    ask = ("POST", "/providers/Microsoft.ResourceGraph/resources", query)
    assert Caller("healthy_linux").ask(*ask).body["count"] == 1
    assert Caller("error_403_vault_items").ask(*ask).body["count"] == 0


def test_permissions_say_what_holds() -> None:
    caller = Caller({"permissions": {"allow": ["*/read"], "deny": ["Microsoft.Compute/disks/read"]}})
    entry = caller.get(caller.vm + "/providers/Microsoft.Authorization/permissions")["value"][0]
    assert (entry["actions"], entry["notActions"]) == (["*/read"], ["Microsoft.Compute/disks/read"])
