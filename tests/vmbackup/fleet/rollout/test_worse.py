"""A VM is worse where something was seen to be well before a change and is not any more; else it is not."""

from __future__ import annotations

import json
from typing import Any

import pytest

from remedy_cases import evidence
from vmbackup.fleet.rollout.worse import Condition, helped, says_how_it_ended, went_wrong, worsened
from vmbackup.model import Fact, FactStatus, Finding, Step, Verdict
from vmbackup.remedies.receipt import Receipt

OK, PROBLEM, UNKNOWN, FOREIGN = Verdict.OK, Verdict.PROBLEM, Verdict.UNKNOWN, Verdict.NOT_APPLICABLE
AGENT = {"version": "2.15.0.1", "code": "ProvisioningState/succeeded", "display_status": "Ready", "age_s": 20.0,
         "message": "Guest Agent is running", "reported_at": "2026-11-23T03:00:00Z"}  # fmt: skip
POWER = {"power": "running", "provisioning": "ProvisioningState/succeeded", "provisioning_message": None}
DENIED = Fact(FactStatus.DENIED)


def steps(**verdicts: Verdict) -> list[Step]:
    return [Step(1, "vm_state", True, tuple(Finding(name, "vm_state", each, "x") for name, each in verdicts.items()))]


def why(
    facts: dict[str, Any], now: list[Step] | None = None, before: dict[str, Any] | None = None, since: str | None = None
) -> str | None:
    was = Condition.of(evidence(**{"vm_agent": AGENT, "vm_power": POWER, **(before or {})}), steps(a=OK, b=UNKNOWN))
    read = Condition.from_json(json.loads(json.dumps(was.as_json())))
    assert read == was, "it is the same after it was on file"
    found = worsened(
        was, evidence(**{"vm_agent": AGENT, "vm_power": POWER, **facts}), now or steps(a=OK, b=UNKNOWN), since
    )
    return found.key if found else None


@pytest.mark.parametrize(("facts", "key"), [
    ({}, None),
    ({"vm_power": {**POWER, "power": "stopped"}}, "power"),
    ({"vm_power": {**POWER, "power": None}}, "power"),
    ({"vm_power": DENIED}, "power_unseen"),
    ({"vm_agent": {**AGENT, "code": "ProvisioningState/Unavailable", "display_status": "Not Ready"}}, "agent"),
    ({"vm_agent": {**AGENT, "age_s": 9000.0}}, "agent"),
    ({"vm_agent": DENIED}, "agent_unseen"),
])  # fmt: skip
def test_a_vm_that_lost_its_power_or_its_agent_is_worse_also_where_nobody_can_tell(
    facts: dict[str, Any], key: str | None
) -> None:
    assert why(facts) == key


@pytest.mark.parametrize(("reported_at", "key"), [
    ("2026-11-23T03:02:00Z", None),
    ("2026-11-23T03:01:00Z", "agent"),
    ("2026-11-23T03:00:00Z", "agent"),
    (None, "agent"),
])  # fmt: skip
def test_an_agent_that_has_not_reported_since_the_change_may_have_died_in_it(
    reported_at: str | None, key: str | None
) -> None:
    assert why({"vm_agent": {**AGENT, "reported_at": reported_at}}, since="2026-11-23T03:01:00Z") == key


def test_what_was_not_well_before_cannot_be_lost() -> None:
    silent, off = {**AGENT, "age_s": 9000.0}, {**POWER, "power": "stopped"}
    assert why({"vm_agent": silent}, before={"vm_agent": silent}) is None
    assert why({"vm_agent": silent}, before={"vm_agent": DENIED}) is None
    assert why({"vm_power": off, "vm_agent": silent}, before={"vm_power": off}) is None


@pytest.mark.parametrize(("now", "key"), [
    ({"a": PROBLEM, "b": UNKNOWN}, "check"),
    ({"a": OK, "b": PROBLEM}, None),  # nobody knew before
    ({"a": UNKNOWN, "b": UNKNOWN}, None),  # nobody knows now
    ({"a": FOREIGN, "b": OK}, None),
    ({"c": PROBLEM}, None),
])  # fmt: skip
def test_a_check_that_was_ok_and_finds_a_problem_now_makes_it_worse(now: dict[str, Verdict], key: str | None) -> None:
    assert why({}, steps(**now)) == key


@pytest.mark.parametrize(("outcome", "code", "wrong"), [
    ("done", "", False),
    ("already", "", False),
    ("failed", "Conflict", True),
    ("unknown", "timeout", True),
    ("superseded", "problem_gone", False),
    ("superseded", "too_old", True),
])  # fmt: skip
def test_a_remedy_that_failed_or_whose_end_is_not_known_went_wrong(outcome: str, code: str, wrong: bool) -> None:
    assert went_wrong(Receipt("restart_vm", "/vm", outcome, "me", None, None, (), {}, {}, code)) is wrong


def test_what_was_never_sent_has_no_end() -> None:
    receipts = {code: Receipt("restart_vm", "/vm", "superseded", "me", None, None, (), {}, {}, code)
                for code in ("not_sent", "repeated", "problem_gone", "too_old")}  # fmt: skip
    assert [code for code, receipt in receipts.items() if says_how_it_ended(receipt)] == ["problem_gone", "too_old"]


@pytest.mark.parametrize(("verdicts", "said"), [
    ({"a": OK, "b": OK}, OK),
    ({"a": OK, "b": FOREIGN}, OK),
    ({"a": OK, "b": UNKNOWN}, UNKNOWN),
    ({"a": UNKNOWN, "b": PROBLEM}, PROBLEM),
    ({"a": FOREIGN}, UNKNOWN),
    ({"c": OK}, UNKNOWN),
])  # fmt: skip
def test_it_helped_only_where_what_it_cures_is_seen_to_be_well(verdicts: dict[str, Verdict], said: Verdict) -> None:
    assert helped(("a", "b"), steps(**verdicts)) is said


@pytest.mark.parametrize("content", [None, {}, {"runs": 1, "reports": True, "well": []}, {"runs": True}])
def test_what_is_no_condition_is_none(content: object) -> None:
    assert Condition.from_json(content) is None
