"""The hash of a plan stands for exactly this plan: whatever would be done otherwise has another one."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from vmbackup.fleet.rollout.agreement import Agreement, definition
from vmbackup.runs.rollout import Planned

VM = Planned(name="web", vm_id="/vm/web", section="internal_error", resource="/vm/web", what="Restarts web.",
             parameters={"azure": "live", "vm_id": "/vm/web"})  # fmt: skip
OTHER: Planned = {**VM, "name": "db", "resource": "/vm/db"}
AGREED = Agreement("restart_vm", "high", False, definition("restart_vm"), 10, [VM, OTHER])


def test_it_is_the_same_after_it_was_on_file() -> None:
    read = Agreement.from_json(json.loads(json.dumps(AGREED.as_json())))
    assert read == AGREED
    assert read.digest == AGREED.digest
    assert len(AGREED.digest) == 32


@pytest.mark.parametrize(
    "changed",
    [
        {"remedy": "start_vm"},
        {"max_risk": "medium"},
        {"retry": True},
        {"definition": definition("start_vm")},
        {"width": 20},
        {"vms": [VM]},
        {"vms": [OTHER, VM]},
        {"vms": [VM, {**OTHER, "vm_id": "/vm/else"}]},
        {"vms": [VM, {**OTHER, "resource": "/vm/else"}]},
        {"vms": [VM, {**OTHER, "what": "Restarts something else."}]},
        {"vms": [VM, {**OTHER, "parameters": {"azure": "live", "vm_id": "/vm/else"}}]},
    ],
)
def test_another_plan_has_another_hash(changed: dict[str, Any]) -> None:
    assert replace(AGREED, **changed).digest != AGREED.digest


@pytest.mark.parametrize("content", [None, [], {}, {**AGREED.as_json(), "schema": "x"},
                                     {**AGREED.as_json(), "remedy": "no_such"},
                                     {**AGREED.as_json(), "vms": [{"name": "web"}]}])  # fmt: skip
def test_what_is_no_plan_is_none(content: object) -> None:
    assert Agreement.from_json(content) is None


def test_a_remedy_that_does_something_else_is_another_one() -> None:
    scripts = ("restart_guest_agent_linux", "restart_guest_agent_windows", "restart_vm", "reapply_vm")
    assert len({definition(remedy) for remedy in scripts}) == len(scripts)
