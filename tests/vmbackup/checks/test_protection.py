"""The VM is not, or no longer, protected by the vault."""

from __future__ import annotations

from typing import Any

import pytest

from judging import DENIED, item, model, outcome


def protection(**changes: Any) -> dict[str, Any]:
    return {
        "status": "Protected",
        "vault_id": "/v/vault",
        "container": "c",
        "item": "i",
        "policy_name": None,
        "via": "backupStatus",
    } | changes


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({"backup__protection": protection()}, ("ok", "ok")),
        ({"backup__protection": protection(status="Protecting")}, ("ok", "ok")),
        ({"backup__protection": protection(status=None, via="resource_graph")}, ("ok", "ok")),
        ({"backup__protection": protection(status=None, via="parameter"), "backup__item": item()}, ("ok", "ok")),
        ({"backup__protection": protection(status=None, via="parameter")}, ("unknown", "unknown")),
        ({"backup__protection": protection(status="ProtectionFailed")}, ("problem", "problem")),
        ({"backup__protection": protection(status="NotProtected")}, ("problem", "not_protected")),
        ({"backup__protection": None}, ("problem", "not_protected")),
        ({"backup__protection": DENIED}, ("unknown", "unanswered")),
        ({}, ("unknown", "not_collected")),
    ],
)
def test_a_vault_protects_the_vm(facts: dict[str, Any], expected: tuple[str, str]) -> None:
    assert outcome("vm_is_protected", **facts) == expected


@pytest.mark.parametrize(
    ("fact", "expected"),
    [
        (item(), ("ok", "ok")),
        (item(protection_state="IRPending"), ("ok", "ok")),
        (item(protection_state="ProtectionError"), ("ok", "ok")),
        (item(protection_state="ProtectionStopped"), ("problem", "problem")),
        (item(protection_state="ProtectionPaused"), ("problem", "problem")),
        (item(protection_state="BackupsSuspended"), ("problem", "problem")),
        (item(soft_deleted=True), ("problem", "soft_deleted")),
        (item(protection_state=None), ("unknown", "unknown")),
        (item(protection_state="Invalid"), ("unknown", "unknown")),
        (None, ("not_applicable", "not_applicable")),
        (DENIED, ("unknown", "unanswered")),
    ],
)
def test_protection_is_active(fact: Any, expected: tuple[str, str]) -> None:
    assert outcome("protection_is_active", backup__item=fact) == expected


def test_a_vault_that_azure_names_but_that_does_not_know_the_vm_is_no_verdict() -> None:
    known = {"backup__item": None, "backup__protection": protection()}
    assert outcome("protection_is_active", **known) == ("unknown", "item_not_found")


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({"backup__item": item()}, ("ok", "ok")),
        ({"backup__item": item(source_resource_id="/VM/")}, ("ok", "ok")),
        ({"backup__item": item(source_resource_id="/other")}, ("problem", "problem")),
        ({"backup__item": item(source_resource_id=None)}, ("unknown", "unknown")),
        ({"backup__item": None}, ("not_applicable", "not_applicable")),
        ({"backup__item": DENIED}, ("unknown", "unanswered")),
    ],
)
def test_vault_and_vm_belong_together(facts: dict[str, Any], expected: tuple[str, str]) -> None:
    assert outcome("vault_and_vm_belong_together", vm__model=model(), **facts) == expected


def test_a_vm_whose_id_azure_did_not_tell_is_no_other_vm() -> None:
    facts = {"vm__model": model(id=""), "backup__item": item()}
    assert outcome("vault_and_vm_belong_together", **facts) == ("unknown", "unknown")
