"""Whatever goes wrong between Azure and us, no verdict gets better: what was not read is unknown, never good or bad.

Every collector's answers are damaged in every way, in process. `make test` tries every second pair of answer and fault,
the worlds taking turns; with VMBACKUP_ATTACK set it is each pair in every world.
"""

from __future__ import annotations

import gzip
import json
import os
import re
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from ssl import SSLCertVerificationError

import requests

from in_process import ENDPOINT, Near, Sent, near
from vmbackup.collectors import COLLECTORS, collect
from vmbackup.diagnosis import Outcome, diagnose
from vmbackup.facts.azure import FACTS
from vmbackup.model import Evidence, Fact, SetupError, Verdict

WORLDS = (
    "healthy_linux",
    "healthy_windows",
    "agent_stopped_linux",
    "disk_too_large_linux",
    "restore_points_limit_linux",
    "restore_points_lock_windows",
    "no_internet_windows",
    "extension_failed_linux",
    "backup_in_progress_windows",
    "snapshot_shutdown_linux",
)
# Which answers belong to which fact.
ANSWERS = {
    "vm.model": r"GET .*/virtualMachines/[^/]*$",
    "vm.extensions": r"GET .*/virtualMachines/[^/]*/extensions$",
    "vm.extension_versions": r"GET .*/vmextension/.*/versions$",
    "vm.disks": r"GET .*/disks/",
    "vm.locks": r"GET .*/locks$",
    "vm.restore_points": r"GET .*/restorePointCollections",
    "vm.activity": r"GET .*/eventtypes/",
    "vm.health": r"GET .*/availabilityStatuses/",
    "vm.metrics": r"GET .*/metrics$",
    "network.nics": r"GET .*/networkInterfaces/[^/]*$",
    "network.subnets": r"GET .*/subnets/",
    "network.rules": r"POST .*/effectiveNetworkSecurityGroups$|GET .*/networkSecurityGroups/",
    "network.routes": r"POST .*/effectiveRouteTable$|GET .*/routeTables/",
    "operations": r"GET .*/operations/",
    "backup.protection": r"POST .*/backupStatus$|POST .*/Microsoft.ResourceGraph/",
    "backup.item": r"GET .*/protectedItems/[^/]*$",
    "backup.policy": r"GET .*/backupPolicies/",
    "backup.jobs": r"GET .*/backupJobs$",
    "backup.failed_job": r"GET .*/backupJobs/",
    "backup.recovery_points": r"GET .*/recoveryPoints$",
    "backup.neighbours": r"GET .*/backupProtectedItems$",
}
PAGE = b"<html><head><title>Blocked</title></head><body><p>This page is blocked.</p></body></html>"
BOMB = gzip.compress(b'{"value": [' + b" " * (200 << 20) + b"]}", 9)


def refusing(status: int, code: str, **headers: str) -> Callable[[Sent], Sent]:
    body = json.dumps({"error": {"code": code, "message": "It was not to be."}}).encode()
    return lambda sent: Sent(status, {**date(sent), **headers}, body)


def date(sent: Sent) -> dict[str, str]:
    return {name: value for name, value in sent.headers.items() if name == "Date"}


def page(status: int) -> Callable[[Sent], Sent]:
    return lambda sent: Sent(status, {**date(sent), "Content-Type": "text/html"}, PAGE)


def body(data: bytes, **headers: str) -> Callable[[Sent], Sent]:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda sent: Sent(200, {**date(sent), **named}, data)


def broken(error: Exception) -> Callable[[Sent], Sent]:
    return lambda sent: replace(sent, error=error)


def going_on_at(link: str) -> Callable[[Sent], Sent]:
    """The same list, with a next page."""

    def damage(sent: Sent) -> Sent:
        try:
            wire = json.loads(sent.data)
        except ValueError:
            return sent
        return replace(sent, data=json.dumps({**wire, "nextLink": link}).encode(), promised=None)

    return damage


FAULTS: dict[str, Callable[[Sent], Sent]] = {
    "401": refusing(401, "ExpiredAuthenticationToken"),
    "403": refusing(403, "AuthorizationFailed"),
    "403 of a proxy": page(403),
    "404": refusing(404, "ResourceNotFound"),
    "404 of a type": refusing(404, "InvalidResourceType"),
    "404 of a proxy": page(404),
    "404 without a body": lambda sent: Sent(404, date(sent), b""),
    "400": refusing(400, "BadRequest"),
    "409": refusing(409, "AnotherOperationInProgress"),
    "429": refusing(429, "TooManyRequests"),
    "429 for long": refusing(429, "TooManyRequests", **{"Retry-After": "3600"}),
    "500": refusing(500, "InternalServerError"),
    "503": page(503),
    "cut off": lambda sent: replace(sent, data=sent.data[: len(sent.data) // 2], promised=len(sent.data)),
    "hangs": broken(requests.exceptions.ReadTimeout("silence")),
    "reset": broken(requests.exceptions.ConnectionError("reset")),
    "wrong certificate": broken(requests.exceptions.SSLError(SSLCertVerificationError("self-signed certificate"))),
    "garbage": lambda sent: replace(sent, data=sent.data[: len(sent.data) // 2], promised=None),
    "a page": page(200),
    "empty": body(b""),
    "null": body(b"null"),
    "no fields": body(b"{}"),
    "a list": body(b"[]"),
    "deep": body(b'{"value":' + b"[" * 100_000),
    "huge": lambda sent: replace(sent, promised=50 << 20),
    "bomb": body(BOMB, Content_Encoding="gzip"),
    "redirected away": lambda sent: Sent(302, {**date(sent), "Location": "https://evil.example/"}, b""),
    "redirected for ever": lambda sent: Sent(302, {**date(sent), "Location": f"{ENDPOINT}/x?api-version=1"}, b""),
    "next page elsewhere": going_on_at("https://evil.example/page"),
}


@cache
def whole(world: str) -> tuple[Near, dict[str, Fact]]:
    there = near(world)
    return there, collect(there.azure, there.target, deadline_s=60)


def behind(fact: str) -> set[str]:
    """The fact, and all that are made from it."""
    found = {"network.rules", "network.routes"} if fact == "operations" else {fact}
    while True:
        behind_them = [each for each in COLLECTORS if found & {*each.needs, *each.optional, *each.gives}]
        more = {name for each in behind_them for name in each.gives}
        if more <= found:
            return found
        found |= more


def better(before: Evidence, after: Evidence) -> list[str]:
    """The verdicts that the fault made better, or worse than unknown."""
    old, new = diagnose(None, before), diagnose(None, after)
    verdicts = {finding.check: finding.verdict for step in old.steps for finding in step.findings}
    found = [
        f"{finding.check}: {verdicts[finding.check]} → {finding.verdict}"
        for step in new.steps
        for finding in step.findings
        if finding.verdict not in (Verdict.UNKNOWN, verdicts[finding.check])
    ]
    if new.outcome is Outcome.NO_CAUSE_FOUND is not old.outcome:
        found.append(f"{old.outcome} → {new.outcome}")
    return found


def tried(fact: str, fault: str, world: str) -> list[str]:
    there, before = whole(world)
    pattern = re.compile(ANSWERS[fact], re.IGNORECASE)
    there.loopback.damage = lambda line, sent: FAULTS[fault](sent) if pattern.search(line) else sent
    try:
        fresh = collect(there.azure, there.target, deadline_s=30, only=[name for name in FACTS if name in behind(fact)])
    except SetupError:
        return []  # a kind stop with the reason says nothing of the VM
    finally:
        there.loopback.damage = None
    assert not any("evil" in line for line in there.loopback.requests)
    return [f"{fact}, {fault}, {world}: {each}" for each in better(before, {**before, **fresh})]


def test_no_fault_makes_a_verdict_better() -> None:
    pairs = [(fact, fault) for fact in ANSWERS for fault in FAULTS]
    cases = [(*pair, WORLDS[number % len(WORLDS)]) for number, pair in enumerate(pairs[::2])]
    if os.environ.get("VMBACKUP_ATTACK"):
        cases = [(*pair, world) for pair in pairs for world in WORLDS]
    assert [line for case in cases for line in tried(*case)] == []
    print(f"{len(cases)} faults tried")
