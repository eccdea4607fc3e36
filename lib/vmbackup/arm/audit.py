"""The audit: every request that changes something has a row, written before it is sent and completed afterwards.

Enforced in the HTTP pipeline: :class:`AuditPolicy` sits in every client and refuses a changing request outside of
:func:`allow_changes`, so that a run that only reads cannot change anything. A request counts as changing unless it is
known to read.
"""

from __future__ import annotations

import base64
import binascii
import json
import os
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime, timezone
from functools import cache
from importlib import resources
from typing import Any
from urllib.parse import unquote, urlsplit

from azure.core.pipeline import PipelineRequest, PipelineResponse
from azure.core.pipeline.policies import HTTPPolicy

from vmbackup import clock
from vmbackup.arm.call import current
from vmbackup.arm.pipeline import azure_time
from vmbackup.model import Log, RemedyRefused, Unwritten
from vmbackup.sanitize import shortened

READING_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
READING_POSTS = (
    re.compile(r"/providers/microsoft\.recoveryservices/locations/[^/]+/(backupstatus|backupprevalidateprotection)$"),
    re.compile(r"/networkinterfaces/[^/]+/(effectivenetworksecuritygroups|effectiveroutetable)$"),
    re.compile(r"/networkwatchers/[^/]+/(ipflowverify|nexthop)$"),
    re.compile(r"/providers/microsoft\.resourcegraph/resources$"),
    re.compile(r"/virtualmachines/[^/]+/retrievebootdiagnosticsdata$"),
    re.compile(r"/subscriptions/[^/]+/metrics:getbatch$"),
)


def changes(method: str, url: str) -> bool:
    """Whether a request may change something in Azure: everything but reads and the POSTs known to read.

    >>> changes("GET", "https://x/a"), changes("DELETE", "https://x/a"), changes("POST", "https://x/vm/restart?a=b")
    (False, True, True)
    """
    if method.upper() in READING_METHODS:
        return False
    path = unquote(urlsplit(url).path).lower().rstrip("/")
    return not (method.upper() == "POST" and any(known.search(path) for known in READING_POSTS))


def runs_the_probe(wire: Any) -> bool:
    """Whether a request is Run Command with the product's own read-only guest script, word for word."""
    if wire.method.upper() != "POST" or not urlsplit(wire.url).path.lower().endswith("/runcommand"):
        return False
    try:
        body = json.loads(wire.content if hasattr(wire, "content") else wire.body)
        script = "\n".join(body["script"])
    except (ValueError, TypeError, KeyError):
        return False
    return "parameters" not in body and script in _probes()


@cache
def _probes() -> frozenset[str]:
    folder = resources.files("vmbackup.guest").joinpath("scripts")
    scripts = (folder.joinpath(name).read_text("utf-8") for name in ("collect_windows.ps1", "collect_linux.sh"))
    return frozenset("\n".join(script.splitlines()) for script in scripts)


class Audit:
    """One append-only log. Each event is of a row ``id``: ``sent``, then ``answered`` or ``no_answer``, then perhaps
    ``finished`` for what Azure went on doing. Threads may share it.
    """

    def __init__(self, log: Log, who: str) -> None:
        self.log = log
        self.who = who
        self._lock = threading.Lock()

    def sent(self, method: str, url: str, client_request_id: str, why: str) -> str:
        """Note a request that is about to be sent; returns the row's id. Raises RemedyRefused if it cannot be noted."""
        row = f"{os.getpid():x}-{os.urandom(6).hex()}"
        parts, begun = urlsplit(url), current()
        event = {
            "id": row,
            "event": "sent",
            "time": datetime.now(timezone.utc).isoformat(timespec="seconds"),
            "method": method,
            "vm": begun.vm_id if begun else "",
            "resource": unquote(parts.path),
            "client_request_id": client_request_id,
            "who": self.who,
            "why": why,
        }
        try:
            self._write(event)
        except Unwritten as error:
            raise RemedyRefused("error.not_noted", **error.values) from None
        return row

    def answered(self, row: str, status: int, headers: Any) -> None:
        """Complete a row with what Azure answered; ``azure_time`` is Azure's own clock."""
        self._write(
            {
                "id": row,
                "event": "answered",
                "azure_time": clock.stamp(azure_time(headers)),
                "status": status,
                "request_id": headers.get("x-ms-request-id"),
                "correlation_id": headers.get("x-ms-correlation-request-id"),
                "outcome": _outcome(status),
            }
        )

    def lost(self, row: str, error: str) -> None:
        """Complete a row that got no response: whether Azure acted is not known."""
        self._write({"id": row, "event": "no_answer", "outcome": "unknown", "error": shortened(error)})

    def finished(self, row: str, outcome: str, message: str = "") -> None:
        """Say how an accepted operation ended."""
        self._write({"id": row, "event": "finished", "outcome": outcome, "message": shortened(message)})

    def _write(self, event: dict[str, Any]) -> None:
        with self._lock:
            self.log.append(event)


def _outcome(status: int) -> str:
    """What a response says about a change. A server that failed may have acted first."""
    if status == 202:
        return "accepted"
    return "done" if status < 300 else "refused" if status < 500 else "unknown"


def rows(log: Log) -> list[dict[str, Any]]:
    """One row per request, its events merged: ``{id, time, method, resource, who, why, status, outcome, …}``."""
    merged: dict[str, dict[str, Any]] = {}
    for event in log.events():
        if "id" not in event:
            continue
        row = merged.setdefault(str(event["id"]), {"outcome": "unknown"})
        row.update({name: value for name, value in event.items() if name != "event"})
    return list(merged.values())


@dataclass(slots=True, eq=False)
class Permit:
    """Consent to change something: which audit the rows go to and why. ``row`` is the last request's row."""

    audit: Audit
    why: str
    valid: bool = True
    row: str = ""


_permit: ContextVar[Permit | None] = ContextVar("vmbackup_permit", default=None)


@contextmanager
def allow_changes(audit: Audit, why: str) -> Iterator[Permit]:
    """Let this call's changing requests through inside the block, each with a row that says why."""
    permit = Permit(audit, why)
    token = _permit.set(permit)
    try:
        yield permit
    finally:
        # A thread started in the block may outlive it, and its context still holds the permit.
        permit.valid = False
        _permit.reset(token)


def authorize(method: str, url: str, client_request_id: str) -> tuple[Audit, str]:
    """The audit and the row of a changing request. Raises RemedyRefused while this call may change nothing."""
    permit = _permit.get()
    if permit is None or not permit.valid:
        raise RemedyRefused("error.no_audit", method=method, path=urlsplit(url).path)
    permit.row = permit.audit.sent(method, url, client_request_id, permit.why)
    return permit.audit, permit.row


class AuditPolicy(HTTPPolicy[Any, Any]):
    """Sends a changing request only with its row written. Each pipeline needs a policy of its own: it knows its
    successor."""

    def send(self, request: PipelineRequest[Any]) -> PipelineResponse[Any, Any]:
        """Pass a request on; a changing one only with its row written."""
        wire = request.http_request
        if not changes(wire.method, wire.url) or runs_the_probe(wire):
            return self.next.send(request)
        audit, row = authorize(wire.method, wire.url, wire.headers.get("x-ms-client-request-id", ""))
        try:
            response = self.next.send(request)
        except Exception as error:
            with suppress(Unwritten):  # an incomplete row means that the outcome is unknown
                audit.lost(row, f"{type(error).__name__}: {error}")
            raise
        audit.answered(row, response.http_response.status_code, response.http_response.headers)
        return response


def signed_in(credential: Any, scope: str) -> str:
    """Who is signed in: the token's object id and name, never the token. ``unknown`` when it does not say."""
    return who(credential.get_token(scope).token)


def who(token: str) -> str:
    """The identity that an access token names, as ``<name> (<object id>)``.

    >>> who("not a token")
    'unknown'
    """
    try:
        part = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
        name = next(
            (claims[key] for key in ("upn", "unique_name", "preferred_username", "appid") if claims.get(key)), ""
        )
        oid = claims.get("oid") or ""
    except (IndexError, ValueError, TypeError, AttributeError, binascii.Error):
        return "unknown"
    return f"{name} ({oid})" if name and oid and name != oid else str(name or oid or "unknown")
