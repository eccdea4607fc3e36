"""Faults: what can go wrong on the way, each as a world orders it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from simulated import Caller


def faulty(**fault: Any) -> Caller:
    return Caller({"faults": [{"match": "GET .*/disks", **fault}]})


def disks(caller: Caller) -> str:
    return f"{caller.world.group_id}/providers/Microsoft.Compute/disks"


def test_an_error_has_status_code_message_and_headers() -> None:
    fault = {"status": 429, "code": "TooManyRequests", "message": "Slower.", "headers": {"Retry-After": "7"}}
    caller = faulty(**fault)
    answer = caller.ask("GET", disks(caller))
    assert answer.status == 429
    assert answer.body == {"error": {"code": "TooManyRequests", "message": "Slower."}}
    assert answer.headers["Retry-After"] == "7"


def test_only_what_matches_is_hit() -> None:
    caller = faulty(status=500)
    assert caller.ask("GET", caller.vm).status == 200


def test_a_fault_may_pass() -> None:
    caller = faulty(status=503, times=2)
    assert [caller.ask("GET", disks(caller)).status for _ in range(3)] == [503, 503, 200]


def test_a_fleet_is_hit_only_where_one_world_is_meant() -> None:
    caller = Caller("error_500", "healthy_linux")
    locks = "/providers/Microsoft.Authorization/locks"
    assert caller.ask("GET", caller.world.group_id + locks).status == 500
    assert caller.ask("GET", f"/subscriptions/{caller.world.subscription}{locks}").status == 200


def test_garbage_and_foreign_bytes_are_no_json() -> None:
    for mode in ("garbage", "not_utf8"):
        caller = faulty(mode=mode)
        status, _, data = caller.wire("GET", disks(caller))
        assert status == 200
        with pytest.raises((json.JSONDecodeError, UnicodeDecodeError)):
            json.loads(data.decode("utf-8"))


def test_a_cut_off_answer_promises_more_than_it_sends() -> None:
    caller = faulty(mode="cut_off")
    cut = caller.ask("GET", disks(caller)).body
    assert 0 < len(cut.data) < cut.promised


def test_a_huge_answer_has_50_mb() -> None:
    caller = faulty(mode="huge")
    assert len(caller.ask("GET", disks(caller)).body) > 50 << 20


def test_a_plain_answer_is_no_json() -> None:
    caller = faulty(mode="plain", status=502, body="<html>Bad Gateway</html>")
    assert caller.wire("GET", disks(caller))[2] == b"<html>Bad Gateway</html>"


def test_a_slow_answer_waits() -> None:
    caller = faulty(mode="slow", seconds=3)
    assert caller.ask("GET", disks(caller)).delay_s == 3


def test_fields_are_missing_null_and_unknown() -> None:
    caller = faulty(mode="missing_fields")
    whole, thin = Caller({}), caller.get(disks(caller))["value"][0]
    full = whole.get(disks(whole))["value"][0]
    assert set(full["properties"]) - set(thin["properties"])
    assert "somethingNew" in thin["properties"]
    assert None in thin["properties"].values()


@pytest.mark.parametrize(("mode", "ends"), [("never_ending", "InProgress"), ("operation_failed", "Failed")])
def test_operations_are_accepted_and_then_end_badly_or_never(mode: str, ends: str) -> None:
    caller = Caller({"faults": [{"match": "POST .*/reapply", "mode": mode, "code": "Bad", "message": "It broke."}]})
    follow = caller.ask("POST", caller.vm + "/reapply").headers["Azure-AsyncOperation"]
    states = [caller.get(follow) for _ in range(10)]
    assert states[-1]["status"] == ends
    if mode == "operation_failed":
        assert states[-1]["error"] == {"code": "Bad", "message": "It broke."}
