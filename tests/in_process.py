"""The unmodified SDK against the simulator's core in the same process: the product's own pipeline and transport, with
an adapter of requests in place of the network. What comes back may be damaged on its way."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import requests
from azure.core.credentials import AccessToken
from requests.adapters import HTTPAdapter
from urllib3 import HTTPResponse

import azuresim.handlers  # noqa: F401 - importing the handlers registers their routes
from azuresim import state
from azuresim.answer import Answer
from azuresim.core import handle
from azuresim.loading import load_world
from azuresim.serve import encoded
from azuresim.world import World
from vmbackup.arm.connection import Azure, Connection
from vmbackup.arm.transport import Transport
from vmbackup.model import Target

ENDPOINT = "https://management.azure.com"


@dataclass(frozen=True)
class Sent:
    """What goes over the wire. ``promised`` is the length that the header says; an error is raised in place of all."""

    status: int
    headers: Mapping[str, str]
    data: bytes
    promised: int | None = None
    error: Exception | None = None


Damage = Callable[[str, Sent], Sent]
"""Changes the answer to ``METHOD path``."""


class Loopback(HTTPAdapter):
    """Hands each request to the simulator's core. ``requests`` lists those sent, as ``METHOD host/path``."""

    def __init__(self, azure: state.Azure) -> None:
        super().__init__()
        self.azure = azure
        self.damage: Damage | None = None
        self.requests: list[str] = []

    def send(self, request: requests.PreparedRequest, *_: Any, **__: Any) -> requests.Response:
        parts = urlsplit(request.url or "")
        method, path = request.method or "GET", str(parts.path)
        self.requests.append(f"{method} {parts.netloc}{unquote(path)}")
        body = request.body or b""
        content = body.encode() if isinstance(body, str) else bytes(body)  # type: ignore[arg-type]
        query = dict(parse_qsl(str(parts.query), keep_blank_values=True))
        headers = {**request.headers, "Host": str(parts.netloc)}
        sent = _sent(handle(self.azure, method, path, query, headers, content))
        if self.damage:
            sent = self.damage(f"{method} {unquote(path)}", sent)
        if sent.error:
            raise sent.error
        length = len(sent.data) if sent.promised is None else sent.promised
        headers = {"Content-Length": str(length), "Content-Type": "application/json", **sent.headers}
        raw = HTTPResponse(BytesIO(sent.data), headers, sent.status, preload_content=False, request_method=method)
        return self.build_response(request, raw)


def _sent(answer: Answer) -> Sent:
    data, promised = encoded(answer)
    return Sent(answer.status, answer.headers, data, promised)


@dataclass
class Credential:
    """Gives out the simulator's own tokens; ``scopes`` are those that a token was asked for."""

    azure: state.Azure
    scopes: set[str] = field(default_factory=set)

    def get_token(self, *scopes: str, **_: Any) -> AccessToken:
        self.scopes.update(scopes)
        token = self.azure.tokens.issue(scopes[0].removesuffix("/.default"), self.azure.seed)["access_token"]
        return AccessToken(token, int(time.time()) + 3600)


@dataclass
class Near:
    """A world in this process: the connection to it, its VM, and what lies between."""

    world: World
    azure: Azure
    target: Target
    loopback: Loopback
    credential: Credential


def near(scenario: str | World) -> Near:
    """This world, without sockets."""
    world = load_world(scenario) if isinstance(scenario, str) else scenario
    simulated, vm = state.Azure([world]), world.vms[0]
    loopback, credential = Loopback(simulated), Credential(simulated)
    connection = Connection(ENDPOINT, polling_interval_s=0.001, retry_total=1, retry_backoff_s=0.001)
    azure = Azure(credential, vm["subscription_id"], connection, Transport(loopback))
    return Near(world, azure, Target(vm["subscription_id"], vm["resource_group"], vm["vm_name"]), loopback, credential)
