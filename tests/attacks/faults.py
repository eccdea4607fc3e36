"""Whatever goes wrong between Azure and us, no verdict gets better: what was not read is unknown, never good or bad.

Every collector's answers are damaged in every way, in process.
"""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from ssl import SSLCertVerificationError

import requests

from attacks.attack import Attack, Case
from attacks.near_worlds import WORLDS, behind, better, examined
from in_process import ENDPOINT, Sent

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
    "backup.vault": r"GET .*/backupstorageconfig/",
    "backup.policy": r"GET .*/backupPolicies/",
    "backup.jobs": r"GET .*/backupJobs$",
    "backup.failed_job": r"GET .*/backupJobs/",
    "backup.recovery_points": r"GET .*/recoveryPoints$",
    "backup.neighbours": r"GET .*/backupProtectedItems$",
    "guest.probe": r"POST .*/runCommand$|GET .*/operations/",
    "guest.serial_log": r"POST .*/retrieveBootDiagnosticsData$",
    "guest.boot_report": r"GET .*\.serialconsole\.log$",
}
PAGE = b"<html><head><title>Blocked</title></head><body><p>This page is blocked.</p></body></html>"


@cache
def bomb() -> bytes:
    """A small answer that becomes 60 MB."""
    return gzip.compress(b'{"value": [' + b" " * (60 << 20) + b"]}", 6)


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
    "bomb": lambda sent: body(bomb(), Content_Encoding="gzip")(sent),
    "redirected away": lambda sent: Sent(302, {**date(sent), "Location": "https://evil.example/"}, b""),
    "redirected for ever": lambda sent: Sent(302, {**date(sent), "Location": f"{ENDPOINT}/x?api-version=1"}, b""),
    "next page elsewhere": going_on_at("https://evil.example/page"),
}


def cases() -> list[Case]:
    """Every fault of every answer in every world."""
    return [(fact, fault, world) for fact in ANSWERS for fault in FAULTS for world in WORLDS]


def attempt(fact: str, fault: str, world: str) -> list[str]:
    """Damage these answers of this world."""
    known, pattern = examined(world), re.compile(ANSWERS[fact], re.IGNORECASE)
    asked = {"network.rules", "network.routes"} if fact == "operations" else {fact}
    sent_before = len(known.there.loopback.requests)
    after = known.worsened(behind(asked), lambda line, sent: FAULTS[fault](sent) if pattern.search(line) else sent)
    strange = [line for line in known.there.loopback.requests[sent_before:] if "evil" in line]
    return [f"asked {line}" for line in strange] + (better(known.evidence, after) if after is not None else [])


ATTACK = Attack("no fault of an answer makes a verdict better", cases, attempt)
