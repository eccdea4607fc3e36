"""Each sign of a failure alone, on a VM that is otherwise healthy: nothing it speaks for is ruled out, and the failure
is not passed over."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from typing import Any

import pytest
from windows_facts import HEALTHY as HEALTHY_WINDOWS
from windows_facts import SICK

from azuresim.guest import output_file
from judging import failed_job, job
from showing import shown_by
from vmbackup import catalog
from vmbackup.catalog.signatures import Signature, Strength, signatures
from vmbackup.checks.base import load
from vmbackup.diagnosis import Diagnosis, Outcome, diagnose
from vmbackup.failures.signatures import signs_of_status
from vmbackup.guest.document import decode
from vmbackup.model import Evidence, Fact, FactStatus, Verdict
from worlds import examine

SYSTEMS = ("linux", "windows")
FAILED = {
    "backup.jobs": Fact(FactStatus.OK, [job("Failed"), job(start="2026-11-21T22:00:00Z")]),
    "backup.failed_job": Fact(FactStatus.OK, failed_job(None, None)),
}


@cache
def healthy(os: str) -> Evidence:
    """A healthy VM whose guest was examined, and whose last backup failed without a word why."""
    guest: Mapping[str, Any]
    # Its SQL Server is one that the article warns of.
    guest = {**HEALTHY_WINDOWS, "sql": HEALTHY_WINDOWS["sql"] | {"use_vss_copy_backup": True}}
    if os == "linux":
        guest = decode(output_file("linux", "healthy").read_text()).facts
    facts = {f"guest.{name}": Fact(FactStatus.OK, data) for name, data in guest.items()}
    return {**examine(f"healthy_{os}"), **FAILED, **facts}


def with_sign(os: str, shown: Evidence) -> Diagnosis:
    """The diagnosis where these facts show the sign; what else they say stays as on the healthy VM."""
    facts = dict(healthy(os))
    for name, fact in shown.items():
        known = facts.get(name)
        both = known is not None and isinstance(known.data, dict) and isinstance(fact.data, dict)
        facts[name] = Fact(fact.status, {**known.data, **fact.data}, fact.why, fact.details) if both else fact
    return diagnose(None, facts)


def passed_over(signature: Signature, os: str, diagnosis: Diagnosis) -> list[str]:
    """What is said although the sign stands."""
    wrong = ["no cause found"] if diagnosis.outcome is Outcome.NO_CAUSE_FOUND else []
    speaks_for = signature.causes if signature.strength is not Strength.WRAPPER else ()
    for cause in speaks_for:
        if diagnosis.step(cause).verdict is Verdict.OK and concerns(cause, os):
            wrong.append(f"{cause} is ruled out")
    return wrong


def concerns(cause: str, os: str) -> bool:
    return any(load()[check].os in (None, os) for check in catalog.causes()[cause]["checks"])


@pytest.mark.parametrize("os", SYSTEMS)
def test_the_healthy_vm_shows_no_cause_of_a_failure_that_says_nothing(os: str) -> None:
    diagnosis = with_sign(os, {})
    assert [step.cause for step in diagnosis.steps if step.verdict is Verdict.PROBLEM] == []
    assert diagnosis.outcome is Outcome.UNDECIDED


@pytest.mark.parametrize("os", SYSTEMS)
def test_no_sign_is_passed_over(os: str) -> None:
    wrong = {}
    for signature in signatures().values():
        if signature.strength is Strength.HARMLESS:
            continue
        for what, shown in shown_by(signature):
            if said := passed_over(signature, os, with_sign(os, shown)):
                wrong[f"{signature.id} by {what[:60]}"] = said
    assert wrong == {}


def test_no_status_of_the_extension_is_passed_over() -> None:
    extension = healthy("linux")["guest.extension"].data
    wrong = []
    for code in range(-1, 600):
        status = {**extension, "status": "error", "code": code, "message": None}
        diagnosis = with_sign("linux", {"guest.extension": Fact(FactStatus.OK, status)})
        named = {cause for sign in signs_of_status({**status}) for cause in sign.causes}
        ruled_out = {cause for cause in named or {"extension"} if diagnosis.step(cause).verdict is Verdict.OK}
        if ruled_out or diagnosis.outcome is Outcome.NO_CAUSE_FOUND:
            wrong.append((code, ruled_out))
    assert wrong == []


def changed(os: str, name: str, changes: Mapping[str, Any]) -> set[str]:
    """The causes whose verdict differs where one fact does."""
    facts = healthy(os)
    fact = facts[name]
    data = {**fact.data, **changes} if isinstance(fact.data, dict) else [{**fact.data[0], **changes}, *fact.data[1:]]
    before, after = (diagnose(None, known).steps for known in (facts, {**facts, name: replace(fact, data=data)}))
    return {was.cause for was, now in zip(before, after, strict=True) if was.verdict is not now.verdict}


# What makes a Windows guest sick, and the one cause that shows it.
SICK_BY = {
    "agent service stopped": "agent_windows",
    "agent not installed": "agent_windows",
    "agent service disabled": "agent_windows",
    "provider never installed": "extension",
    ".NET too old": "agent_windows",
    "VSS writer failed": "vss",
    "wire server blocked": "no_internet",
    "disk full": "guest_disk_space",
    "rights changed": "certificates",
    "blocked by AppLocker": "application_control",
}
TWINS = [
    *(("windows", f"guest.{SICK[name][0]}", SICK[name][1], cause) for name, cause in SICK_BY.items()),
    ("linux", "vm.disks", {"size_gb": 70_000}, "disks"),
    ("linux", "vm.disks", {"shared": True}, "disks"),
    ("windows", "vm.disks", {"managed": False}, "disks"),
    ("linux", "vm.model", {"provisioning_state": "Failed"}, "vm_state"),
    ("linux", "vm.model", {"provisioning_state": "Updating"}, "vm_state"),
    ("linux", "vm.model", {"allow_extension_operations": False}, "extension"),
    ("linux", "backup.item", {"protection_state": "ProtectionStopped"}, "protection"),
    ("linux", "guest.agent", {"exthandlers": False}, "agent_linux"),
    ("linux", "guest.agent_config", {"extensions_enabled": False}, "agent_linux"),
    ("linux", "guest.mounts", {"frozen": ["/data"]}, "file_system_freeze"),
    ("linux", "guest.clock", {"skew_s": 7200.0}, "clock"),
]


@pytest.mark.parametrize(("os", "fact", "changes", "cause"), TWINS)
def test_where_one_fact_differs_one_cause_does(os: str, fact: str, changes: dict[str, Any], cause: str) -> None:
    assert changed(os, fact, changes) == {cause}
